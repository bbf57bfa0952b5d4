"""A worker process and its pipe, from both sides. Its death harms no other worker.

Each worker has a pipe of its own and shares no lock, so killing it cannot block another. A
Ctrl-C in the terminal does not end it (the parent decides), and killing it kills the programs that
work() started too. It dies with its parent, however that dies.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.heap import BufferWrapper
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from typing import Any, cast

from .children import Family, start_method
from .failures import Failure, describe
from .job import Job
from .lifecycle import flush_files
from .machine import share_cores
from .messages import forward, show_record
from .prints import when_logging
from .task import EngineError, Task, Unavailable
from .workers import end_worker, signals_blocked, stand_alone

if sys.platform == "linux":
    import fcntl

Serve = Callable[..., None]  # a top-level function: serve(conn, clock, job, *arguments)
# How messages begin that are no replies: why the run ends, why the worker ends, a log record.
LAST_WORDS, CAUSE, RECORD = b"!", b"?", b"~"
NEVER = float("inf")
CLOCK = 16  # bytes: two doubles
# Pipes that Windows waits for at once: 64 handles in all. Python 3.13 waits in batches.
MOST = 63 if sys.platform == "win32" and sys.version_info < (3, 13) else sys.maxsize
_FORGET = atexit._clear
LAST_BREATH = 1.0  # seconds that a worker whose pipe has ended gets to exit


class WorkerProcess(ABC):
    """A worker process, as its parent sees it. It runs serve(conn, clock, job, *arguments).

    `clock` is memory that both share: two numbers whose meaning the engine defines, NEVER until the
    worker has begun to run tasks. It outlives the worker, and tells what the worker was doing.
    """

    assigned = 0  # tasks that it was given in all
    retired = False  # it was told to leave, and gets nothing more

    def __init__(
        self, serve: Serve, job: bytes, *arguments: Any, share: int, method: str | None
    ) -> None:
        """Start it. `job` comes from Job.pack(); `share` is how many workers share the cores."""
        self.verdict: Failure | None = None  # why it was killed, or has ended
        try:
            self._start(method or start_method(), serve, share, job, *arguments)
        except (OSError, EOFError) as exc:
            raise Unavailable(f"no process can be started: {describe(exc)}") from None

    def _start(self, method: str, serve: Serve, share: int, job: bytes, *arguments: Any) -> None:
        if method == "fork":
            flush_files()  # or the worker would write the same once more
        elif sys.platform != "win32":
            resource_tracker.ensure_running()  # here, because it would unblock the signals
        context: Any = multiprocessing.get_context(method)
        if method == "forkserver":
            _preload_no_script()
        self._shared = BufferWrapper(CLOCK)  # its memory is used again once this is dropped
        self.clock = self._shared.create_memoryview().cast("d")
        self.clock[0] = self.clock[1] = NEVER
        self.conn, child = context.Pipe()
        with child:  # closed here, so that the worker's death reads as the end of its pipe
            target = (serve, share, child, self._shared, job, *arguments)
            self.process = context.Process(target=main, args=target)
            with signals_blocked(), _exit_functions_kept():
                self.process.start()
        self._family = Family(self.process.pid)

    @abstractmethod
    def tasks(self) -> list[Task]:
        """What it was given and has not answered, oldest first."""

    def retire(self) -> None:
        """Let it tear down what setup() made, and leave."""
        self.retired = True
        with contextlib.suppress(OSError):  # it died: its pipe tells
            self.conn.send_bytes(b"")

    @property
    def open(self) -> bool:
        """Whether it may be given tasks."""
        return not (self.retired or self.verdict)

    @property
    def began(self) -> bool:
        """Whether it has started, imported work() and done its setup()."""
        return bool(self.clock[0] != NEVER)

    def kill(self) -> None:
        """End it, and the programs that work() started, now."""
        self._family.kill()
        self.process.kill()

    def bury(self) -> int | None:
        """Its pipe has ended: make sure that it is gone, and return the exit code."""
        self.conn.close()
        self.process.join(LAST_BREATH)
        self.kill()
        self.process.join()
        code: int | None = self.process.exitcode
        return code

    def position_of(self, place: float) -> int | None:
        """The position in the input of the item that it was at when it logged."""
        return int(place)

    def show(self, record: bytes) -> None:
        """Show a record that it has logged."""
        show_record(record[len(RECORD) :], self.position_of)


class SharedConnection:
    """A worker's end of its pipe: work() may log in several threads."""

    def __init__(self, conn: Connection) -> None:
        self._conn, self._lock = conn, threading.RLock()
        self._sending, self._late = False, deque[bytes]()
        self.recv_bytes = conn.recv_bytes

    def send_bytes(self, data: bytes) -> None:
        """Send a message as a whole."""
        with self._lock:
            self._late.append(data)
            if self._sending:  # a finalizer logs in the middle of a message: its record is next
                return
            self._sending = True
            try:
                while self._late:
                    self._conn.send_bytes(self._late.popleft())
            finally:
                self._sending = False

    def read_ahead(self) -> SimpleQueue[bytes]:
        """Read in a thread: while this process waits to send, the parent may wait to send, too."""
        messages: SimpleQueue[bytes] = SimpleQueue()
        threading.Thread(target=self._read, args=(messages,), daemon=True).start()
        return messages

    def _read(self, messages: SimpleQueue[bytes]) -> None:
        data = b""
        with contextlib.suppress(EOFError, OSError):  # the parent is gone
            while data := self.recv_bytes():
                messages.put(data)
        messages.put(b"")

    def send_records(self, job: Job, place: Callable[[], float | None]) -> None:
        """From now on, send what is logged here to the parent; `place` tells where in the work."""

        def send(record: bytes) -> None:
            self.send_bytes(RECORD + record)

        when_logging(lambda: forward(send, place, job.log_levels))


