"""What the user reads of a bench: predicted beside measured, a bar per model. Prints nothing."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.commands.bench import Bench, Result
from scaffold.core.units import show_count, show_seconds
from scaffold.terminal.layout import Column, bar, entries, table, wrap


def bench(found: Bench, width: int) -> list[str]:
    """Return a line per model, fastest first, and the name of the fastest."""
    ranked = found.ranked
    times = [one.measured_seconds for one in ranked if one.works] or [0.0]
    bars = [
        bar(one.measured_seconds, min(times), max(times)) if one.works else "failed"
        for one in ranked
    ]
    columns = [
        Column("", [str(one.model) for one in ranked], left=True),
        Column("measured", [show_seconds(one.measured_seconds) for one in ranked]),
        Column("predicted", [show_seconds(one.predicted_seconds) for one in ranked], dropped=4),
        Column("error", [f"{one.error:+.0%}" for one in ranked], dropped=3),
        Column("at once", [show_count(one.max_workers) for one in ranked], dropped=2),
        Column("", bars, left=True, dropped=1),
    ]
    fastest = found.fastest
    told = "none of them did the work: mend the function first"
    if fastest is not None:
        told = (
            f"fastest: {fastest.model}, {show_seconds(fastest.measured_seconds)}"
            f" for {show_count(found.workload.tasks)} items"
        )
    notes = [(str(one.model), remark) for one in ranked for remark in _remarks(one)]
    return [
        *table(columns, width, marked=0 if fastest else None),
        "",
        *wrap(told, width),
        *entries("Note", notes, width),
    ]


def _remarks(one: Result) -> Iterator[str]:
    if one.extrapolated:
        yield f"time ran out after {show_count(one.items)} items, the rest is in proportion"
    if one.failed:
        yield f"{show_count(one.failed)} items failed, the first with {one.first_error}"
