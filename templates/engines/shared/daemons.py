"""Daemon threads with the job opened in them, for calls that may hang or block."""

from __future__ import annotations

import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from .failures import describe
from .task import CURRENT, TEARDOWN, EngineError, Unavailable

if TYPE_CHECKING:
    from .job import Call, Job

Run = Callable[["Call"], Any]  # with the call(item) of a thread
Deliver = Callable[[Any, BaseException | None], object]  # value, error


class JobThread(threading.Thread, ABC):
    """A thread with its own setup(), in a copy of the context that work.py was imported in.

    A daemon: a thread that hangs is left behind, and does not block the exit.
    """

    def __init__(self, job: Job) -> None:
        super().__init__(daemon=True)
        self.job = job
        self.failure: EngineError | None = None  # of setup(), or of the teardown
        try:
            self.start()
        except RuntimeError as exc:
            raise Unavailable(f"no thread can be started: {exc}") from None

    def run(self) -> None:
        """Open the job and serve, until told to leave."""
        self.job.context.copy().run(self._open)

    def _open(self) -> None:
        if "decimal" in sys.modules:  # its context can change: each thread has a copy
            from decimal import getcontext, setcontext  # waits for a thread that is importing it

            setcontext(getcontext().copy())
        try:
            with self.job.open() as call:
                self.serve(call)
                CURRENT.set(None)
        except EngineError as exc:
            self.failure = exc
        except BaseException as exc:
            self.failure = EngineError(f"a thread has failed: {describe(exc)}")

    @abstractmethod
    def serve(self, call: Call) -> None:
        """Run tasks until told to leave."""


def join_all(threads: Sequence[JobThread]) -> None:
    """Wait for their teardown, TEARDOWN seconds in all. Raise the failure of a thread."""
    end = time.monotonic() + TEARDOWN
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
        if thread.failure is not None:
            raise thread.failure
    if late := sum(thread.is_alive() for thread in threads):
        raise EngineError(
            f"the teardown after setup() still runs after {TEARDOWN:g} s in {late} of "
            f"{len(threads)} threads: they are left behind"
        )


class DaemonPool:
    """Threads for calls that may hang: one for each running call, kept for later calls."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.idle: list[DaemonWorker] = []

    def submit(self, run: Run, deliver: Deliver) -> Callable[[], None]:
        """Do run(call) in a thread, which then calls deliver(value, error) there.

        Return a function that gives the call up: nothing is delivered, and the thread ends after.
        """
        claim = [deliver]
        try:
            worker = self.idle.pop()
        except IndexError:
            worker = DaemonWorker(self)
        worker.todo.put((CURRENT.get(), run, claim))
        return claim.clear

    def close(self) -> None:
        """Tear down what setup() made in idle threads; the others are left behind."""
        for worker in self.idle:
            worker.todo.put(None)
        join_all(self.idle)


class DaemonWorker(JobThread):
    """A thread of a DaemonPool. If its setup() fails, the first call gets the error."""

    def __init__(self, pool: DaemonPool) -> None:
        self._pool = pool
        self._opened = False
        # Position, what to run, and a list of `deliver`, which is empty once the call is given up.
        self.todo: SimpleQueue[tuple[int | None, Run, list[Deliver]] | None] = SimpleQueue()
        super().__init__(pool.job)

    def run(self) -> None:
        super().run()
        if self.failure is not None and not self._opened and (entry := self.todo.get()):
            for deliver in entry[2]:
                deliver(None, self.failure)

    def serve(self, call: Call) -> None:
        """Run the calls that are queued, one after the other."""
        self._opened = True
        while (entry := self.todo.get()) is not None:
            position, run, claim = entry
            CURRENT.set(position)
            value, error = None, None
            try:
                value = run(call)
            except BaseException as exc:
                error = exc
            try:
                deliver = claim.pop()  # atomic: either it is delivered, or it was given up
            except IndexError:
                return
            self._pool.idle.append(self)
            deliver(value, error)
