"""Calls of the user's function, timed: what they took, what they held, what they carried.

Runs in the child process that measures (`probe`), with the standard library alone.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from scaffold.measuring import memory
from scaffold.measuring.carried import Carried
from scaffold.measuring.clocks import cpu_seconds, programs_seconds, queueing
from scaffold.measuring.describing import describe
from scaffold.measuring.machine import runner
from scaffold.measuring.supply import Supply

# Calls are timed in groups of about this many seconds, so that the clocks cost a tiny task little.
GROUP_SECONDS = 0.001
# A function that computes less than LEAST_CPU of its time hardly computes; less than WAITS, and it
# mostly waits, and too many calls may burden a server.
LEAST_CPU, WAITS = 0.05, 0.2
# Seconds of the shortest wait: the kernel's timers, and getting back to a core, take as long.
SHORTEST_WAIT = 5e-5
# A function that computes more than this share of its time uses several cores by itself; a little
# more than one core is the difference between two clocks.
SEVERAL_CORES = 1.2
# A machine on which the function waited for a core more than this share of the time is too busy.
MOST_QUEUEING = 0.4
# Above this share of the time spent waiting for a core, little can be told of the function.
MOST_UNSURE = 0.1
TOO_BUSY = "the machine is too busy to tell"
# A call begins if it would still end in time even at this many times the longest call so far.
LONGER = 1.5
# After this many failures in a row, no further call is made.
IN_A_ROW = 10
ERRORS = 5  # different errors that are kept

Call = Callable[[Any], Any]


class Answer(NamedTuple):
    """A call beside others: what it returned or raised, its seconds, those waiting for a core.

    The first call of a worker often connects, and is not compared.
    """

    position: int
    value: Any
    seconds: float
    queued: float
    is_first: bool


class Waking(NamedTuple):
    """CPU seconds of a call that only sleeps, and the part of them in a coroutine's own steps."""

    cpu: float = 0.0
    steps: float = 0.0


