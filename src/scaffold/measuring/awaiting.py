"""Calls of an `async def`, one after another on an event loop that is watched.

Runs in the child process that measures (`probe`), with the standard library alone.

Awaited one by one, every wait of the function costs a turn of the event loop. With many in flight
a turn serves many of them, and a loop with nothing else to do loses nothing by it. So the CPU time
that the loop takes to wait for events is no part of the function's.
"""

from __future__ import annotations

import asyncio
import selectors
import sys
import time
from collections.abc import Coroutine, Generator
from typing import Any

from scaffold.measuring.calls import Calls, Waking


def call_async(job: Any, calls: Calls, until: float, most: float, waiting: float) -> float:
    """Await the calls one after another; return the longest time that a call blocked the loop."""
    steps = _Steps()

    async def stepped() -> None:
        async with job.aopen(1) as call:
            await calls.run_async(lambda item: _Stepped(call(item), steps), until, most, waiting)

    calls.polling += run(stepped())
    calls.stepping = (calls.stepping or 0.0) + steps.cpu
    return steps.longest


def waking(times: int, seconds: float) -> Waking:
    """Return the CPU seconds of a sleep of `seconds`, without the loop's waiting."""
    cpu, steps = 0.0, _Steps()

    async def naps() -> None:
        nonlocal cpu
        began = time.thread_time()
        for _ in range(times):
            await _Stepped(asyncio.sleep(seconds), steps)
        cpu = time.thread_time() - began

    polling = run(naps())
    return Waking((cpu - polling) / times, steps.cpu / times)


def run(coroutine: Coroutine[Any, Any, None]) -> float:
    """Run to the end; return the CPU seconds that the loop took to wait for events."""
    polling = _Polling()
    if sys.platform == "win32":  # its event loop has no selector to watch
        asyncio.run(coroutine)
    else:
        with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(polling)) as runner:
            runner.run(coroutine)
    return polling.cpu


class _Polling(selectors.DefaultSelector):
    """The usual selector, which also adds up the CPU time that it takes."""

    def __init__(self) -> None:
        super().__init__()
        self.cpu = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        began = time.thread_time()
        try:
            return super().select(timeout)
        finally:
            self.cpu += time.thread_time() - began


class _Steps:
    """What the steps of some coroutines took: CPU seconds in all, and the longest in seconds."""

    def __init__(self) -> None:
        self.cpu = self.longest = 0.0


class _Stepped:
    """Awaits a coroutine and notes how long each of its steps takes."""

    def __init__(self, coroutine: Any, steps: _Steps) -> None:
        self._coroutine, self._steps = coroutine, steps

    def __await__(self) -> Generator[Any, Any, Any]:
        steps, value, error = self._coroutine.__await__(), None, None
        while True:
            began, cpu = time.perf_counter(), time.thread_time()
            try:
                waiting = steps.send(value) if error is None else steps.throw(error)
            except StopIteration as end:
                return end.value
            finally:
                self._steps.cpu += time.thread_time() - cpu
                self._steps.longest = max(self._steps.longest, time.perf_counter() - began)
            value, error = None, None
            try:
                value = yield waiting
            except BaseException as thrown:
                error = thrown
