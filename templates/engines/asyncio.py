"""Asyncio engine: await work(item) for many items at once, for many concurrent waits.

    items ──▶ Backlog ──▶ up to N coroutines, each: take, await work(item), record ──▶ outcomes
                 ▲                                          │        ▲
                 └──────────────── retries ◀────────────────┘     watchdog

N coroutines share one backlog, and one watchdog looks after all of them: no task, no timer and no
lock per item. run() is an ordinary generator. It runs the event loop until outcomes are there and
hands them over, so the caller looks the same for every engine.

A hung item is cancelled after `timeout`; one that swallows the cancellation is abandoned and said
so; one that blocks the whole event loop is interrupted by SIGALRM (Unix, main thread).
"""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import cast

from .job import Call, Job
from .task import (
    NO_RETRY,
    TICK,
    Backlog,
    EngineError,
    Numbered,
    Outcome,
    Retry,
    Stop,
    Task,
    describe,
    say,
)

MODEL = "asyncio"
BURST = 0.005  # seconds: outcomes are handed over together, so that tiny tasks cost little
LEAVING = 1.0  # seconds that cancelled coroutines, and the teardown after setup(), get at the end
BLOCKED = 1.0  # seconds without a turn for the watchdog that are worth a warning


class Crowd:
    """The coroutines, what they are busy with, and the outcomes not yet handed over."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, backlog: Backlog, size: int, timeout: float | None
    ) -> None:
        self._loop, self._backlog, self._size, self._timeout = loop, backlog, size, timeout
        self._window = max(2 * size, 1024)  # outcomes that may wait for a slow consumer
        self._room = asyncio.Event()
        self._busy: dict[asyncio.Task[None], tuple[float, Task]] = {}  # since when, with what
        self._late: set[asyncio.Task[None]] = set()  # cancelled by the watchdog
        self._tasks: set[asyncio.Task[None]] = set()
        self._abandoned: set[asyncio.Task[None]] = set()  # they swallow cancellations
        self._outcomes: list[Outcome] = []
        self._warned = self._over = False
        self._turn = loop.time()  # the watchdog's last
        self._closing = asyncio.Event()
        self._call: Call
        self._failure: EngineError | None = None
        self.rearm: Callable[[], object] = lambda: None  # set off the alarm anew

    def open(self, job: Job) -> None:
        """Run setup(). One task enters and leaves it, as task groups and cancel scopes demand."""

        async def host() -> None:
            async with job.aopen(self._size) as self._call:
                opened.set()
                await self._closing.wait()

        opened = asyncio.Event()
        self._host = self._loop.create_task(host())
        ready = self._loop.create_task(opened.wait())
        first = asyncio.wait([self._host, ready], return_when=asyncio.FIRST_COMPLETED)
        self._loop.run_until_complete(first)
        if self._host.done():
            ready.cancel()
            self._host.result()  # raises what setup() raised

    def bursts(self) -> Iterator[list[Outcome]]:
        """Run the event loop, and leave it whenever there is something to hand over."""
        self._watch()
        while self._tasks or self._outcomes or not self._backlog.empty:
            self._loop.run_forever()
            burst, self._outcomes = self._outcomes, []
            self._room.set()
            if burst:
                yield burst
                self._turn = self._loop.time()  # the consumer's time is not the watchdog's business
            if self._failure is not None:
                raise self._failure
            if self._backlog.overdue():
                return

    def _hire(self) -> None:
        task = self._loop.create_task(self._serve())
        self._tasks.add(task)
        task.add_done_callback(self._retire)

    def _retire(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not self._tasks:  # nothing to do, for now or for good
            self._pause()

    def _pause(self) -> None:
        """Leave the event loop, to hand over outcomes or to end."""
        if not self._over:
            self._loop.stop()

    async def _serve(self) -> None:
        me = cast("asyncio.Task[None]", asyncio.current_task())
        try:
            while me in self._tasks and (tasks := self._backlog.take(1)):
                if len(self._tasks) < self._size:
                    self._hire()
                outcomes = await self._attempt(me, tasks[0])
                if me in self._tasks:  # otherwise it was abandoned, and reported
                    self._record(outcomes)
                while len(self._outcomes) >= self._window:
                    self._room.clear()
                    self._pause()
                    await self._room.wait()
        except EngineError as exc:
            self._failure = exc
            self._pause()

    async def _attempt(self, me: asyncio.Task[None], task: Task) -> list[Outcome]:
        index, item, attempt = task
        began = self._loop.time()
        self._busy[me] = began, task
        value, error = None, None
        try:
            value = await self._call(item)
        except EngineError:
            raise
        except asyncio.CancelledError as exc:
            if me not in self._late and me.cancelling():
                raise  # the engine itself is closing
            error = describe(exc)
        except (Exception, SystemExit) as exc:
            error = describe(exc)
        seconds = self._loop.time() - began
        self._busy.pop(me, None)
        if me in self._late:
            self._late.discard(me)
            me.uncancel()
            error = f"timeout after {self._timeout:g} s"
        if error is None:
            return [Outcome(index, item, value, None, seconds, attempt)]
        return self._backlog.failed(task, error, seconds)

    def _record(self, outcomes: list[Outcome]) -> None:
        if outcomes and not self._outcomes:
            self._loop.call_later(BURST, self._pause)
        self._outcomes += outcomes

    def _watch(self) -> None:
        """The watchdog: every tick, look at stop signal, timeouts, due retries and a slow input."""
        if self._over:
            return
        now = self._loop.time()
        blocked = now - self._turn - TICK
        self._turn = now
        self.rearm()
        if blocked > BLOCKED and not self._warned:
            self._warned = True
            say(f"work() blocked the event loop for {blocked:.1f} s: everything else waited")
        if self._timeout and blocked < TICK:  # otherwise let those go on that can
            self._cancel_overdue(now, self._timeout)
        if self._backlog.overdue():
            self._pause()
        if len(self._tasks) < self._size:
            self._hire()
        tick = min(self._backlog.patience, (self._timeout or TICK) / 4)
        self._loop.call_later(tick, self._watch)

    def _cancel_overdue(self, now: float, timeout: float) -> None:
        for me, (since, task) in list(self._busy.items()):
            if now - since > timeout and me not in self._late:
                self._late.add(me)
                me.cancel()
            elif now - since > 2 * timeout:  # it swallowed the cancellation
                del self._busy[me]
                self._tasks.discard(me)
                self._abandoned.add(me)
                error = f"timeout after {timeout:g} s, and it would not be cancelled"
                self._record(self._backlog.failed(task, error, now - since))

    def interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        """Of SIGALRM: the watchdog did not get its turn."""
        self.rearm()
        if asyncio.current_task(self._loop) in self._busy:
            raise TimeoutError(f"timeout: it blocked the event loop for {self._timeout:g} s")

    def close(self) -> None:
        """Cancel what still runs, and give it and the teardown LEAVING seconds each."""
        self._over = True
        running = self._tasks | self._abandoned
        for task in running:
            task.cancel()
        if running:
            self._loop.run_until_complete(asyncio.wait(running, timeout=LEAVING))
        self._closing.set()
        self._loop.run_until_complete(asyncio.wait([self._host], timeout=LEAVING))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.set_exception_handler(lambda *_: None)  # "destroyed but pending": it was said
        self._loop.close()


@contextmanager
def _alarm(crowd: Crowd, timeout: float | None) -> Iterator[None]:
    """Where it can be had, SIGALRM for work() that blocks the event loop."""
    in_main = threading.current_thread() is threading.main_thread()
    if sys.platform == "win32" or timeout is None or not in_main:
        yield
        return
    before = signal.signal(signal.SIGALRM, crowd.interrupt)
    crowd.rearm = lambda: signal.setitimer(signal.ITIMER_REAL, timeout + TICK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def run(
    job: Job,
    items: Iterable[Numbered | None],
    *,
    max_workers: int,
    timeout: float | None = None,
    retry: Retry = NO_RETRY,
    stop: Stop | None = None,
) -> Iterator[list[Outcome]]:
    """Yield outcomes in bursts, as they complete; at most `max_workers` tasks run at once."""
    backlog = Backlog(items, retry, stop)
    crowd = Crowd(asyncio.new_event_loop(), backlog, max_workers, timeout)
    try:
        with _alarm(crowd, timeout):
            crowd.open(job)
            yield from crowd.bursts()
    finally:
        crowd.close()
    backlog.check()
