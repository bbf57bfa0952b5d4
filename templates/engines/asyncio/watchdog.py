"""The asyncio engine's watchdog: one timer for all items, instead of one timer for each.

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
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from .prints import say
from .task import TICK, Task

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
        if self._timeout is None or blocked > TICK:  # let those go on first that can
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
            signal.signal(ALARM, before)

    def _rearm(self) -> None:
        if not self._armed or self._timeout is None:
            return
        patience = min(self._timeout + TICK, LONGEST)
        if sys.platform == "win32":
            self._due = self._loop.time() + patience
        else:
            signal.setitimer(signal.ITIMER_REAL, patience)

    def _ring(self) -> None:
        """Windows has no timer that sends a signal: a thread does. It waits for a call to end."""
        while self._armed:
            if self._loop.time() > self._due:
                interrupt_main(ALARM)
            time.sleep(TICK)

    def _interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        self._rearm()
        if asyncio.current_task(self._loop) in self._busy:
            raise TimeoutError(f"timeout: it blocked the event loop for {self._timeout:g} s")
