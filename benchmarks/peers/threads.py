"""Thread pools. Each yields the results as they come, or in the input's order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Work = Callable[[Any], Any]


def executor(work: Work, items: Iterable[Any], n: int, workers: int) -> Iterator[Any]:
    """ThreadPoolExecutor with a window of submitted tasks."""
    from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

    source, window = iter(items), 2 * workers
    with ThreadPoolExecutor(workers) as pool:
        pending: set[Future[Any]] = {
            pool.submit(work, item) for item in itertools.islice(source, window)
        }
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
            more = itertools.islice(source, window - len(pending))
            pending |= {pool.submit(work, item) for item in more}


def executor_map(work: Work, items: Iterable[Any], n: int, workers: int) -> Iterator[Any]:
    """ThreadPoolExecutor.map, which pulls the whole input first."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(work, items)


def joblib(work: Work, items: Iterable[Any], n: int, workers: int) -> Iterator[Any]:
    """Joblib with its threading backend."""
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=workers, backend="threading", return_as="generator_unordered")
    yield from parallel(delayed(work)(item) for item in items)


def bare(work: Work, items: Iterable[Any], n: int, workers: int) -> Iterator[Any]:
    """Threads on one iterator and a queue: no timeouts, no errors, no bound."""
    import threading
    from queue import SimpleQueue

    source, lock, end = iter(items), threading.Lock(), object()
    done: SimpleQueue[Any] = SimpleQueue()

    def serve() -> None:
        while True:
            with lock:
                item = next(source, end)
            done.put(end if item is end else work(item))
            if item is end:
                return

    for _ in range(workers):
        threading.Thread(target=serve, daemon=True).start()
    while workers:
        result = done.get()
        if result is end:
            workers -= 1
        else:
            yield result
