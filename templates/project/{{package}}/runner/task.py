"""The words that every engine shares: task, outcome, retry, and what is still to run."""

from __future__ import annotations

import heapq
import sys
import time
from collections import deque
from collections.abc import Iterable
from itertools import chain, islice
from typing import Any, NamedTuple, Protocol

Item = Any  # whatever the input holds: work(item) knows
Numbered = tuple[int, Item]  # position in the input, item
Task = tuple[int, Item, int]  # position in the input, item, number of this attempt (from 1)

PACKAGE = __name__.rsplit(".", 2)[0]  # of the project: this is PACKAGE.runner.task

GRACE = 5.0  # seconds that running tasks get to finish after the first Ctrl-C or SIGTERM
TICK = 0.1  # seconds between two looks at the stop signal, at timeouts and at due retries
END = object()  # of the input
IDLE = 0.005  # the same while the input has nothing yet: a pipe is not kept waiting


class Outcome(NamedTuple):
    """What became of one item."""

    id: int  # position of the item in the input, from 0
    item: Item
    value: Any  # what work() returned; None when there is an error
    error: str | None  # "ValueError: ...", "timeout after 2 s", ...; None when all is well
    seconds: float  # time spent in work(), last attempt only
    attempts: int  # 1 unless it was retried


def quick_outcome(index: int, item: Item, value: Any, seconds: float, attempts: int) -> Outcome:
    """A good outcome, in half the time that Outcome(...) takes: for tasks of microseconds."""
    return tuple.__new__(Outcome, (index, item, value, None, seconds, attempts))


class Retry(NamedTuple):
    """How often a failed task runs again, after exponential backoff with full jitter."""

    times: int = 0
    base: float = 0.5  # seconds: upper end of the first pause, doubled each time
    cap: float = 30.0  # seconds: no pause is longer

    def pause(self, attempt: int) -> float:
        """Seconds to wait after the given failed attempt (from 1)."""
        import random  # few runs need it

        return random.uniform(0.0, min(self.cap, self.base * 2.0 ** (attempt - 1)))  # noqa: S311  # no secret


NO_RETRY = Retry()


class Stop(Protocol):
    """Asked at least every TICK seconds; a threading.Event will do."""

    def is_set(self) -> bool:
        """Is it time to finish what runs and to begin nothing new?"""


class EngineError(Exception):
    """The run cannot go on: setup() failed, workers die as soon as they start, ..."""


class Backlog:
    """What is still to run: tasks handed back first, then retries that are due, then new items.

    The input is pulled only when a task is taken, so that memory stays flat. The input may yield
    None for "nothing yet": take() then returns what it has, and the engine asks again after IDLE.
    When the input fails, what runs is finished first, and `raise_failure()` tells of it at the end.
    """

    def __init__(self, items: Iterable[Numbered | None], retry: Retry, stop: Stop | None) -> None:
        self._source = chain(items, (END,))
        self._retry = retry
        self._stop = stop
        self._again: deque[Task] = deque()
        self._suspects: deque[list[Task]] = deque()
        self._later: list[tuple[float, int, Task]] = []  # heap: when it is due, index, task
        self._open = True  # the input may have more
        self._failure: Exception | None = None
        self._deadline = float("inf")  # when the grace after a stop ends
        self.starved = False  # the input had nothing yet

    def take(self, limit: int) -> list[Task]:
        """Up to `limit` tasks that can run now."""
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

    def put_back(self, tasks: Iterable[Task]) -> None:
        """Tasks that were taken but not run: they go first."""
        if not self.stopping:
            self._again.extendleft(reversed(list(tasks)))

    def suspect(self, tasks: list[Task]) -> None:
        """One of these broke what they went through together: try each half by itself."""
        if not self.stopping:
            half = len(tasks) // 2
            self._suspects += filter(None, (tasks[:half], tasks[half:]))

    def suspects(self) -> list[Task]:
        """A group that has to go by itself, or none."""
        return self._suspects.popleft() if self._suspects else []

    def failed(
        self, task: Task, error: str, seconds: float, *, final: bool = False
    ) -> list[Outcome]:
        """Schedule a retry and return nothing, or return the outcome when no retry is left."""
        index, item, attempt = task
        if final or attempt > self._retry.times:
            return [Outcome(index, item, None, error, seconds, attempt)]
        if not self.stopping:  # otherwise it is left for the next run
            due = time.monotonic() + self._retry.pause(attempt)
            heapq.heappush(self._later, (due, index, (index, item, attempt + 1)))
        return []

    @property
    def empty(self) -> bool:
        """Nothing to take, neither now nor later."""
        return not (self._open or self._again or self._suspects or self._later)

    def heed_stop(self) -> bool:
        """Take nothing more once the stop signal came. Return whether the grace is over."""
        if not self.stopping:
            if self._stop is None or not self._stop.is_set():
                return False
            self._deadline = time.monotonic() + GRACE
            self._open, self.starved = False, False
            self._again.clear()
            self._suspects.clear()
            self._later.clear()
        return time.monotonic() > self._deadline

    @property
    def patience(self) -> float:
        """Seconds that an engine may wait for outcomes before it looks around."""
        return IDLE if self.starved else TICK

    @property
    def stopping(self) -> bool:
        """The stop signal came: nothing new is begun."""
        return self._deadline < float("inf")

    def raise_failure(self) -> None:
        """Raise what went wrong with the input, if anything did."""
        if self._failure is not None:
            raise self._failure


def describe(exc: BaseException) -> str:
    """One line for an exception, even when its own __str__ fails."""
    try:
        return f"{type(exc).__name__}: {exc}"
    except Exception:
        return type(exc).__name__


def say(text: str) -> None:
    """One line for the user, on stderr."""
    print(f"{PACKAGE}: {text}", file=sys.stderr, flush=True)
