"""Calls of the user's function, timed: what they took, what they held, what they carried.

Runs in the child process that measures (`probe`), with the standard library alone.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from scaffold.measuring import gil
from scaffold.measuring.carried import Carried
from scaffold.measuring.describing import describe
from scaffold.measuring.machine import affinity_cores

# Calls are timed in groups of about this many seconds, so that the clocks cost a tiny task little.
GROUP_SECONDS = 0.001
# Computing less than this share of its time, a function's share of the GIL cannot be told.
LEAST_CPU = 0.05
# Seconds: no wait is over sooner, as the kernel's timers and the way back to a core take as long.
SHORTEST_WAIT = 5e-5
# Other threads that take less than this share of the time are the noise of a sampling thread.
LEAST_OTHERS = 0.02
# Computing more than this share of its time, a function uses several cores by itself.
SEVERAL_CORES = 1.2
# A machine on which the function waited for a core more than this share of the time is too busy.
MOST_QUEUEING = 0.4
# So much of the function's time may have been spent for want of the GIL, and not waiting.
MOST_UNSURE = 0.1
TOO_BUSY = "the machine is too busy to tell"
# A call is begun when it may take so many times the longest one so far and still end in time.
LONGER = 1.5

Call = Callable[[Any], Any]


class Waking(NamedTuple):
    """CPU seconds of a call that only sleeps, and the part of them in a coroutine's own steps."""

    cpu: float = 0.0
    steps: float = 0.0


