"""Asyncio engine: await work(item) for many items at once, for many concurrent waits.

    items ──▶ Backlog ──▶ up to N coroutines, each: take, await work(item), record ──▶ outcomes
                 ▲                                          │        ▲
                 └──────────────── retries ◀────────────────┘     watchdog

N coroutines share one backlog, and one watchdog looks after all of them: no task, no timer and no
lock per item. run() is an ordinary generator. It runs the event loop until outcomes are there and
hands them over, so the caller looks the same for every engine.

begin ──▶ busy ──▶ end                      an item on time
            └── look: late ──▶ end          cancelled after `timeout`, and gave in
                         └── look: lost     swallowed the cancellation: it is abandoned
alarm (a signal) ──▶ TimeoutError in it     blocked the event loop, so that look() had no turn
"""

from __future__ import annotations

import asyncio
import math
import signal
import sys
import threading
import time
from _thread import interrupt_main
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from contextvars import Context, copy_context
from types import FrameType
from typing import Any, cast

from .adaptive import AdaptiveLimit
from .backlog import Backlog
from .daemons import DaemonPool
from .failures import Failure, describe, timed_out
from .job import Call, Job
from .prints import say
from .task import (
    CURRENT,
    TEARDOWN,
    TICK,
    Burst,
    Bursts,
    EngineError,
    Outcome,
    Task,
    Unavailable,
    is_interrupt,
)

MODEL = "asyncio"
AWAITS = "always"
ADAPTS = AdaptiveLimit  # --max-workers auto finds how many the other end takes
IN_THREADS = False
BURST = 0.005  # seconds: outcomes are handed over together, so that tiny tasks cost little
LEAVING = 1.0  # seconds that cancelled coroutines get at the end
LONGEST = 1e6  # seconds that an alarm is set for: 11 days
ALARM = signal.SIGILL if sys.platform == "win32" else signal.SIGALRM  # nobody else sends it
BLOCKED = 1.0  # seconds without a turn that are worth a warning

Runner = asyncio.Task[None]  # a coroutine of the engine that runs one item after the other


