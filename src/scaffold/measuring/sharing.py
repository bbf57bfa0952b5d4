"""What a second thread, and a second process, gains on the user's function.

The gain is how many times as much two get done as one: 2 if nothing is shared, 1 if everything is,
less if they hinder each other. It is measured by two threads, and two processes, that run the
function on further items. The share of the GIL explains it; if there was no time for two, the
share is what a thread that sleeps beside the function found (`gil`).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import sqrt
from typing import Any

from scaffold.core.makespans import shared_seconds
from scaffold.measuring import gil
from scaffold.measuring.calls import LEAST_CPU, MOST_QUEUEING, SEVERAL_CORES, TOO_BUSY, WAITS, Calls
from scaffold.measuring.machine import runner
from scaffold.measuring.process_pair import ProcessPair
from scaffold.measuring.sharing_child import SPARE, Side

# Seconds that two run side by side: some tens of turns at the GIL (5 ms each), at most.
SPAN = 0.3
# A call may take this many times as long beside another call that holds it up.
TOGETHER = 2.2
# The fewest seconds of calls for a verdict: several turns at the GIL.
LEAST_SPAN = 0.03
# The share of their time that two threads may wait for a core: more, and they hardly met.
MOST_APART = 0.2
# Seconds of a call below which handing it over from here costs as much as it takes.
SHORTEST = 1e-5
# Calls side by side count as failing if they fail this many times as often as calls alone.
FAILS_MORE = 5
# Two may get more than twice as much done as one: the allocator gives a thread memory that it
# keeps, where the main thread gives it back after every call. More than this is an accident.
MOST_GAIN = 8.0
# Other items may take longer than those alone did. If that could change a gain by more than this (a
# standard error), the CPU seconds of a call correct it. Otherwise they do not: threads that fight
# for the GIL thousands of times a second take more CPU seconds for the same work.
UNSURE = 0.1
# A call that another call does not hold up takes at most this many times as long as alone.
NO_SLOWER = 1.25
# CPU seconds are really fewer below this share: above it, two clocks may differ by as much.
MOSTLY = 0.8
# The shares of the items that are left which go to two processes, and then to two threads. What
# remains is for the engines (`pilot`).
TO_PROCESSES, TO_THREADS = 0.25, 0.33
ALONE, TOO_SHORT, TOO_FEW, TOO_SOON, TOO_LONG = (
    "there is one core",
    "a call is too short to tell",
    "there are too few items to run two calls at once",
    "there are too few items to tell",
    "two calls at once take longer than the time left: allow more time with --budget",
)
HARDLY, TOO_BRIEFLY = "it hardly computes", "it computes too briefly between its waits to tell"


def computes(alone: Calls) -> bool:
    """Tell whether two calls at once could hinder each other."""
    return not alone.hopeless() and alone.cpu_fraction() >= WAITS


@contextmanager
def pair(request: Mapping[str, Any], alone: Calls, deadline: float) -> Iterator[SideBySide]:
    """Start two processes that can run the function, if it is worth it; kill them at the end."""
    worthless = _worthless(alone, deadline)
    if worthless:
        yield SideBySide(None, request["is_async"], alone, deadline, worthless)
        return
    two = ProcessPair(request, native=alone.cpu_fraction() > SEVERAL_CORES)
    try:
        yield SideBySide(two, request["is_async"], alone, deadline, "")
    finally:
        two.end()


@dataclass
class SideBySide:
    """Two processes to run the function in, or why it is not worth it."""

    pair: ProcessPair | None
    is_async: bool
    alone: Calls
    deadline: float
    worthless: str

    def gains(self, reasons: dict[str, str]) -> dict[str, float | None]:
        """Return the profile's fields, None with a reason for what cannot be measured."""
        gains: dict[str, float | None] = {"thread_gain": None, "process_gain": None}
        two, alone, deadline = self.pair, self.alone, self.deadline
        why = self.worthless
        if two and not two.ready(deadline - TOGETHER * alone.each):
            why = TOO_LONG
        if two is None or why:
            reasons.update(dict.fromkeys(gains, why))
            return gains
        items = _handed_out(TO_PROCESSES, alone)
        side = _when_there_is_time(two.in_processes, items, alone, deadline)
        if isinstance(side, Side):
            alone.spinning = _spinning(alone, side)
        gains |= _gain("process_gain", side, alone, reasons)
        if self.is_async:
            reasons["thread_gain"] = "an `async def` runs on one event loop"
            return gains
        items = _handed_out(TO_THREADS, alone)
        side = _when_there_is_time(two.on_threads, items, alone, deadline)
        if isinstance(side, Side) and side.queued > MOST_APART * (side.own + side.queued):
            side = TOO_BUSY
        gains["gil_fraction"] = _share(alone, side)
        return gains | _gain("thread_gain", side, alone, reasons)


def _worthless(alone: Calls, deadline: float) -> str:
    if runner.allowed_cores() < 2:
        return ALONE
    if alone.each < SHORTEST:
        return TOO_SHORT
    if alone.supply.left < 2:
        return TOO_FEW
    seconds_left = deadline - time.monotonic()
    return TOO_LONG if seconds_left < TOGETHER * alone.each else ""


