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

Deliver = Callable[[Any, BaseException | None], object]  # value, error


class JobThread(threading.Thread, ABC):
    """A thread with its own setup(), in a copy of the context that work.py was imported in.

    A daemon: one that hangs is left behind, and blocks no exit.
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
        if decimal := sys.modules.get("decimal"):  # the context holds an object that can change
            decimal.setcontext(decimal.getcontext().copy())
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
    """Wait for their teardown, TEARDOWN seconds in all. Raise what was wrong with one."""
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


class DaemonWorker(JobThread):
    """A thread that runs one item at a time, as they are submitted."""

    def __init__(self, job: Job) -> None:
        self._todo: SimpleQueue[tuple[Any, Deliver, int | None] | None] = SimpleQueue()
        self._told_to_leave = False
        super().__init__(job)

    def submit(self, item: Any, deliver: Deliver) -> None:
        """Run the item in the thread, which then calls deliver(value, error) there."""
        self._todo.put((item, deliver, CURRENT.get()))

    def leave(self) -> None:
        """Tear down what setup() made and end, after the present item."""
        self._todo.put(None)

    def run(self) -> None:
        """Serve until told to leave; when setup() fails, every item gets that error."""
        super().run()
        while self.failure is not None and (entry := self._next()) is not None:
            entry[1](None, self.failure)

    def _next(self) -> tuple[Any, Deliver, int | None] | None:
        entry = None if self._told_to_leave else self._todo.get()
        self._told_to_leave = entry is None
        return entry

    def serve(self, call: Call) -> None:
        """Run items one after the other."""
        while (entry := self._next()) is not None:
            item, deliver, position = entry
            CURRENT.set(position)
            value, error = None, None
            try:
                value = call(item)
            except BaseException as exc:
                error = exc
            deliver(value, error)
