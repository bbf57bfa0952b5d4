"""Process pools with two workers. Each yields the results as they come, or in order."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Work = Callable[[Any], Any]
WORKERS = 2


def _context() -> Any:
    import multiprocessing

    return multiprocessing.get_context(os.environ.get("START_METHOD") or None)


def pool_1(work: Work, items: Iterable[Any], n: int) -> Iterator[Any]:
    """multiprocessing.Pool, chunks of 1."""
    with _context().Pool(WORKERS) as pool:
        yield from pool.imap_unordered(work, items)


def pool_100(work: Work, items: Iterable[Any], n: int) -> Iterator[Any]:
    """multiprocessing.Pool, chunks of 100."""
    with _context().Pool(WORKERS) as pool:
        yield from pool.imap_unordered(work, items, chunksize=100)


def executor(work: Work, items: Iterable[Any], n: int) -> Iterator[Any]:
    """ProcessPoolExecutor with a window of submitted tasks."""
    from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait

    source = iter(items)
    with ProcessPoolExecutor(WORKERS, mp_context=_context()) as pool:
        pending: set[Future[Any]] = {
            pool.submit(work, item) for item in itertools.islice(source, 16)
        }
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
            more = itertools.islice(source, 16 - len(pending))
            pending |= {pool.submit(work, item) for item in more}


def executor_map_100(work: Work, items: Iterable[Any], n: int) -> Iterator[Any]:
    """ProcessPoolExecutor.map(chunksize=100)."""
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(WORKERS, mp_context=_context()) as pool:
        yield from pool.map(work, items, chunksize=100)


def mpire(work: Work, items: Iterable[Any], n: int) -> Iterator[Any]:
    """Mpire, its own choice of chunks."""
    from mpire import WorkerPool

    with WorkerPool(WORKERS, start_method=os.environ.get("START_METHOD") or "fork") as pool:
        yield from pool.imap_unordered(work, items, iterable_len=n)


def joblib(work: Work, items: Iterable[Any], n: int) -> Iterator[Any]:
    """Joblib with loky, its own choice of batches."""
    from joblib import Parallel, delayed

    call = delayed(work)
    yield from Parallel(n_jobs=WORKERS, return_as="generator_unordered")(
        call(item) for item in items
    )


def pebble(work: Work, items: Iterable[Any], n: int) -> Iterator[Any]:
    """Pebble with a window of scheduled tasks."""
    from concurrent.futures import FIRST_COMPLETED, wait

    from pebble import ProcessPool

    source = iter(items)
    with ProcessPool(WORKERS, context=_context()) as pool:
        pending = {pool.schedule(work, (item,)) for item in itertools.islice(source, 16)}
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
            pending |= {
                pool.schedule(work, (item,)) for item in itertools.islice(source, 16 - len(pending))
            }


def pebble_100(work: Work, items: Iterable[Any], n: int) -> Iterator[Any]:
    """Pebble's map, chunks of 100."""
    from pebble import ProcessPool

    with ProcessPool(WORKERS, context=_context()) as pool:
        yield from pool.map(work, items, chunksize=100).result()


def one_core(work: Work, items: Iterable[Any], n: int) -> Iterator[Any]:
    """A plain loop."""
    return map(work, items)


def two_halves(work: Work, items: Iterable[Any], n: int) -> Iterator[Any]:
    """Two processes that do half each and talk to nobody: what this machine can do."""
    return _split(_all, work, n)


def two_crews(work: Work, items: Iterable[Any], n: int) -> Iterator[Any]:
    """The same with eight threads in each: what threads in processes can do."""
    return _split(_crew, work, n)


def _split(target: Callable[..., None], work: Work, n: int) -> Iterator[Any]:
    import multiprocessing

    halves = [range(start, n, WORKERS) for start in range(WORKERS)]
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=target, args=(work, half)) for half in halves]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return iter(range(n))


def _all(work: Work, items: Iterable[Any]) -> None:
    for item in items:
        work(item)


def _crew(work: Work, items: Iterable[Any]) -> None:
    from . import threads

    for _ in threads.bare(work, items, 0, 8):
        pass
