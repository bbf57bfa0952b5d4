"""What is still to run, and when the next task may begin."""

from __future__ import annotations

import heapq
import sys
import time
from collections import deque
from collections.abc import Iterable
from itertools import chain, islice
from typing import Any

from .failures import Failure, describe
from .pacing import Pacer
from .task import (
    END,
    GRACE,
    IDLE,
    NO_RETRY,
    TICK,
    Burst,
    EngineError,
    Numbered,
    Outcome,
    Retry,
    Stop,
    Task,
)

RAMPING = 0.002  # seconds between two looks while an adaptive limit grows


class Backlog:
    """What is still to run: tasks handed back first, then retries that are due, then new items.

    The input is pulled only when a task is taken, so that memory stays flat. The input may yield
    None for "nothing yet": take() then returns what it has, and the engine asks again after IDLE.
    When the input fails, running tasks finish first, and `raise_failure()` raises it at the end.
    """

    def __init__(
        self,
        items: Iterable[Numbered | None],
        max_workers: int,
        *,
        retry: Retry = NO_RETRY,
        stop: Stop | None = None,
        pacer: Pacer | None = None,
    ) -> None:
        self.max_workers = max_workers  # tasks in flight, at most; 0: as many as a cluster has
        self._given = pacer or Pacer()
        self._pacer = None if self._given.idle(time.monotonic()) else self._given
        self.may_repeat = bool(retry.times or self._pacer)  # a task may run more than once
        self._source = chain(items, (END,))
        self._retry, self._stop = retry, stop
        self._again: deque[Task] = deque()
        self._later: list[tuple[float, int, Task]] = []  # heap: when it is due, index, task
        self._open = True  # the input may have more
        self._failure: Exception | None = None
        self._ended = False  # a task asked for the end of the run
        self._deadline = float("inf")  # when the grace after a stop ends
        self.starved = False  # the input had nothing yet
        self._busy = 0  # tasks in flight, where the pacer has to know
        self._early = False  # the pacer held back a task
        self.has_room = True  # for one more task in flight, now

    def take(self, limit: int, busy: int = 0) -> list[Task]:
        """Up to `limit` tasks that may begin now, where `busy` are in flight."""
        if (pacer := self._pacer) is None:
            return self._next(limit)
        if not pacer.idle(now := time.monotonic()):
            return self._paced(pacer, limit, busy, now)
        self._pacer, self.has_room = None, True
        return self._next(limit)

    def _paced(self, pacer: Pacer, limit: int, busy: int, now: float) -> list[Task]:
        tasks: list[Task] = []
        places = pacer.places(self.max_workers or sys.maxsize, now) - busy
        limit, early = min(limit, places), pacer.due() > now
        while not early and len(tasks) < limit and (following := self._next(1)):
            try:
                pacer.begin(now, following[0][1])
            except Exception as exc:
                text = f"cost() failed for the item with id {following[0][0]}: {describe(exc)}"
                self._failure, self._open = EngineError(text), False
                break
            tasks += following
            early = (due := pacer.due()) > now and due > (now := time.monotonic())
        self._early, self._busy = early, busy + len(tasks)
        self.has_room = not early and len(tasks) < places
        return tasks

    def _next(self, limit: int) -> list[Task]:
        tasks: list[Task] = []
        if self._later:
            now = time.monotonic()
            while self._later and self._later[0][0] <= now:
                self._again.append(heapq.heappop(self._later)[2])
        while self._again and len(tasks) < limit:
            tasks.append(self._again.popleft())
        if self._open and len(tasks) < limit:
            tasks += self._pull(limit - len(tasks))
        return tasks

    def _pull(self, limit: int) -> list[Task]:
        pulled: list[Any] = []
        try:
            # Up to the limit or the first None. What comes before a failure stays in the list.
            pulled.extend(islice(iter(self._source.__next__, None), limit))
        except Exception as exc:  # of the input: work()'s own became outcomes
            self._failure, self._open = exc, False
        if pulled and pulled[-1] is END:
            pulled.pop()
            self._open = False
        self.starved = self._open and len(pulled) < limit
        return [(index, item, 1) for index, item in pulled]

    def waiting(self, limit: int) -> int:
        """How many tasks there are to take, up to `limit`, whether or not they may begin now."""
        tasks = self._next(limit)
        self._again.extendleft(reversed(tasks))
        return len(tasks)

    def permits(self, task: Task) -> bool:
        """Whether a task that waits elsewhere may begin now; if so, it counts as begun."""
        if self._pacer is not None:
            if self._pacer.due() > (now := time.monotonic()):
                return False
            self._pacer.begin(now, task[1])
        return True

    def put_back(self, tasks: Iterable[Task]) -> None:
        """Take back tasks that did not run: they go first."""
        if not self.stopping:
            self._again.extendleft(reversed(list(tasks)))

    def failed(self, task: Task, failure: Failure, seconds: float) -> Burst:
        """Schedule a retry and return nothing, or return the outcome when no retry is left."""
        index, item, attempt = task
        if failure.stop is not None and not self._retry.inner:
            self._end(failure.stop)
            return []
        now = time.monotonic()
        pause = self._slow_down(failure, seconds, now) if failure.refused or failure.timeout else 0
        if not self._retry.allowed(attempt, failure):
            return [Outcome(index, item, None, failure, seconds, attempt)]
        if not self.stopping:  # otherwise it is left for the next run
            wait = self._retry.pause(attempt) if failure.after is None else failure.after
            again = index, item, attempt + 1
            heapq.heappush(self._later, (now + max(wait, pause), index, again))
        return []

    def _slow_down(self, failure: Failure, seconds: float, now: float) -> float:
        """Heed a refusal or a timeout. Return for how many seconds the run pauses."""
        pause = failure.after or 0.0
        if self._pacer is not None and (limit := self._pacer.limit) is not None:
            pause = limit.refused(now, seconds, self._busy, failure.after, timeout=failure.timeout)
            self._busy -= 1
        if pause > 0:
            self._pacer = self._given
            self._pacer.pause(now + pause)
        return pause

    def learn(self, outcomes: Burst) -> Burst:
        """Tell an adaptive limit what has finished; return the outcomes as they are."""
        if self._pacer is not None and (limit := self._pacer.limit) is not None:
            now = time.monotonic()
            for outcome in outcomes:
                if outcome.failure is None:
                    limit.succeeded(now, outcome.seconds, self._busy)
                    self._busy -= 1
        return outcomes

    @property
    def empty(self) -> bool:
        """Nothing to take, neither now nor later."""
        return not (self._open or self._again or self._later)

    def heed_stop(self) -> bool:
        """Take nothing more once the stop signal came. Return whether the grace is over."""
        if self._deadline == float("inf"):
            if self._stop is None or not self._stop.is_set():
                return False
            self._deadline = time.monotonic() + getattr(self._stop, "grace", GRACE)
            self._drop()
        return time.monotonic() > self._deadline

    def _end(self, reason: str) -> None:
        """Let what runs finish, and begin nothing more."""
        self._failure = self._failure or EngineError(reason)
        self._ended = True
        self._drop()

    def _drop(self) -> None:
        """Leave all tasks that did not begin for the next run."""
        self._open, self.starved = False, False
        self._again.clear()
        self._later.clear()

    @property
    def patience(self) -> float:
        """Seconds that an engine may wait for outcomes before it looks around."""
        patience = IDLE if self.starved else TICK
        if (pacer := self._pacer) is not None:
            if self._early:  # once the task is due, no slot is free for it: look now and then
                wait = pacer.due() - time.monotonic()
                patience = min(patience, wait if wait > 0 else IDLE)
            elif pacer.limit is not None and pacer.limit.ramping():
                patience = min(patience, RAMPING)
        return patience

    @property
    def paced(self) -> bool:
        """The time at which each task begins matters: nothing is queued ahead of its turn."""
        return self._pacer is not None

    @property
    def paused(self) -> bool:
        """The other end asked for a pause: nothing is begun."""
        return self._pacer is not None and self._pacer.pause_left(time.monotonic()) > 0

    @property
    def stopping(self) -> bool:
        """The stop signal came, or a task ended the run: nothing new is begun."""
        return self._ended or self._deadline < float("inf")

    def raise_failure(self) -> None:
        """Raise what went wrong with the input, if anything did."""
        if self._failure is not None:
            raise self._failure
