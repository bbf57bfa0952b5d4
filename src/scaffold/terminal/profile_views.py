"""What the user reads of a profile: one fact a line, and what follows from it. Prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from scaffold.core.observed import Profile
from scaffold.core.reasons import RELEASES_GIL
from scaffold.core.units import show_bytes, show_count, show_seconds
from scaffold.terminal.layout import facts

T = TypeVar("T")

# Calls slow down when the last third takes this many times as long as the first third.
GROWS = 1.3
# Seconds of a blocked event loop that everything else in it feels.
STALLS = 0.05


def profile(measured: Profile, binds: str, width: int) -> list[str]:
    """Return the facts as lines of name and value, wrapped to `width`.

    `binds` is what limits the time of all the items.
    """
    return facts(_facts(measured, binds), width)


def _facts(measured: Profile, binds: str) -> Iterator[tuple[str, str]]:
    reasons = measured.reasons
    kind = "async def" if measured.is_async else "def"
    yield "calls", f"{show_count(measured.calls)} of a {kind}{_failures(measured)}"
    yield "time of one call", _time(measured)
    yield "computing", _or_why(measured.cpu_fraction, "cpu_fraction", reasons, _computing)
    for name, label in (("thread_gain", "two threads"), ("process_gain", "two processes")):
        yield label, _or_why(getattr(measured, name), name, reasons, _gain)
    if measured.in_flight_tried > 1:
        yield f"{measured.in_flight_tried} in flight", _gain(measured.in_flight_gain)
    yield "holding the GIL", _or_why(measured.gil_fraction, "gil_fraction", reasons, _gil)
    hold, why = measured.longest_gil_hold_seconds, "longest_gil_hold_seconds"
    yield "longest GIL hold", _or_why(hold, why, reasons, show_seconds)
    if measured.longest_loop_block_seconds is not None:
        yield "longest block", _block(measured.longest_loop_block_seconds)
    yield "item", _or_why(measured.item_bytes, "item_bytes", reasons, show_bytes)
    yield "result", _or_why(measured.result_bytes, "result_bytes", reasons, show_bytes)
    if measured.pickle_seconds is not None:
        yield "pickling both", show_seconds(measured.pickle_seconds)
    if measured.writable is False:
        yield "as JSON", reasons["writable"]
    if not measured.picklable_function:
        yield "in processes", "not as it is: a worker process cannot find the function by its name"
    peak = measured.peak_memory_bytes
    yield "peak memory", _or_why(peak, "peak_memory_bytes", reasons, show_bytes)
    if measured.task_memory_bytes is not None:
        yield "of it by a call", show_bytes(measured.task_memory_bytes)
    seconds, memory = measured.import_seconds, measured.import_bytes
    added = f", {show_bytes(memory)} of memory" if memory else ""
    yield "importing it", f"{show_seconds(seconds)}{added}"
    if binds:
        yield "what binds", binds


def _time(measured: Profile) -> str:
    median, mean = show_seconds(measured.wall_seconds), show_seconds(measured.mean_seconds)
    text = f"{median} median, {mean} mean"
    if measured.spread_seconds is not None:
        text += f", {show_seconds(measured.spread_seconds)} between the quartiles"
    if measured.growth is not None and measured.growth > GROWS:
        text += f"; later calls take {measured.growth:.1f} times as long as the first"
    if measured.hung_item is not None:
        text += f"; the call for item {measured.hung_item} of the sample did not return"
    return text


def _failures(measured: Profile) -> str:
    if not measured.failures:
        return ""
    return f", {show_count(measured.failures)} failed, the first with {measured.first_error}"


def _computing(fraction: float) -> str:
    text = f"{fraction:.0%} of its time"
    return f"{text}: native threads use several cores" if fraction > 1.2 else text


def _gain(gain: float) -> str:
    return f"{gain:.1f} times what one does"


def _gil(fraction: float) -> str:
    free = fraction <= RELEASES_GIL
    meaning = "threads can compute in parallel" if free else "threads take turns"
    return f"{fraction:.0%} of its computing: {meaning}"


def _block(seconds: float) -> str:
    text = f"{show_seconds(seconds)} between two awaits"
    return f"{text}: everything else in the event loop waits" if seconds > STALLS else text


def _or_why(
    value: T | None, name: str, reasons: Mapping[str, str], show: Callable[[T], str]
) -> str:
    return f"not measured: {reasons[name]}" if value is None else show(value)
