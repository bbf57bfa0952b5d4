"""A client of the cluster at an address, or of a cluster that is started on this machine."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, wait
from multiprocessing import active_children, resource_tracker
from typing import TYPE_CHECKING, Any, cast

from .failures import describe
from .task import EngineError
from .workers import signals_blocked

if TYPE_CHECKING:  # the import takes half a second, and `--help` does without
    from distributed import Client, LocalCluster
    from tornado.ioloop import IOLoop

CONNECTING = 10.0  # seconds for the scheduler to answer
MARGIN = 1.0  # seconds more for Dask to report itself that there is none
ANSWERING = 30.0  # seconds for the scheduler to say which workers there are
STARTING = 60.0  # seconds for the workers here to start: then those that hang are killed
TOGETHER = 32  # workers that surely start in that time
IMPORTING = 300.0  # seconds for the workers to import work.py
LEAVING = 5.0  # seconds for each step of the end, except the teardown after setup()
STARTS = 3  # attempts to start a cluster here, until the run ends
MENDING = 1.0  # seconds between two looks at whether workers here have to be replaced
# They print tracebacks and warnings, each at a level of its own.
LOGGERS = (
    *("distributed", "distributed.client", "distributed.gc"),
    *("tornado", "tornado.application", "asyncio"),
)

# Runs of this program that have a cluster here: their workers look alike.
_open: set[object] = set()
Kill = Callable[[Collection[str]], None]  # of the workers with these addresses


@contextlib.contextmanager
def connect(address: str | None, workers: int) -> Iterator[tuple[Client, Kill]]:
    """Yield a client and a way to kill workers; without an address, of `workers` processes here."""
    for logger in LOGGERS:  # what goes wrong is said by us, or is in the outcomes
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    with _remote(address) if address else _alone(workers) as connected:
        yield connected


@contextlib.contextmanager
def _alone(workers: int) -> Iterator[tuple[Client, Kill]]:
    """Yield a client of a cluster on this machine; afterwards no process of it is left."""
    before, run = active_children(), object()
    _open.add(run)

    def end_all() -> None:
        """Kill what was started here, unless another run may have started some of it.

        A worker that hangs as it starts has SIGTERM still blocked, and Dask would wait for it.
        """
        for child in () if _open - {run} else set(active_children()).difference(before):
            if child.name.startswith("Dask"):
                child.kill()

    try:
        with _embedded(workers, end_all) as connected:
            yield connected
    finally:
        end_all()
        _open.remove(run)


@contextlib.contextmanager
def _remote(address: str) -> Iterator[tuple[Client, Kill]]:
    """Yield a client of the cluster there. Its workers cannot be killed from here."""
    from distributed import Client
    from distributed.comm.addressing import resolve_address

    try:
        resolve_address(address)  # a client that fails on it prints a traceback as it is dropped
        options = {"timeout": CONNECTING, "set_as_default": False}
        client = within(CONNECTING + MARGIN, Client, address, **options)
    except Exception as exc:
        raise EngineError(f"no scheduler at {address}: {describe(exc)}") from None
    try:
        yield client, lambda _: None
    finally:
        with contextlib.suppress(Exception):
            within(LEAVING, client.close)


@contextlib.contextmanager
def _embedded(workers: int, end_all: Callable[[], None]) -> Iterator[tuple[Client, Kill]]:
    """A client of a cluster on this machine, which ends with it; and a way to kill its workers."""
    from distributed import Client
    from tornado.ioloop import PeriodicCallback

    cluster = _start(workers, end_all)
    mending = PeriodicCallback(lambda: _mend(cluster, workers), 1000 * MENDING)
    loop = cast("IOLoop", cluster.loop)  # there is one while the cluster is open
    loop.add_callback(mending.start)

    def kill(addresses: Collection[str]) -> None:
        loop.add_callback(mending.stop)
        for nanny in cluster.workers.values():
            if nanny.worker_address in addresses:
                nanny.close_gracefully()  # it does not start another
                _kill(nanny.pid)

    client = Client(cluster, set_as_default=False)
    try:
        yield client, kill
    finally:
        with contextlib.suppress(Exception):
            within(LEAVING, client.close)
        kill([nanny.worker_address for nanny in cluster.workers.values()])
        end_all()
        with contextlib.suppress(Exception):  # the results are there, whatever hangs
            within(LEAVING + MARGIN, cluster.close, timeout=LEAVING)


def _start(workers: int, end_all: Callable[[], None], starts: int = STARTS) -> LocalCluster:
    """Start a cluster here; again when a worker dies as it starts, for Dask gives up then."""
    from distributed import LocalCluster

    if sys.platform != "win32":
        resource_tracker.ensure_running()  # here, because it would unblock the signals
    try:
        with signals_blocked(), _unless_done_in(STARTING * max(1.0, workers / TOGETHER), end_all):
            return LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                memory_limit=0,  # as with any other model: the machine's
                silence_logs=logging.CRITICAL,
            )
    except Exception as exc:
        if starts > 1:
            return _start(workers, end_all, starts - 1)
        raise EngineError(f"no cluster could be started here: {describe(exc)}") from None


def _mend(cluster: LocalCluster, workers: int) -> None:
    """Replace workers that were killed as they started: Dask gives those up."""
    from distributed import Status

    for name, nanny in list(cluster.workers.items()):
        if nanny.status in (Status.closing, Status.closed, Status.failed):
            del cluster.workers[name]
    cluster.scale(workers)


def _kill(pid: int | None) -> None:
    """End a worker, and the programs that work() started, now."""
    if pid is None:  # it is gone
        return
    if sys.platform == "win32":
        os.kill(pid, signal.SIGTERM)
        return
    for kill in (os.killpg, os.kill):  # it may not lead its group yet
        with contextlib.suppress(ProcessLookupError):
            kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def _unless_done_in(seconds: float, call: Callable[[], None]) -> Iterator[None]:
    """Call `call` if the block takes longer."""
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def within(seconds: float, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call `call`; raise TimeoutError if it takes longer: Dask's own waits may have no end."""
    reply: Future[Any] = Future()

    def attempt() -> None:
        try:
            reply.set_result(call(*arguments, **options))
        except BaseException as exc:
            reply.set_exception(exc)

    threading.Thread(target=attempt, daemon=True).start()
    if not wait([reply], seconds).done:
        raise TimeoutError(f"no answer in {seconds:g} s")
    return reply.result()