class Calls:
    """Calls of the function on the items in turn, and what they showed."""

    def __init__(self, items: list[Any], deadline: float) -> None:
        self._items, self._deadline = items, deadline  # on the monotonic clock
        self.controls: gil.Controls | None = None
        self.waking = Waking()
        self.stepping: float | None = None  # CPU seconds in the steps of the coroutines
        self.polling = 0.0  # CPU seconds that the event loop took to wait for events
        self.seconds: list[float] = []  # per call, the mean of its group
        self.count = self.failures = 0
        self.first_error = ""
        self.current: int | None = None  # position of the item that is running
        self.over = False  # no further call is begun
        self.wall = self.cpu = self.queued = 0.0
        self._begin = self._end = 0.0
        self._starving: Callable[[], float] = lambda: 0.0  # share of the time without a core
        self._lateness = gil.Lateness()
        self._carried = Carried()

    def run(self, call: Call, until: float) -> None:
        """Call until the time is up; at least once."""
        with self._watching():
            for group in self._groups(until):
                for _ in range(group):
                    item = self._next()
                    try:
                        self._note(item, call(item))
                    except BaseException as error:  # whatever it is, it costs this call only
                        self._fail(item, error)

    async def run_async(self, call: Call, until: float) -> None:
        """Await one call after another until the time is up; at least one."""
        with self._watching():
            for group in self._groups(until):
                for _ in range(group):
                    item = self._next()
                    try:
                        self._note(item, await call(item))
                    except BaseException as error:  # whatever it is, it costs this call only
                        self._fail(item, error)

    def _groups(self, until: float) -> Iterator[int]:
        """Yield how many calls to make before the next look at the clock."""
        group, longest = 1, 0.0
        while True:
            began = time.perf_counter()
            yield group
            taken = time.perf_counter() - began
            self.seconds += [taken / group] * min(group, 1000)
            longest = max(longest, taken / group)
            now = time.monotonic()
            if now >= until or now + LONGER * longest > self._deadline:
                return
            group = max(1, min(2 * group, int(GROUP_SECONDS * group / (taken + 1e-9))))

    def _next(self) -> Any:
        self.current = self.count % len(self._items)
        return self._items[self.current]

    def _note(self, item: Any, result: Any) -> None:
        self._carried.keep(item, result)
        self.count += 1

    def _fail(self, item: Any, error: BaseException) -> None:
        self.failures += 1
        self.first_error = self.first_error or describe(error)
        self._note(item, error)

    @contextmanager
    def _watching(self) -> Iterator[None]:
        with gil.sampling() as self._lateness, gil.queueing() as queued:
            waited, own, every = queued(), time.thread_time(), time.process_time()
            self._begin = begin = time.perf_counter()
            self._starving = lambda: (queued() - waited) / (time.perf_counter() - begin)
            try:
                yield
            finally:
                self._end = time.perf_counter()
                self.over = True
                every, own = time.process_time() - every, time.thread_time() - own
                self.queued = queued() - waited
                self.wall = self._end - self._begin
        # What other threads than this one and the sampler took: native ones, or the function's own.
        others = every - own - self._lateness.cpu_seconds
        self.cpu = own + (others if others > LEAST_OTHERS * self.wall else 0.0)

    def wait(self) -> float:
        """Return the seconds that a call waits, about."""
        return max(0.0, self.wall - self.queued - self.cpu) / self.count

    def facts(self) -> dict[str, Any]:
        """Return the profile's fields, with the reason for each that could not be measured."""
        reasons: dict[str, str] = {}
        # Time lost to other programs is neither waiting nor computing.
        own = max(1e-9, self.wall - self.queued)
        self.cpu = max(0.0, self.cpu - self.polling)
        # A call that waits wakes up once at least, but no more often than its waiting allows.
        waited = max(0.0, own - self.cpu)
        woken = min(self.count, waited / SHORTEST_WAIT)
        self.cpu = max(0.0, self.cpu - self.waking.cpu * woken)
        if self.stepping is not None and self.cpu < self.waking.cpu * woken:
            # So little cannot be told from what waking up took; its own steps can.
            self.cpu = min(self.cpu, max(0.0, self.stepping - self.waking.steps * woken))
        # The threads of native code compute while the caller waits for a core of its own.
        cpu = min(self.cpu / own, affinity_cores())
        gil_fraction, hold = self._gil(cpu, reasons)
        # While the sampler waits for a core it may have the GIL, and the function waits for it.
        if min(self._lateness.queued() / own, 1 - cpu) > MOST_UNSURE:
            reasons["cpu_fraction"] = TOO_BUSY
        return {
            "calls": self.count,
            "failures": self.failures,
            "first_error": self.first_error or None,
            "wall_seconds": statistics.median(self.seconds),
            "mean_seconds": own / self.count,
            "longest_seconds": max(self.seconds),
            "spread_seconds": _spread(self.seconds),
            "growth": _growth(self.seconds),
            "cpu_fraction": None if "cpu_fraction" in reasons else cpu,
            "gil_fraction": gil_fraction,
            "longest_gil_hold_seconds": hold,
            "busy_fraction": self.queued / self.wall,
            **self._carried.facts(reasons),
            "peak_memory_bytes": _peak_memory(reasons),
            "reasons": reasons,
        }

    def _gil(self, cpu: float, reasons: dict[str, str]) -> tuple[float | None, float | None]:
        if self.controls is None:
            reasons["gil_fraction"] = "this interpreter runs without the GIL"
            reasons["longest_gil_hold_seconds"] = reasons["gil_fraction"]
            return None, None
        hold = self._lateness.longest(self._begin, self._end, self.controls.usual)
        if cpu > SEVERAL_CORES:
            reasons["gil_fraction"] = "native threads of its own keep the cores busy"
            reasons["longest_gil_hold_seconds"] = reasons["gil_fraction"]
            return None, None
        if not self.controls.trusted or self.queued > MOST_QUEUEING * self.wall:
            reasons["gil_fraction"] = TOO_BUSY
            reasons["longest_gil_hold_seconds"] = reasons["gil_fraction"]
            return None, None
        if cpu < LEAST_CPU:
            reasons["gil_fraction"] = "it hardly computes"
            return None, hold
        if cpu < 1 - LEAST_CPU and self.cpu / self.count < gil.SHORTEST:
            reasons["gil_fraction"] = "it computes too briefly between its waits to tell"
            return None, hold
        held = self._lateness.held(self._begin, self._end, self.controls.usual)
        # It holds the GIL while it computes, and while it waits for a core in between.
        runnable = (self.cpu + self.queued) / self.wall
        return min(1.0, self.controls.share(held) / min(1.0, runnable)), hold

    def facts_when_hung(self) -> dict[str, Any]:
        """Return what is known while a call does not return."""
        missing = ("cpu_fraction", "gil_fraction", "longest_gil_hold_seconds")
        starved = self._starving() > MOST_UNSURE
        why = TOO_BUSY if starved else "a call did not return in time"
        reasons = dict.fromkeys(missing, why)
        return {
            "calls": self.count,
            "failures": self.failures,
            "first_error": self.first_error or None,
            "wall_seconds": statistics.median(self.seconds) if self.seconds else None,
            "mean_seconds": statistics.mean(self.seconds) if self.seconds else None,
            "hung_item": self.current,
            **dict.fromkeys(missing),
            **self._carried.facts(reasons, missing=why),
            "peak_memory_bytes": _peak_memory(reasons),
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


def _peak_memory(reasons: dict[str, str]) -> int | None:
    try:
        import resource
    except ImportError:
        reasons["peak_memory_bytes"] = "this platform does not tell"
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