class Watchdog:
    """Knows at which task each worker is and since when, and cancels what takes too long."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout: float | None, quiet: bool) -> None:
        self._loop, self._timeout = loop, timeout
        self._busy: dict[Runner, tuple[float, Task]] = {}  # since when, with what
        self._late: set[Runner] = set()  # cancelled from here
        self._turn = loop.time()  # the last look
        self._due = math.inf  # when the alarm rings
        self._warned, self._armed = quiet, False

    @property
    def busy(self) -> int:
        """Tasks in flight."""
        return len(self._busy)

    def begin(self, worker: Runner, task: Task) -> float:
        """The worker begins this task now. Return the time."""
        now = self._loop.time()
        self._busy[worker] = now, task
        return now

    def end(self, worker: Runner) -> bool:
        """The worker has finished its task. Return whether the task was cancelled as too late."""
        self._busy.pop(worker, None)
        if worker not in self._late:
            return False
        self._late.discard(worker)
        return True

    def rested(self) -> None:
        """The event loop stood still on purpose until now: nothing blocked it."""
        self._turn = self._loop.time()

    def look(self) -> list[tuple[Runner, Task, float]]:
        """Cancel late tasks. Return workers that swallowed that, with their tasks and seconds."""
        now = self._loop.time()
        blocked = now - self._turn - TICK
        self._turn = now
        self._rearm()
        if blocked > BLOCKED and not self._warned:
            self._warned = True
            say(f"work() blocked the event loop for {blocked:.1f} s: everything else waited")
        if self._timeout is None or blocked > TICK:  # first let tasks go on that can
            return []
        lost = []
        for worker, (since, task) in list(self._busy.items()):
            if now - since > self._timeout and worker not in self._late:
                self._late.add(worker)
                worker.cancel()
            elif now - since > 2 * self._timeout:
                del self._busy[worker]
                lost.append((worker, task, now - since))
        return lost

    @contextmanager
    def alarm(self) -> Iterator[None]:
        """In the main thread, a signal for work() that blocks the event loop."""
        in_main = threading.current_thread() is threading.main_thread()
        if self._timeout is None or not in_main:
            yield
            return
        before = signal.signal(ALARM, self._interrupt)
        self._armed = True
        self._rearm()
        if sys.platform == "win32":
            threading.Thread(target=self._ring, daemon=True).start()
        try:
            yield
        finally:
            self._armed = False
            if sys.platform != "win32":
                signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(ALARM, before or signal.SIG_DFL)  # None: set in C, as by faulthandler

    def _rearm(self) -> None:
        if not self._armed or self._timeout is None:
            return
        patience = min(self._timeout + TICK, LONGEST)
        if sys.platform == "win32":
            self._due = self._loop.time() + patience
        else:
            signal.setitimer(signal.ITIMER_REAL, patience)

    def _ring(self) -> None:
        """Ring from a thread: Windows has no timer signals. The call that blocks ends first."""
        while self._armed:
            if self._loop.time() > self._due:
                interrupt_main(ALARM)
            time.sleep(TICK)

    def _interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        self._rearm()
        if asyncio.current_task(self._loop) in self._busy:
            raise TimeoutError(f"timeout: it blocked the event loop for {self._timeout:g} s")


class CoroutinePool:
    """Up to `size` coroutines that share a backlog, and the outcomes not yet handed over."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        call: Call,
        context: Context,
        backlog: Backlog,
        timeout: float | None,
        quiet: bool,
    ) -> None:
        self._loop, self._call, self._context = loop, call, context
        self._backlog = backlog
        self._size, self._timeout, self._quiet = backlog.max_workers, timeout, quiet
        self._watchdog = Watchdog(loop, timeout, quiet)
        self._workers: set[Runner] = set()
        self._abandoned: set[Runner] = set()  # they swallow cancellations
        self._outcomes: Burst = []
        self._window = max(2 * self._size, 1024)  # outcomes that are handed over at once
        self._failure: EngineError | None = None
        self._over = False

    def bursts(self) -> Iterator[Burst]:
        """Run the event loop, and leave it whenever there is something to hand over."""
        self._look()
        try:
            with self._watchdog.alarm():
                while self._workers or self._outcomes or not self._backlog.empty:
                    self._run_loop()
                    burst, self._outcomes = self._outcomes, []
                    if burst:
                        yield burst
                        self._watchdog.rested()  # the consumer may have taken its time
                    if self._failure is not None:
                        raise self._failure
                    if self._backlog.heed_stop():
                        return
        finally:
            self._disperse()

    def _run_loop(self) -> None:
        try:
            self._loop.run_forever()
        except (SystemExit, KeyboardInterrupt) as exc:
            if is_interrupt(exc):
                raise  # else a task that work() started raised it: whoever awaits that gets it

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
            failure = timed_out(self._timeout, ", and it ignored its cancellation")
            self._record(self._backlog.failed(task, failure, seconds))
        if self._backlog.heed_stop():
            self._pause()
        if len(self._workers) < self._size:
            self._hire()
        tick = min(self._backlog.patience, (self._timeout or TICK) / 4)
        self._loop.call_later(tick, self._look)

    def _hire(self) -> None:
        worker = self._loop.create_task(self._serve(), context=self._context.copy())
        self._workers.add(worker)
        worker.add_done_callback(self._retire)

    def _retire(self, worker: Runner) -> None:
        self._workers.discard(worker)
        if not self._workers:  # nothing to do, for now or for good
            self._pause()

    async def _serve(self) -> None:
        """Run task after task; while there are more, start another coroutine."""
        me = cast("Runner", asyncio.current_task())
        try:
            while tasks := self._backlog.take(1, self._watchdog.busy):
                if len(self._workers) < self._size and self._backlog.has_room:
                    self._hire()
                outcomes = await self._attempt(me, tasks[0])
                if me not in self._workers:  # it was abandoned, and reported
                    return
                self._record(outcomes)
                if me.cancelling():  # from here or by work(): a new worker replaces it
                    self._workers.discard(me)
                    self._hire()
                    return
                while len(self._outcomes) >= self._window:  # work() may never give up its turn
                    self._pause()
                    await asyncio.sleep(0)
        except Unavailable as exc:
            self._watchdog.end(me)
            self._backlog.put_back(tasks)
            self._lose(exc)
        except EngineError as exc:
            self._fail(exc)

    def _lose(self, exc: Unavailable) -> None:
        self._size = len(self._workers) - 1
        if not self._size:
            self._fail(exc)
        elif not self._quiet:
            say(f"{exc}: continuing with {self._size:,} at once")

    def _fail(self, exc: EngineError) -> None:
        self._failure = exc
        self._pause()

    async def _attempt(self, me: Runner, task: Task) -> Burst:
        index, item, attempt = task
        CURRENT.set(index)
        began = self._watchdog.begin(me, task)
        value, failure = None, None
        try:
            value = await self._call(item)
        except BaseException as exc:  # whatever it is, it costs this task only
            # _over: the engine itself is closing.
            if self._over or isinstance(exc, EngineError) or is_interrupt(exc):
                raise
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


