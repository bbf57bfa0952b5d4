"""Daemon threads with the job opened in them, for calls that may hang or block."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from .task import TEARDOWN, EngineError, Unavailable, describe

if TYPE_CHECKING:
    import asyncio

    from .job import Call, Job

Deliver = Callable[[Any, BaseException | None], object]  # value, error


class JobThread(threading.Thread):
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
            raise Unavailable(f"no thread can be had: {exc}") from None

    def run(self) -> None:
        """Open the job and serve, until told to leave."""
        self.job.context.copy().run(self._open)

    def _open(self) -> None:
        if decimal := sys.modules.get("decimal"):  # the context holds an object that can change
            decimal.setcontext(decimal.getcontext().copy())
        try:
            with self.job.open() as call:
                self.serve(call)
        except EngineError as exc:
            self.failure = exc
        except BaseException as exc:
            self.failure = EngineError(f"a thread has failed: {describe(exc)}")

    def serve(self, call: Call) -> None:
        """Run tasks until told to leave."""
        raise NotImplementedError


def join_all(threads: Sequence[JobThread]) -> None:
    """Wait for their teardown, TEARDOWN seconds in all. Raise what was wrong with one."""
    end = time.monotonic() + TEARDOWN
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
        if thread.failure is not None:
            raise thread.failure
    if late := sum(thread.is_alive() for thread in threads):
        raise EngineError(
            f"the teardown after setup() goes on after {TEARDOWN:g} s in {late} of {len(threads)} "
            "threads: they are left behind"
        )


class DaemonWorker(JobThread):
    """A thread that runs one item at a time, as they are submitted."""

    def __init__(self, job: Job) -> None:
        self._todo: SimpleQueue[tuple[Any, Deliver] | None] = SimpleQueue()
        self._told_to_leave = False
        super().__init__(job)

    def submit(self, item: Any, deliver: Deliver) -> None:
        """Run the item in the thread, which then calls deliver(value, error) there."""
        self._todo.put((item, deliver))

    def leave(self) -> None:
        """Tear down what setup() made and end, after the present item."""
        self._todo.put(None)

    def run(self) -> None:
        """Serve until told to leave; when setup() fails, every item gets that error."""
        super().run()
        while self.failure is not None and (entry := self._next()) is not None:
            entry[1](None, self.failure)

    def _next(self) -> tuple[Any, Deliver] | None:
        entry = None if self._told_to_leave else self._todo.get()
        self._told_to_leave = entry is None
        return entry

    def serve(self, call: Call) -> None:
        """Item after item."""
        while (entry := self._next()) is not None:
            item, deliver = entry
            value, error = None, None
            try:
                value = call(item)
            except BaseException as exc:
                error = exc
            deliver(value, error)


class DaemonPool:
    """Threads for a `def work` in an event loop: one per call in flight, kept for the next call."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._free: list[DaemonWorker] = []

    def __enter__(self) -> Callable[[Any], Awaitable[Any]]:
        return self._call

    def __exit__(self, *_: object) -> None:
        for lane in self._free:
            lane.leave()
        join_all(self._free)

    async def _call(self, item: Any) -> Any:
        import asyncio

        loop = asyncio.get_running_loop()
        future: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()
        lane = self._free.pop() if self._free else DaemonWorker(self._job)

        def settle(value: Any, error: BaseException | None) -> None:
            if future.cancelled():
                lane.leave()  # it overran its timeout, and another has taken its place
                return
            if lane.failure is None:
                self._free.append(lane)
            future.set_result((value, error))

        def deliver(value: Any, error: BaseException | None) -> None:
            try:
                loop.call_soon_threadsafe(settle, value, error)
            except RuntimeError:  # the loop is closed, and nobody waits
                lane.leave()

        lane.submit(item, deliver)
        value, error = await future
        if error is not None:
            raise error
        return value
