"""What the user reads of a bench: predicted beside measured, a bar per model. Prints nothing."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.commands.bench import Bench, Result
from scaffold.core.units import show_count, show_seconds
from scaffold.terminal.layout import Column, bar, entries, table, wrap


def bench(bench: Bench, width: int) -> list[str]:
    """Return a line per model, fastest first, and the name of the fastest."""
    ranked = bench.ranked
    times = [result.measured_seconds for result in ranked if result.works] or [0.0]
    bars = [
        bar(result.measured_seconds, max(times)) if result.works else "failed" for result in ranked
    ]
    columns = [
        Column("", [str(result.model) for result in ranked], left=True),
        Column("measured", [show_seconds(result.measured_seconds) for result in ranked]),
        Column(
            "predicted", [show_seconds(result.predicted_seconds) for result in ranked], dropped=4
        ),
        Column("error", [f"{result.error:+.0%}" for result in ranked], dropped=3),
        Column("at once", [show_count(result.max_workers) for result in ranked], dropped=2),
        Column("", bars, left=True, dropped=1),
    ]
    fastest = bench.fastest
    summary = "none of them did the work: fix the function first"
    if fastest is not None:
        summary = (
            f"fastest: {fastest.model}, {show_seconds(fastest.measured_seconds)}"
            f" for {show_count(bench.workload.tasks)} items"
        )
    notes = [(str(result.model), remark) for result in ranked for remark in _remarks(result)]
    if bench.is_busy:
        summary += (
            f"; other programs used {bench.busy:.0%} of this machine: bench again when it is quiet"
        )
    return [
        *table(columns, width, marked=0 if fastest else None),
        "",
        *wrap(summary, width),
        *entries("Note", notes, width),
    ]


def _remarks(result: Result) -> Iterator[str]:
    if result.extrapolated:
        yield f"time ran out after {show_count(result.items)} items, the rest is extrapolated"
    if result.failed:
        yield f"{show_count(result.failed)} items failed, the first with {result.first_error}"