@asynccontextmanager
async def _in_threads(job: Job) -> AsyncIterator[Call]:
    """For a `def work`: an awaitable callable(item), which has a thread for each call in flight."""
    loop = asyncio.get_running_loop()

    async def call(item: Any) -> Any:
        reply: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()

        def settle(*outcome: Any) -> None:
            if not reply.cancelled():
                reply.set_result(outcome)

        def deliver(*outcome: Any) -> None:
            with suppress(RuntimeError):  # the loop is closed, and nobody waits
                loop.call_soon_threadsafe(settle, *outcome)

        give_up = threads.submit(lambda work: work(item), deliver)
        try:
            value, error = await reply
        except asyncio.CancelledError:  # it overran its timeout, and another thread takes its place
            give_up()
            raise
        if error is not None:
            raise error
        return value

    with closing(DaemonPool(job)) as threads:
        yield call


@contextmanager
def _event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    try:
        loop = asyncio.new_event_loop()
    except OSError as exc:
        raise EngineError(f"no event loop can be created: {describe(exc)}") from None
    try:
        yield loop
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.set_exception_handler(lambda *_: None)  # "destroyed but pending": it was reported
        loop.close()


@contextmanager
def _opened(loop: asyncio.AbstractEventLoop, job: Job, size: int) -> Iterator[tuple[Call, Context]]:
    """Run setup(), and later its teardown; yield the call, and the context that setup() has left.

    One task does both, as cancel scopes demand.
    """

    async def hold() -> None:
        async with job.aopen(size) if job.is_async else _in_threads(job) as call:
            ready.set_result((call, copy_context()))
            await leave.wait()

    leave, ready = asyncio.Event(), loop.create_future()
    host = loop.create_task(hold(), context=job.context.copy())
    try:
        first = asyncio.wait([host, ready], return_when=asyncio.FIRST_COMPLETED)
        loop.run_until_complete(first)
        if host.done():
            host.result()  # raises what setup() raised
        yield ready.result()
    finally:
        leave.set()
        loop.run_until_complete(asyncio.wait([host], timeout=TEARDOWN))
    if not host.done():
        raise EngineError(
            f"the teardown after setup() still runs after {TEARDOWN:g} s: it is cut off"
        )
    if host.cancelled():
        raise EngineError("work() cancelled the task that keeps what setup() made")
    host.result()  # raises what was wrong with the teardown


def in_one_process(max_workers: int) -> int:
    return max_workers


def run(job: Job, backlog: Backlog, *, timeout: float | None = None) -> Bursts:
    """Yield outcomes in bursts, as they complete; at most `backlog.max_workers` tasks at once."""
    job = job.for_attempts(backlog.may_repeat)
    with _event_loop() as loop, _opened(loop, job, backlog.max_workers) as (call, context):
        yield from CoroutinePool(loop, call, context, backlog, timeout, job.quiet).bursts()
    backlog.raise_failure()
