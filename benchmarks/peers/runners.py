"""Runners of tasks behind one interface, each as its documentation shows it, failures kept apart.

    run(work, items, workers, timeout=None, setup=None) -> an iterator of Came

`timeout` is what a task may take, `setup` what each worker begins with. A runner that has no such
thing raises Lacks.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import os
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, Protocol

Work = Callable[..., Any]
Setup = Callable[[], AbstractContextManager[Any]]
# As many as are submitted beyond those that run: enough that no worker waits.
WINDOW = 16


class Lacks(Exception):
    """The runner has no such thing."""


class Came(NamedTuple):
    """What became of a task; of a failure its text, traceback included where there is one."""

    item: Any
    value: Any = None
    failure: str | None = None


class Run(Protocol):
    """What can be examined."""

    def __call__(
        self,
        work: Work,
        items: Iterable[Any],
        workers: int,
        timeout: float | None = None,
        setup: Setup | None = None,
    ) -> Iterator[Came]:
        """Yield what became of each item."""


class Runner(NamedTuple):
    """Somebody's way to run tasks."""

    title: str
    kind: str  # of its workers: threads, coroutines or processes
    run: Run
    needs: str = "sys"  # the module that has to be there

    def there(self) -> bool:
        """Whether it is installed."""
        return find_spec(self.needs) is not None


# -- concgen


def own(model: str) -> Run:
    """A package of that model as `concgen add` writes it, by its run()."""

    def run(
        work: Work,
        items: Iterable[Any],
        workers: int,
        timeout: float | None = None,
        setup: Setup | None = None,
    ) -> Iterator[Came]:
        with tempfile.TemporaryDirectory() as folder:
            _write(model, Path(folder), work, setup)
            # Workers that are started afresh find it too.
            os.environ["PYTHONPATH"] = os.pathsep.join((folder, os.environ.get("PYTHONPATH", "")))
            sys.path.insert(0, folder)
            package = importlib.import_module("contracted")
            for outcome in package.run(items, max_workers=workers, timeout=timeout):
                error = outcome.error
                text = None if error is None else f"{getattr(error, 'traceback', '')}{error}"
                yield Came(outcome.item, outcome.value, text)

    return run


def _write(model: str, folder: Path, work: Work, setup: Setup | None) -> None:
    from common import assemble

    name = f"awaited({work.__name__})" if model == "asyncio" else work.__name__
    lines = [f"from {work.__module__} import {work.__name__}"]
    if model == "asyncio":
        lines.append("from peers.promised import awaited")
    lines.append(f"work = {name}")
    if setup:
        lines.append(f"from {setup.__module__} import {setup.__name__} as setup")
    assemble(model, folder, "\n".join(lines) + "\n", package="contracted")
    (folder / "contracted" / "__init__.py").write_text("from .runner.api import run\n")


# -- executors of the standard library, and those with their interface


def _refuse(**unsupported: object) -> None:
    for name, value in unsupported.items():
        if value is not None:
            raise Lacks(name)


_here = threading.local()


def _begin(setup: Setup) -> None:
    """`setup` as an initializer: nobody closes what it opens."""
    _here.opened = setup()  # kept, as it would close itself
    _here.client = _here.opened.__enter__()


def _using_client(work: Work, item: Any) -> Any:
    return work(item, _here.client)


def _begun(work: Work, setup: Setup | None) -> tuple[Work, dict[str, Any]]:
    """What to call, and how the pool has to begin its workers."""
    if setup is None:
        return work, {}
    return functools.partial(_using_client, work), {"initializer": _begin, "initargs": (setup,)}


def _from_future(item: Any, future: Any) -> Came:
    error = future.exception()
    return Came(item, failure=_text(error)) if error else Came(item, future.result())


