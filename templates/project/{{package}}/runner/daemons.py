"""DaemonPool: daemon threads that run one item at a time, for calls that may hang or block."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from .task import EngineError, describe

if TYPE_CHECKING:
    import asyncio

    from .job import Job

Deliver = Callable[[Any, BaseException | None], object]  # value, error


class DaemonWorker(threading.Thread):
    """A daemon thread with the job opened in it. One that hangs is dropped; it blocks no exit."""

    def __init__(self, job: Job) -> None:
        super().__init__(daemon=True)
        self._job = job
        self._todo: SimpleQueue[tuple[Any, Deliver] | None] = SimpleQueue()
        self.start()

    def submit(self, item: Any, deliver: Deliver) -> None:
        """Run the item in the lane, which then calls deliver(value, error) there."""
        self._todo.put((item, deliver))

    def leave(self) -> None:
        """Tear down what setup() made and end, after the present item."""
        self._todo.put(None)

    def run(self) -> None:
        """Serve until told to leave; when setup() fails, every item gets that error."""
        try:
            with self._job.open() as call:
                while (entry := self._todo.get()) is not None:
                    item, deliver = entry
                    value, error = None, None
                    try:
                        value = call(item)
                    except BaseException as exc:
                        error = exc
                    deliver(value, error)
        except EngineError as exc:
            while (entry := self._todo.get()) is not None:
                entry[1](None, exc)


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
        for lane in self._free:
            lane.join(1.0)

    async def _call(self, item: Any) -> Any:
        import asyncio

        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        lane = self._free.pop() if self._free else DaemonWorker(self._job)

        def settle(value: Any, error: BaseException | None) -> None:
            if future.cancelled():
                lane.leave()  # it overran its timeout, and another has taken its place
                return
            self._free.append(lane)
            if error is None:
                future.set_result(value)
            elif isinstance(error, Exception) and not isinstance(error, StopIteration):
                future.set_exception(error)
            else:  # SystemExit and its like would end the event loop
                future.set_exception(RuntimeError(describe(error)))

        def deliver(value: Any, error: BaseException | None) -> None:
            try:
                loop.call_soon_threadsafe(settle, value, error)
            except RuntimeError:  # the loop is closed, and nobody waits
                lane.leave()

        lane.submit(item, deliver)
        return await future
