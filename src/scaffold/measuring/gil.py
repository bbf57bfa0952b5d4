"""How much of its time a function holds the GIL: a second thread sleeps and measures its lateness.

It explains what two threads gain over one (`sharing`), and stands in for that if the gain cannot be
measured. Runs in the child process that measures the user's function; standard library only.

A thread that sleeps half a millisecond is back on time while the GIL is free. While the
function holds it, the thread is late: by up to the switch interval (5 ms) where Python code runs,
and until the end of the call where native code keeps the GIL. So the time that the thread was late,
plus the sleeps between two late returns, is the time that the GIL was held. The same is measured
for two functions whose answer is known, in the same session: when they do not come out right, the
machine is too busy.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from scaffold.measuring.clocks import queueing

SLEEP = 0.0005  # seconds: far below the switch interval, far above the cost of waking up
LATE = 0.0004  # seconds beyond the usual wake-up: more than a scheduler's jitter on an idle core
SHORTEST = 2 * LATE  # seconds: the GIL held for less, between waits, is not seen
CONTROL_SECONDS = 0.12  # per control: some 20 wake-ups under a held GIL, 200 under a free one
CONTROL_BYTES = 1 << 20  # hashlib releases the GIL above 2 KiB; a megabyte takes a millisecond
# What the controls have to show for a verdict: the held one at least, the free one at most.
HELD_AT_LEAST, FREE_AT_MOST = 0.8, 0.15


class Wake(NamedTuple):
    """One turn of the sampling thread, all in seconds."""

    woke: float  # when it was over
    late: float  # because of the GIL, or of an inexact timer
    wait: float  # the longest part of that in one go
    queued: float  # waiting for a core


@dataclass
class Lateness:
    """All wake-ups, in order, of a thread that looked from `begin` on (on the performance counter).

    `cpu_seconds` is what the thread itself took, known at its end.
    """

    wakes: list[Wake] = field(default_factory=list)
    begin: float = 0.0
    cpu_seconds: float = 0.0

    def queued(self) -> float:
        """Return how long, in seconds, the sampler itself waited for a core in all."""
        return sum(wake.queued for wake in self.wakes)

    def usual(self) -> float:
        """Return how late, in seconds, a wake-up is while the GIL is free: a low quartile."""
        late = sorted(wake.late for wake in self.wakes)
        return late[len(late) // 4] if late else 0.0

    def held(self, begin: float, end: float, usual: float) -> float:
        """Return the share of the time from `begin` to `end` in which the GIL was held.

        The time in which the sampler could not look does not count.
        """
        held, was_late = 0.0, False
        for woke, late, _, _ in self._within(begin, end):
            is_late = late - usual > LATE
            if is_late:
                held += min(late - usual, woke - max(begin, self.begin))
            if is_late and was_late:
                held += SLEEP
            elif is_late or was_late:
                held += SLEEP / 2
            was_late = is_late
        return min(1.0, held / max(SLEEP, self.looked(begin, end)))

    def looked(self, begin: float, end: float) -> float:
        """Return for how many seconds from `begin` to `end` the sampler could look.

        While it waited for a core it saw nothing, nor before its first turn, which comes some tens
        of milliseconds late on a busy machine.
        """
        queued = sum(wake.queued for wake in self._within(begin, end))
        return max(0.0, end - max(begin, self.begin) - queued)

    def _within(self, begin: float, end: float) -> list[Wake]:
        begin = max(begin, self.begin)
        return [wake for wake in self.wakes if wake.woke > begin and wake.woke - wake.late <= end]

    def longest(self, begin: float, end: float, usual: float) -> float:
        """Return the longest time, in seconds, that a thread waited for the GIL."""
        waits = [wake.wait - usual for wake in self.wakes if begin < wake.woke < end + wake.late]
        return max(0.0, max(waits, default=0.0))


@contextmanager
def sampling() -> Iterator[Lateness]:
    """Sample lateness in a second thread while the body runs, each on cores of its own."""
    own_core, other_cores = _split_cores()
    lateness, stop = Lateness(), threading.Event()
    record, clock, sleep = lateness.wakes.append, time.perf_counter, time.sleep

    def sample() -> None:
        with _on(own_core), queueing() as queued:
            before, turn = queued(), clock()
            lateness.begin = turn
            while not stop.is_set():
                sleep(SLEEP)
                woke, after, over = clock(), queued(), clock()
                # Reading a file gives the GIL away, as sleeping does: it may be waited for twice.
                first, second, waited = woke - turn - SLEEP, over - woke, after - before
                record(Wake(over, first + second - waited, max(first, second) - waited, waited))
                before, turn = after, over
        lateness.cpu_seconds = time.thread_time()

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        with _on(other_cores):
            yield lateness
    finally:
        stop.set()
        thread.join(1.0)


def _split_cores() -> tuple[set[int], set[int]]:
    """Return a core for the sampler and the others for the body; empty sets if that cannot be.

    On one core the sampler would wait for the body to give way to it, and that time, which the
    scheduler counts as queueing, would hide that the GIL was held.
    """
    if not hasattr(os, "sched_getaffinity"):  # macOS and Windows have no affinity to set
        return set(), set()
    cores = os.sched_getaffinity(0)
    return ({max(cores)}, cores - {max(cores)}) if len(cores) > 1 else (set(), set())


@contextmanager
def _on(cores: set[int]) -> Iterator[None]:
    """Keep the calling thread on `cores`, if there are any, while the body runs."""
    if not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True)
class Controls:
    """The shares that the two known functions showed, and the usual lateness beside them."""

    held: float
    free: float
    usual: float

    @property
    def trusted(self) -> bool:
        """Tell whether the controls came out right."""
        return self.held >= HELD_AT_LEAST and self.free <= FREE_AT_MOST

    def share(self, measured: float) -> float:
        """Put a measured share on the scale between the two controls, from 0 to 1."""
        return min(1.0, max(0.0, (measured - self.free) / (self.held - self.free)))


def calibrate() -> Controls:
    """Measure both controls: native code that releases the GIL, and a Python loop that holds it."""
    block = bytes(CONTROL_BYTES)

    def free() -> None:
        hashlib.sha256(block)

    def held() -> None:
        sum(number * number for number in range(20_000))

    with sampling() as lateness:
        free_span = _span(free)
        held_span = _span(held)
    quiet = Lateness([wake for wake in lateness.wakes if wake.woke < free_span[1]])
    usual = quiet.usual()
    return Controls(
        held=lateness.held(*held_span, usual),
        free=lateness.held(*free_span, usual),
        usual=usual,
    )


def _span(work: Callable[[], None]) -> tuple[float, float]:
    begin = time.perf_counter()
    while time.perf_counter() - begin < CONTROL_SECONDS:
        work()
    return begin, time.perf_counter()
