"""A worker process and its pipe, from both sides: nothing it does, or that is done to it, spreads.

Each worker has a pipe of its own and shares no lock, so killing one cannot wedge another. It leads
a process group of its own, so Ctrl-C in the terminal does not reach it (the parent decides), and
killing it kills the programs that work() started too. It dies with its parent, however that dies.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.heap import BufferWrapper
from multiprocessing.process import BaseProcess
from typing import Any, cast

from .job import Job
from .machine import share_cores, start_method
from .task import EngineError, Failure, describe

if sys.platform == "linux":
    import fcntl

Serve = Callable[..., None]  # a top-level function: serve(conn, clock, job, *arguments)
LAST_WORDS = b"!"  # begins a reply that tells why the run cannot go on; a pickle begins otherwise
SIGNALS = {signal.SIGINT, signal.SIGTERM}  # the parent decides what becomes of them
NEVER = float("inf")
CLOCK = 16  # bytes: two doubles
LEAVING = 5.0  # seconds that idle workers get for the teardown after setup()
LAST_BREATH = 1.0  # seconds that a worker whose pipe has ended gets to exit


class WorkerProcess:
    """A worker process, as its parent sees it. In it runs serve(conn, clock, job, *arguments).

    `clock` is memory that both share: two numbers that the engine gives a meaning, NEVER until the
    worker has begun to run tasks. It outlives the worker, and tells what that was doing.
    """

    def __init__(
        self, serve: Serve, job: bytes, *arguments: Any, share: int, method: str | None
    ) -> None:
        """Start it. `job` comes from Job.pack(); `share` is how many workers share the cores."""
        method = method or start_method()
        if method != "fork":
            resource_tracker.ensure_running()  # here, because it would unblock the signals
        context: Any = multiprocessing.get_context(method)
        self._shared = BufferWrapper(CLOCK)  # its memory is used again once this is dropped
        self.clock = self._shared.create_memoryview().cast("d")
        self.clock[0] = self.clock[1] = NEVER
        self.verdict: Failure | None = None  # why it was killed
        self.conn, child = context.Pipe()
        target = (serve, share, child, self._shared, job, *arguments)
        self.process = context.Process(target=main, args=target)
        with _signals_blocked():
            self.process.start()
        child.close()  # so that the worker's death reads as the end of its pipe

    @property
    def began(self) -> bool:
        """It started, imported work() and did its setup()."""
        return bool(self.clock[0] != NEVER)

    def kill(self) -> None:
        """End it, and the programs that work() started, now."""
        if sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError):  # it does not lead its group yet
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()

    def bury(self) -> int | None:
        """Its pipe has ended: make sure that it is gone, and return the exit code."""
        self.conn.close()
        self.process.join(LAST_BREATH)
        self.kill()
        self.process.join()
        code: int | None = self.process.exitcode
        return code


def dismiss(workers: Iterable[WorkerProcess], busy: Callable[[Any], bool]) -> None:
    """Let the idle ones tear down and leave, kill the busy ones; return when all are gone."""
    workers = list(workers)
    for worker in workers:
        if busy(worker):
            worker.kill()
        else:
            with contextlib.suppress(OSError):  # it died meanwhile
                worker.conn.send_bytes(b"")
    end = time.monotonic() + LEAVING
    for worker in workers:
        worker.process.join(max(0.0, end - time.monotonic()))
        worker.kill()
        worker.process.join()
        worker.conn.close()


def exit_reason(code: int | None) -> str:
    """An exit code in words."""
    if code is None or code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"{name} (out of memory?)" if name == "SIGKILL" else name


@contextlib.contextmanager
def _signals_blocked() -> Iterator[None]:
    """A Ctrl-C while a worker starts waits, there and here, until somebody handles it."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def main(
    serve: Serve, share: int, conn: Connection, shared: BufferWrapper, job: bytes, *arguments: Any
) -> None:
    """Run serve(conn, clock, job, *arguments) in this process, then end it."""
    _stand_alone()
    share_cores(share)
    clock = shared.create_memoryview().cast("d")
    with contextlib.suppress(EOFError, OSError):  # the parent is gone
        try:
            serve(conn, clock, _unpack(job), *arguments)
        except EngineError as exc:
            conn.send_bytes(LAST_WORDS + str(exc).encode())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # however it was started, and whatever threads work() has left


def _unpack(job: bytes) -> Job:
    try:
        return cast("Job", pickle.loads(job))  # noqa: S301  # from our own process
    except Exception as exc:
        raise EngineError(f"a worker cannot import work(): {describe(exc)}") from None


def _stand_alone() -> None:
    """Signals and process group of a worker, before it runs anything of the user's."""
    for number in SIGNALS:  # a function: a program that work() starts gets the default back
        signal.signal(number, lambda *_: None)
    if sys.platform != "win32":
        os.setpgid(0, 0)
    _die_with_parent()
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def _die_with_parent() -> None:
    """End when the parent does, however it ends: the pipe from it then reads as at its end."""
    parent = cast("BaseProcess", multiprocessing.parent_process())
    if sys.platform != "linux":
        threading.Thread(target=_outlive, args=(parent,), daemon=True).start()
        return
    # The kernel sends SIGIO to the group then, even in C code that holds the GIL, and the default
    # action of that is to terminate.
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(parent.sentinel, fcntl.F_SETOWN, -os.getpgrp())
    flags = fcntl.fcntl(parent.sentinel, fcntl.F_GETFL)
    fcntl.fcntl(parent.sentinel, fcntl.F_SETFL, flags | os.O_ASYNC)
    if wait([parent.sentinel], 0):
        os._exit(1)


def _outlive(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