def _text(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def _submitted(
    submit: Callable[[Any], Future[Any]], items: Iterable[Any], window: int
) -> Iterator[Came]:
    """A window of futures that is filled as they complete."""
    source, broken = iter(items), None
    pending: dict[Future[Any], Any] = {}
    while True:
        try:
            for item in itertools.islice(source, window - len(pending)):
                pending[submit(item)] = item
        except OSError as error:  # of the input; a pool that breaks is a RuntimeError
            broken, source = error, iter(())
        if not pending:
            break
        for future in wait(pending, return_when=FIRST_COMPLETED).done:
            yield _from_future(pending.pop(future), future)
    if broken is not None:
        raise broken


def submitted(pool: Callable[..., Executor]) -> Run:
    """Executor.submit() and wait(), with a window."""

    def run(
        work: Work,
        items: Iterable[Any],
        workers: int,
        timeout: float | None = None,
        setup: Setup | None = None,
    ) -> Iterator[Came]:
        _refuse(timeout=timeout)
        function, begin = _begun(work, setup)
        with pool(workers, **begin) as executor:
            yield from _submitted(
                lambda item: executor.submit(function, item), items, workers + WINDOW
            )

    return run


def mapped(pool: Callable[..., Executor]) -> Run:
    """Executor.map()."""

    def run(
        work: Work,
        items: Iterable[Any],
        workers: int,
        timeout: float | None = None,
        setup: Setup | None = None,
    ) -> Iterator[Came]:
        _refuse(timeout=timeout)
        function, begin = _begun(work, setup)
        with pool(workers, **begin) as executor:
            for value in executor.map(function, items):
                yield Came(None, value)

    return run


def _threads(workers: int, **begin: Any) -> Executor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(workers, **begin)


def _processes(workers: int, **begin: Any) -> Executor:
    from concurrent.futures import ProcessPoolExecutor

    return ProcessPoolExecutor(workers, **begin)


def _loky(workers: int, **begin: Any) -> Executor:
    from loky import get_reusable_executor

    return get_reusable_executor(max_workers=workers, **begin)


# -- others


def pool(
    work: Work,
    items: Iterable[Any],
    workers: int,
    timeout: float | None = None,
    setup: Setup | None = None,
) -> Iterator[Came]:
    """multiprocessing.Pool.imap_unordered(), which goes on after an error but does not name it."""
    import multiprocessing

    _refuse(timeout=timeout)
    function, begin = _begun(work, setup)
    with multiprocessing.Pool(workers, **begin) as processes:
        results = processes.imap_unordered(function, items)
        while True:
            try:
                yield Came(None, next(results))
            except StopIteration:
                return
            except Exception as error:
                yield Came(None, failure=_text(error))


def joblib(backend: str) -> Run:
    """joblib.Parallel, its results as they come."""

    def run(
        work: Work,
        items: Iterable[Any],
        workers: int,
        timeout: float | None = None,
        setup: Setup | None = None,
    ) -> Iterator[Came]:
        from joblib import Parallel, delayed

        _refuse(timeout=timeout, setup=setup)  # its timeout ends the whole run
        call = delayed(work)
        parallel = Parallel(workers, backend=backend, return_as="generator_unordered")
        for value in parallel(call(item) for item in items):
            yield Came(None, value)

    return run


def mpire(
    work: Work,
    items: Iterable[Any],
    workers: int,
    timeout: float | None = None,
    setup: Setup | None = None,
) -> Iterator[Came]:
    """WorkerPool.imap_unordered(), with its task_timeout and worker_init."""
    from mpire import WorkerPool

    begin, function = None, work
    if setup is not None:
        begin, function = _Begun(setup), _Using(work)  # type: ignore[assignment]
    with WorkerPool(workers, use_worker_state=setup is not None) as processes:
        for value in processes.imap_unordered(
            function, items, task_timeout=timeout, worker_init=begin, worker_exit=_ended(setup)
        ):
            yield Came(None, value)


class _Begun:
    """`setup` for mpire, which gives each worker a dictionary."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup

    def __call__(self, state: dict[str, Any]) -> None:
        state["opened"] = self._setup()
        state["client"] = state["opened"].__enter__()


class _Using:
    """`work(item, client)` for mpire."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def __call__(self, state: dict[str, Any], item: Any) -> Any:
        return self._work(item, state["client"])


def _end(state: dict[str, Any]) -> None:
    state["opened"].__exit__(None, None, None)


def _ended(setup: Setup | None) -> Callable[[dict[str, Any]], None] | None:
    return _end if setup else None


def pebble(
    work: Work,
    items: Iterable[Any],
    workers: int,
    timeout: float | None = None,
    setup: Setup | None = None,
) -> Iterator[Came]:
    """ProcessPool.schedule() with its timeout, and a window."""
    from pebble import ProcessPool

    function, begin = _begun(work, setup)
    with ProcessPool(workers, **begin) as processes:
        yield from _submitted(
            lambda item: processes.schedule(function, (item,), timeout=timeout),
            items,
            workers + WINDOW,
        )


def dask(
    work: Work,
    items: Iterable[Any],
    workers: int,
    timeout: float | None = None,
    setup: Setup | None = None,
) -> Iterator[Came]:
    """Client.submit() and as_completed(), with a window, on a cluster of its own."""
    from distributed import Client, LocalCluster, as_completed

    _refuse(timeout=timeout, setup=setup)
    with (
        LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as cluster,
        Client(cluster) as client,
    ):
        source, broken = iter(items), None
        kept: dict[Any, Any] = {}
        completed = as_completed()
        while True:
            try:
                for item in itertools.islice(source, workers + WINDOW - len(kept)):
                    future = client.submit(work, item, pure=False)
                    kept[future] = item
                    completed.add(future)
            except OSError as error:  # of the input
                broken, source = error, iter(())
            if not kept:
                break
            future = next(completed)
            yield _from_future(kept.pop(future), future)
    if broken is not None:
        raise broken


RUNNERS = {
    "threading": Runner("concgen, threading", "threads", own("threading")),
    "thread-submit": Runner("ThreadPoolExecutor.submit", "threads", submitted(_threads)),
    "thread-map": Runner("ThreadPoolExecutor.map", "threads", mapped(_threads)),
    "joblib-threads": Runner("joblib, threading", "threads", joblib("threading"), "joblib"),
    "asyncio": Runner("concgen, asyncio", "coroutines", own("asyncio")),
    "multiprocessing": Runner("concgen, multiprocessing", "processes", own("multiprocessing")),
    "hybrid": Runner("concgen, hybrid", "processes", own("hybrid")),
    "own-dask": Runner("concgen, dask", "processes", own("dask"), "distributed"),
    "pool": Runner("Pool.imap_unordered", "processes", pool),
    "process-submit": Runner("ProcessPoolExecutor.submit", "processes", submitted(_processes)),
    "process-map": Runner("ProcessPoolExecutor.map", "processes", mapped(_processes)),
    "loky": Runner("loky", "processes", submitted(_loky), "loky"),
    "joblib": Runner("joblib", "processes", joblib("loky"), "joblib"),
    "mpire": Runner("mpire", "processes", mpire, "mpire"),
    "pebble": Runner("pebble", "processes", pebble, "pebble"),
    "dask": Runner("Dask, Client.submit", "processes", dask, "distributed"),
}