def _handed_out(share: float, alone: Calls) -> list[Any]:
    """Return a share of the items: more if they would run out too soon, no more than needed."""
    least, enough = (SPARE + int(2 * span / alone.each) for span in (LEAST_SPAN, SPAN))
    return alone.supply.hand_out(share, least, enough)


def _when_there_is_time(
    measure: Any, items: list[Any], alone: Calls, deadline: float
) -> Side | str:
    """Run two calls side by side and return what they took, or say why not."""
    call_seconds, seconds_left = alone.each, deadline - time.monotonic()
    if len(items) < 2:
        return TOO_FEW
    if seconds_left < TOGETHER * call_seconds:
        return TOO_LONG
    side: Side = measure(items, min(SPAN, seconds_left / 3), alone.supply.repeat, deadline)
    if not side.calls:
        return TOO_LONG
    if side.queued > MOST_QUEUEING * (side.own + side.queued):
        return TOO_BUSY
    if side.failures * alone.count > FAILS_MORE * max(1, alone.failures) * side.calls:
        return "it fails when two calls run at once"
    return side if side.own > LEAST_SPAN else TOO_SOON


def _gain(
    name: str, side: Side | str, alone: Calls, reasons: dict[str, str]
) -> dict[str, float | None]:
    if isinstance(side, str):
        reasons[name] = side
        return {name: None}
    return {name: min(MOST_GAIN, 2 * alone.each / _beside(alone, side))}


def _beside(alone: Calls, side: Side) -> float:
    """Return the seconds of a call beside another."""
    return side.own / side.calls * _scale(alone, side)


def _scale(alone: Calls, side: Side) -> float:
    """Return by what factor the calls alone computed longer, 1 if their times compare well."""
    if len(alone.seconds) < 2 or not side.cpu:
        return 1.0
    uneven = statistics.stdev(alone.seconds) / alone.each
    if uneven * sqrt(1 / alone.count + 1 / side.calls) <= UNSURE:
        return 1.0
    return (alone.cpu / alone.count - alone.spinning) / (side.cpu / side.calls)


def _spinning(alone: Calls, side: Side) -> float:
    """Return the CPU seconds of a call that native threads spend on waiting for more to do.

    Limited to one native thread, as each of `side` was, a call takes no longer, but fewer of them.
    """
    # By the second, not by the call: the items differ, and the first call may be slow.
    taken, cpu = alone.cpu / alone.count, side.cpu / side.own * alone.each
    as_fast = side.own / side.calls < NO_SLOWER * alone.each
    return taken - cpu if as_fast and 0 < cpu < MOSTLY * taken else 0.0


def _share(alone: Calls, side: Side | str) -> float | None:
    """Return the share of its computing that keeps other threads waiting."""
    if isinstance(side, str) or not alone.cpu or alone.cpu_fraction() > SEVERAL_CORES:
        return None
    seconds, cpu = alone.each, alone.cpu / alone.count - alone.spinning
    # Idle time that a call alone does not have is waiting for the other thread.
    idle = max(0.0, side.own - side.cpu) / side.calls * _scale(alone, side)
    late = max(0.0, idle - max(0.0, seconds - cpu))
    return min(1.0, shared_seconds(seconds, seconds + late) / cpu)


def gil_share(
    alone: Calls,
    watched: Calls | None,
    lateness: gil.Lateness,
    controls: gil.Controls | None,
    reasons: dict[str, str],
) -> dict[str, float | None]:
    """Return what a thread beside the function saw of the GIL: its share, and the longest hold."""
    share, hold, why = _share_and_hold(alone, watched, lateness, controls)
    if share is None:
        reasons["gil_fraction"] = why
    if hold is None:
        reasons["longest_gil_hold_seconds"] = why
    return {"gil_fraction": share, "longest_gil_hold_seconds": hold}


def _share_and_hold(
    alone: Calls, watched: Calls | None, lateness: gil.Lateness, controls: gil.Controls | None
) -> tuple[float | None, float | None, str]:
    if controls is None:
        return None, None, "this interpreter runs without the GIL"
    if alone.cpu_fraction() > SEVERAL_CORES:
        return None, None, "native threads of its own keep the cores busy"
    if watched is None or not watched.count:
        unseen = "no item and no time was left to look"
        return None, None, HARDLY if alone.cpu_fraction() < LEAST_CPU else unseen
    looked = lateness.looked(watched.begin, watched.end)
    is_blind = looked < (1 - MOST_QUEUEING) * max(gil.SLEEP, watched.end - watched.begin)
    if not controls.trusted or is_blind or watched.queued > MOST_QUEUEING * watched.wall:
        return None, None, TOO_BUSY
    hold, cpu = lateness.longest(watched.begin, watched.end, controls.usual), alone.cpu_fraction()
    if cpu < LEAST_CPU or (cpu < 1 - LEAST_CPU and cpu * alone.each < gil.SHORTEST):
        return None, hold, HARDLY if cpu < LEAST_CPU else TOO_BRIEFLY
    held = lateness.held(watched.begin, watched.end, controls.usual)
    # The function holds the GIL while it computes, and while it waits for a core in between.
    runnable = min(1.0, (cpu * watched.own + watched.queued) / watched.wall)
    return min(1.0, controls.share(held) / runnable), hold, ""
