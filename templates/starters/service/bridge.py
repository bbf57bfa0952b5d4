"""Between a web server and the engine: items come one by one, and each gets its answer.

    submit(item) ──▶ queue ──▶ the engine, in a thread of its own ──▶ outcomes ──▶ futures

The engine is that of `run`, for every model: it handles timeouts, retries and workers that die. For
the engine, the queue is an input that may have nothing for a while, like a pipe.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from typing import Any

from .runner.failures import describe
from .runner.limits import Ready
from .runner.task import GRACE, Burst, EngineError, Numbered, Outcome, Retry

QUEUE = 8  # items that may wait for a worker: enough that none is idle, few enough to be soon done


class Bridge:
    """The engine behind a queue. All but the engine's thread belongs to one event loop."""

    def __init__(self, ready: Ready, timeout: float | None, retries: int) -> None:
        self._ready, self._timeout, self._retry = ready, timeout, Retry(retries)
        self.capacity = ready.workers + QUEUE
        self.failure: str | None = None  # why the engine has ended, if it was not told to
        self._todo: SimpleQueue[Numbered | None] = SimpleQueue()
        self._waiting: dict[int, asyncio.Future[Outcome[Any, Any]]] = {}
        self._count = 0
        self._stop, self._closing = threading.Event(), False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def open(self) -> None:
        """Start the engine; answers come to the event loop that runs now."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    @property
    def in_flight(self) -> int:
        """Items without an answer yet, running or waiting for a worker."""
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """No room for another item."""
        return len(self._waiting) >= self.capacity

    async def answer(self, item: Any) -> Outcome[Any, Any]:
        """What became of the item. Raises EngineError when the engine has ended."""
        if self.failure is not None:
            raise EngineError(self.failure)
        number = self._count
        self._count += 1
        future: asyncio.Future[Outcome[Any, Any]] = self._loop.create_future()
        self._waiting[number] = future
        self._todo.put((number, item))
        return await future

    def close(self) -> None:
        """Let the engine end; tasks that nobody waits for any more get GRACE seconds."""
        self._closing = True
        self._todo.put(None)
        if self._waiting:
            self._stop.set()
        self._thread.join(2 * GRACE)

    def _run(self) -> None:
        """Run the engine, in its thread."""
        error = "the engine has ended"
        try:
            bursts = self._ready.start(
                self._items(), timeout=self._timeout, retry=self._retry, stop=self._stop
            )
            for burst in bursts:
                self._loop.call_soon_threadsafe(self._settle, burst)
        except BaseException as exc:  # whatever it is, nobody waits for ever
            error = str(exc) if isinstance(exc, EngineError) else describe(exc)
        if not self._closing:
            self._loop.call_soon_threadsafe(self._fail, error)

    def _items(self) -> Iterator[Numbered | None]:
        """In the engine's thread: yield items as they come; None while there is none."""
        while True:
            try:
                numbered = self._todo.get_nowait()
            except Empty:
                yield None
                continue
            if numbered is None:
                return
            yield numbered

    def _settle(self, burst: Burst) -> None:
        for outcome in burst:
            future = self._waiting.pop(outcome.id)
            if not future.done():  # its client may have left
                future.set_result(outcome)

    def _fail(self, error: str) -> None:
        self.failure = error
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(EngineError(error))
        self._waiting.clear()
