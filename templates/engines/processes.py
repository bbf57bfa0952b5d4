"""A worker process and its pipe: started so that nothing it does, and nothing done to it, spreads.

Each worker has a pipe of its own and shares no lock, so killing one cannot wedge another. It leads
a process group of its own, so Ctrl-C in the terminal does not reach it (the parent decides), and
killing it kills the programs that work() started too. It dies with its parent, however that dies.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from multiprocessing import resource_tracker
from multiprocessing.heap import BufferWrapper
from typing import Any

from .child import SIGNALS, Serve, main

NEVER = float("inf")
CLOCK = 16  # bytes: two doubles
LEAVING = 5.0  # seconds that idle workers get for the teardown after setup()
LAST_BREATH = 1.0  # seconds that a worker whose pipe has ended gets to exit


def start_method() -> str:
    """Where it is safe fork, for it starts in a third of the time; otherwise a clean process.

    Safe is: Linux, this process has one thread (a lock that another thread holds stays locked in
    the child), and no extension module but Python's own is loaded (NumPy would give each child
    the same random numbers, and other libraries keep threads and sockets).
    """
    if sys.platform != "linux":
        return "spawn"
    foreign = (
        name
        for name, module in list(sys.modules.items())
        if str(getattr(module, "__file__", "")).endswith(tuple(EXTENSION_SUFFIXES))
        and name.partition(".")[0] not in sys.stdlib_module_names
    )
    one_thread = len(os.listdir("/proc/self/task")) == 1
    return "fork" if one_thread and next(foreign, None) is None else "forkserver"


class Worker:
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
        self.verdict = ""  # why it was killed
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


def dismiss(workers: Iterable[Worker], busy: Callable[[Any], bool]) -> None:
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