def _preload_no_script() -> None:
    """Let each worker import the script: since 3.14 the fork server would, once for all of them.

    They would get the same random numbers. A preload list that the user has set stays.
    """
    from multiprocessing import forkserver

    if getattr(forkserver._forkserver, "_preload_modules", None) == ["__main__"]:
        forkserver.set_forkserver_preload([])


@contextlib.contextmanager
def _exit_functions_kept() -> Iterator[None]:
    """Let a forked worker keep exit functions of work.py: since 3.14 multiprocessing drops them."""

    def forget_next_time() -> None:
        vars(atexit)["_clear"] = _FORGET

    vars(atexit)["_clear"] = forget_next_time
    try:
        yield
    finally:
        forget_next_time()


def main(
    serve: Serve, share: int, conn: Connection, shared: BufferWrapper, job: bytes, *arguments: Any
) -> None:
    """Run serve(conn, clock, job, *arguments) in this process, then end it."""
    stand_alone()
    _die_with_parent()
    share_cores(share)
    clock = shared.create_memoryview().cast("d")
    words, shared_conn = b"", SharedConnection(conn)
    try:
        serve(shared_conn, clock, _unpack(job), *arguments)
    except (EOFError, OSError):  # the parent is gone, or work() has closed the pipe
        pass
    except Unavailable as exc:
        words = CAUSE + str(exc).encode()
    except EngineError as exc:
        words = LAST_WORDS + str(exc).encode()
    except BaseException as exc:
        words = CAUSE + describe(exc).encode()
    with contextlib.suppress(OSError), conn:
        shared_conn.send_bytes(words)
    end_worker()


def _unpack(job: bytes) -> Job:
    try:
        return cast("Job", pickle.loads(job))  # noqa: S301  # from our own process
    except BaseException as exc:
        raise EngineError(f"a worker cannot import work(): {describe(exc)}") from None


def _die_with_parent() -> None:
    """End when the parent does, however it ends: its sentinel is a pipe, which is closed then."""
    parent = cast("BaseProcess", multiprocessing.parent_process())
    if sys.platform == "linux":
        _end_group_with(parent.sentinel)
        if wait([parent.sentinel], 0):
            os._exit(1)
    else:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_group_with(pipe: int) -> None:
    """Let the kernel end this process and those that it starts when the pipe is closed.

    It sends SIGIO, whose default action is to terminate, to the group: that ends even C code that
    holds the GIL, where a thread that waits for the parent would have no turn.
    """
    if sys.platform == "linux":
        signal.signal(signal.SIGIO, signal.SIG_DFL)
        fcntl.fcntl(pipe, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