class Calls:
    """Calls of the function on items that were not run yet, and what they showed."""

    def __init__(self, supply: Supply, deadline: float) -> None:
        self.supply, self._deadline = supply, deadline  # on the monotonic clock
        self.waking = Waking()
        self.stepping: float | None = None  # CPU seconds in the steps of the coroutines
        self.polling = 0.0  # CPU seconds that the event loop took to wait for events
        self.spinning = 0.0  # CPU seconds of a call in which native threads only wait for work
        self.seconds: list[float] = []  # per call, the mean of its group
        self.count = self.failures = 0
        self.untimed = 0  # calls whose time does not count
        self.errors: Counter[str] = Counter()
        self.current: int | None = None  # position of the item that is running
        self.over = False  # no further call is begun
        self.wall = self.cpu = self.queued = 0.0
        self.programs = 0.0  # of the CPU seconds, those of programs that it started
        self.begin = self.end = 0.0
        self._row = 0  # failures since the last call that did not fail
        self._running: Callable[[], tuple[float, float, float]] = lambda: (0.0, 0.0, 0.0)
        self.carried = Carried()
        self._peak: memory.Peak | None = None  # since the first call
        self._added: int | None = None  # by sequential calls, before some run side by side

    def run(self, call: Call, until: float, most: float, waiting: float) -> None:
        """Call until the time is up, at least once: `most` calls, or `waiting` if it waits."""
        with self._watching():
            for group in self._groups(until, most, waiting):
                for _ in range(group):
                    if (position := self._next()) is None:
                        break
                    item = self.supply.items[position]
                    try:
                        self._note(item, call(item))
                    except BaseException as error:  # whatever it is, it costs this call only
                        self._fail(item, error)

    async def run_async(self, call: Call, until: float, most: float, waiting: float) -> None:
        """Await one call after another until the time is up; at least one."""
        with self._watching():
            for group in self._groups(until, most, waiting):
                for _ in range(group):
                    if (position := self._next()) is None:
                        break
                    item = self.supply.items[position]
                    try:
                        self._note(item, await call(item))
                    except BaseException as error:  # whatever it is, it costs this call only
                        self._fail(item, error)

    def add(self, answers: Iterable[Answer], cpu: float, *, timed: bool) -> None:
        """Note calls beside others; if they are not `timed`, their time does not count."""
        for answer in answers:
            item = self.supply.items[answer.position]
            if isinstance(answer.value, BaseException):
                self._fail(item, answer.value)
            else:
                self._note(item, answer.value)
            if timed:
                self.seconds.append(max(1e-9, answer.seconds - answer.queued))
                self.wall, self.queued = self.wall + answer.seconds, self.queued + answer.queued
            else:
                self.untimed += 1
        self.cpu += cpu if timed else 0.0

    def waits(self) -> bool:
        """Tell whether the function has mostly waited, so far."""
        wall, cpu, queued = self._running()
        return self.cpu + cpu < WAITS * (self.wall + wall - self.queued - queued)

    def hopeless(self) -> bool:
        """Tell whether the function only fails."""
        return self._row >= IN_A_ROW

    def _groups(self, until: float, most: float, waiting: float) -> Iterator[int]:
        """Yield how many calls to make before the next look at the clock."""
        group, longest, first = 1, 0.0, self.count
        while not self.hopeless():
            allowed = first + most
            if self.count >= first + min(waiting, most) and self.waits():
                return
            size = int(min(group, allowed - self.count))
            if size < 1:
                return
            began, lost, before = time.perf_counter(), self._running()[2], self.count
            yield size
            done = self.count - before
            if not done:  # every item was run
                return
            seconds = time.perf_counter() - began
            own = max(1e-9, seconds - (self._running()[2] - lost))
            self.seconds += [own / done] * min(done, 1000)
            longest = max(longest, seconds / done)
            now = time.monotonic()
            if now >= until or now + LONGER * longest > self._deadline:
                return
            group = max(1, min(2 * size, int(GROUP_SECONDS * done / (seconds + 1e-9))))

    def _next(self) -> int | None:
        if self.hopeless():
            return None
        self.current = self.supply.take()
        return self.current

    def _note(self, item: Any, result: Any) -> None:
        self.carried.keep(item, result)
        self.count += 1
        self._row = 0

    def _fail(self, item: Any, error: BaseException) -> None:
        row = self._row
        self._note(item, error)
        self.failures, self._row = self.failures + 1, row + 1
        text = describe(error)
        if text in self.errors or len(self.errors) < ERRORS:
            self.errors[text] += 1

    def watch_memory(self) -> memory.Peak:
        """Count the memory taken from now on as what a task needs."""
        self._peak = self._peak or memory.Peak()
        return self._peak

    @contextmanager
    def _watching(self) -> Iterator[None]:
        peak = self.watch_memory()
        with queueing() as queued:
            waited, used, before = queued(), cpu_seconds(), programs_seconds()
            self.begin = begin = time.perf_counter()
            self._running = lambda: (
                time.perf_counter() - begin,
                cpu_seconds() - used,
                queued() - waited,
            )
            try:
                yield
            finally:
                self.end = time.perf_counter()
                self.over = True
                self._added = peak.added()
                wall, cpu, lost = self._running()
                self._running = lambda: (0.0, 0.0, 0.0)
                self.wall, self.cpu = self.wall + wall, self.cpu + cpu
                self.queued += lost
                self.programs += programs_seconds() - before

    def wait(self) -> float:
        """Return about how many seconds a call waits."""
        return max(0.0, self.wall - self.queued - self.cpu) / max(1, self.count - self.untimed)

    @property
    def own(self) -> float:
        """The seconds of the calls, without the time that other programs had."""
        return max(1e-9, self.wall - self.queued)

    @property
    def each(self) -> float:
        """The seconds of a call, on average."""
        return self.own / max(1, self.count - self.untimed)

    @property
    def is_starved(self) -> bool:
        """Tell whether the function waited for a core so long that little can be told."""
        return self.queued > MOST_QUEUEING * self.wall

    def computing(self) -> float:
        """Return the CPU seconds of the function itself, without those of calling it one by one."""
        cpu = max(0.0, self.cpu - self.polling - self.spinning * (self.count - self.untimed))
        # A call that waits wakes up once at least, but no more often than its waiting allows.
        woken = min(self.count - self.untimed, max(0.0, self.own - cpu) / SHORTEST_WAIT)
        cpu = max(0.0, cpu - self.waking.cpu * woken)
        if self.stepping is not None and cpu < self.waking.cpu * woken:
            # So little CPU time cannot be told from waking up; that of the call's own steps can.
            cpu = min(cpu, max(0.0, self.stepping - self.waking.steps * woken))
        return cpu

    def cpu_fraction(self) -> float:
        """Return the share of its time that it computes, above 1 on several cores."""
        # Native threads and other programs compute while the caller waits for a core of its own.
        cores: int = runner.allowed_cores()
        share = min(self.computing() / self.own, cores)
        return share if share > SEVERAL_CORES else min(1.0, share)

    def facts(self, reasons: dict[str, str]) -> dict[str, Any]:
        """Return the profile's fields, with the reason for each that could not be measured."""
        return {
            **self.counts(),
            "wall_seconds": statistics.median(self.seconds),
            "mean_seconds": self.each,
            "longest_seconds": max(self.seconds),
            "spread_seconds": _spread(self.seconds),
            "growth": _growth(self.seconds),
            "cpu_fraction": self.cpu_fraction(),
            "busy_fraction": self.queued / self.wall,
            **self.carried.facts(reasons),
            **self._memory(reasons),
        }

    def counts(self) -> dict[str, Any]:
        """Return how many calls there were, and how they failed."""
        errors = self.errors.most_common()
        return {
            "calls": self.count,
            "failures": self.failures,
            "first_error": next(iter(self.errors), None),
            "errors": errors,
        }

    def _memory(self, reasons: dict[str, str]) -> dict[str, int | None]:
        """Return the peak memory of this process, and what a call adds to what was there before."""
        peak = memory.total()
        if peak is None:
            reasons["peak_memory_bytes"] = "this platform does not tell"
        added = self._peak.added() if self._peak and self._added is None else self._added
        return {"peak_memory_bytes": peak, "task_memory_bytes": added}

    def facts_when_hung(self) -> dict[str, Any]:
        """Return what is known while a call does not return."""
        missing = (
            "cpu_fraction",
            "gil_fraction",
            "longest_gil_hold_seconds",
            "thread_gain",
            "process_gain",
            "writable",
        )
        wall, _, queued = self._running()
        starved = queued > MOST_UNSURE * wall
        why = TOO_BUSY if starved else "a call did not return in time"
        reasons = dict.fromkeys(missing, why)
        return {
            **self.counts(),
            "wall_seconds": statistics.median(self.seconds) if self.seconds else None,
            "mean_seconds": statistics.mean(self.seconds) if self.seconds else None,
            "hung_item": self.current,
            **dict.fromkeys(missing),
            **self.carried.facts(reasons, missing=why),
            **self._memory(reasons),
            "reasons": reasons,
        }


def _spread(seconds: list[float]) -> float:
    """Return the distance between the quartiles, in seconds."""
    ordered = sorted(seconds)
    return ordered[(3 * len(ordered)) // 4] - ordered[len(ordered) // 4]


def _growth(seconds: list[float]) -> float | None:
    """Return how much longer the last third of the calls took than the first; None for a few."""
    third = len(seconds) // 3
    if third < 3:
        return None
    return statistics.median(seconds[-third:]) / max(1e-9, statistics.median(seconds[:third]))
