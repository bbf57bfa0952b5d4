"""Asyncio engine: await work(item) for many items at once, for many concurrent waits.

    items ──▶ Backlog ──▶ up to N coroutines, each: take, await work(item), record ──▶ outcomes
                 ▲                                          │        ▲
                 └──────────────── retries ◀────────────────┘     watchdog

N coroutines share one backlog, and one watchdog looks after all of them: no task, no timer and no
lock per item. run() is an ordinary generator. It runs the event loop until outcomes are there and
hands them over, so the caller looks the same for every engine. What becomes of items that hang is
told in watchdog.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import cast

from .job import Call, Job
from .pacing import Pacer
from .task import (
    NO_RETRY,
    TICK,
    Backlog,
    Burst,
    EngineError,
    Failure,
    Numbered,
    Outcome,
    Retry,
    Stop,
    Task,
    timed_out,
)
from .watchdog import Runner, Watchdog

MODEL = "asyncio"
AWAITS = "always"
BURST = 0.005  # seconds: outcomes are handed over together, so that tiny tasks cost little
LEAVING = 1.0  # seconds that cancelled coroutines, and the teardown after setup(), get at the end


class CoroutinePool:
    """Up to `size` coroutines that share a backlog, and the outcomes not yet handed over."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        call: Call,
        backlog: Backlog,
        size: int,
        timeout: float | None,
        quiet: bool,
    ) -> None:
        self._loop, self._call, self._backlog = loop, call, backlog
        self._size, self._timeout = size, timeout
        self._watchdog = Watchdog(loop, timeout, quiet)
        self._workers: set[Runner] = set()
        self._abandoned: set[Runner] = set()  # they swallow cancellations
        self._outcomes: Burst = []
        self._window = max(2 * size, 1024)  # outcomes that may wait for a slow consumer
        self._room = asyncio.Event()
        self._failure: EngineError | None = None
        self._over = False

    def bursts(self) -> Iterator[Burst]:
        """Run the event loop, and leave it whenever there is something to hand over."""
        self._look()
        try:
            with self._watchdog.alarm():
                while self._workers or self._outcomes or not self._backlog.empty:
                    self._loop.run_forever()
                    burst, self._outcomes = self._outcomes, []
                    self._room.set()
                    if burst:
                        yield burst
                        self._watchdog.rested()  # the consumer may have taken its time
                    if self._failure is not None:
                        raise self._failure
                    if self._backlog.heed_stop():
                        return
        finally:
            self._disperse()

    def _pause(self) -> None:
        """Leave the event loop, to hand over outcomes or to end."""
        if not self._over:
            self._loop.stop()

    def _look(self) -> None:
        """Every tick: timeouts, the stop signal, retries that are due, an input that was slow."""
        if self._over:
            return
        for worker, task, seconds in self._watchdog.look():
            self._workers.discard(worker)
            self._abandoned.add(worker)
            failure = timed_out(self._timeout, ", and it would not be cancelled")
            self._record(self._backlog.failed(task, failure, seconds))
        if self._backlog.heed_stop():
            self._pause()
        if len(self._workers) < self._size:
            self._hire()
        tick = min(self._backlog.patience, (self._timeout or TICK) / 4)
        self._loop.call_later(tick, self._look)

    def _hire(self) -> None:
        worker = self._loop.create_task(self._serve())
        self._workers.add(worker)
        worker.add_done_callback(self._retire)

    def _retire(self, worker: Runner) -> None:
        self._workers.discard(worker)
        if not self._workers:  # nothing to do, for now or for good
            self._pause()

    async def _serve(self) -> None:
        """Task after task. While there are tasks, it calls for one more coroutine."""
        me = cast("Runner", asyncio.current_task())
        try:
            while me in self._workers and (tasks := self._take()):
                if len(self._workers) < self._size:
                    self._hire()
                outcomes = await self._attempt(me, tasks[0])
                if me in self._workers:  # otherwise it was abandoned, and reported
                    self._record(outcomes)
                while len(self._outcomes) >= self._window:
                    self._room.clear()
                    self._pause()
                    await self._room.wait()
        except EngineError as exc:
            self._failure = exc
            self._pause()

    def _take(self) -> list[Task]:
        return self._backlog.take(1, len(self._workers) - 1)  # the one that asks has none

    async def _attempt(self, me: Runner, task: Task) -> Burst:
        index, item, attempt = task
        began = self._watchdog.begin(me, task)
        value, failure = None, None
        try:
            value = await self._call(item)
        except EngineError:
            raise
        except asyncio.CancelledError as exc:
            if me.cancelling() and not self._watchdog.is_late(me):
                raise  # the engine itself is closing
            failure = Failure.of(exc)
        except (Exception, SystemExit) as exc:
            failure = Failure.of(exc)
        seconds = self._loop.time() - began
        if self._watchdog.end(me):
            failure = timed_out(self._timeout)
        if failure is None:
            return [Outcome(index, item, value, None, seconds, attempt)]
        return self._backlog.failed(task, failure, seconds)

    def _record(self, outcomes: Burst) -> None:
        if outcomes and not self._outcomes:
            self._loop.call_later(BURST, self._pause)
        self._outcomes += self._backlog.learn(outcomes)

    def _disperse(self) -> None:
        """Cancel what still runs, and give it LEAVING seconds."""
        self._over = True
        running = self._workers | self._abandoned
        for worker in running:
            worker.cancel()
        if running:
            self._loop.run_until_complete(asyncio.wait(running, timeout=LEAVING))


@contextmanager
def _event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    try:
        yield loop
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.set_exception_handler(lambda *_: None)  # "destroyed but pending": it was said
        loop.close()


@contextmanager
def _opened(loop: asyncio.AbstractEventLoop, job: Job, size: int) -> Iterator[Call]:
    """Run setup(), and later its teardown. One task does both, as cancel scopes demand."""

    async def hold() -> None:
        async with job.aopen(size) as call:
            ready.set_result(call)
            await leave.wait()

    leave, ready = asyncio.Event(), loop.create_future()
    host = loop.create_task(hold())
    try:
        first = asyncio.wait([host, ready], return_when=asyncio.FIRST_COMPLETED)
        loop.run_until_complete(first)
        if host.done():
            host.result()  # raises what setup() raised
        yield ready.result()
    finally:
        leave.set()
        loop.run_until_complete(asyncio.wait([host], timeout=LEAVING))


def in_one_process(max_workers: int) -> int:
    """Tasks in flight that share the limits of one process, such as that of open files."""
    return max_workers


def run(
    job: Job,
    items: Iterable[Numbered | None],
    *,
    max_workers: int,
    timeout: float | None = None,
    retry: Retry = NO_RETRY,
    stop: Stop | None = None,
    pacer: Pacer | None = None,
) -> Iterator[Burst]:
    """Yield outcomes in bursts, as they complete; at most `max_workers` tasks run at once."""
    backlog = Backlog(items, retry, stop, pacer, max_workers)
    with _event_loop() as loop, _opened(loop, job, max_workers) as call:
        yield from CoroutinePool(loop, call, backlog, max_workers, timeout, job.quiet).bursts()
    backlog.raise_failure()
