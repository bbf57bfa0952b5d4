"""The pictures of a bench and of a recommendation: the charts, and what a page says with them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import PurePath

from scaffold.commands.bench import Bench
from scaffold.core.crossover import crossover
from scaffold.core.domain import Machine, Recommendation
from scaffold.core.units import show_bytes, show_count, show_ratio, show_seconds
from scaffold.measuring import calibration
from scaffold.terminal import charts, saving
from scaffold.terminal.charts import Panel

# The colours that a page gives itself (saving.STYLE).
THEMED = {charts.INK: "var(--ink)", charts.PAPER: "var(--paper)", charts.FAINT: "var(--faint)"}


def of_bench(bench: Bench, suffix: str) -> str:
    """Return the picture of what every model took, and of where the advice changes."""
    over = crossover(
        bench.workload, bench.machine, bench.costs, [result.model for result in bench.results]
    )
    points = [(result.model, result.measured_seconds) for result in bench.results if result.works]
    panels = [charts.bars(bench), charts.lines(over, bench.workload.tasks, points)]
    busy = f"other programs used {bench.busy:.0%} of it" if bench.is_busy else ""
    basis = _basis(bench.function, bench.machine, bench.day, busy)
    fastest, words = bench.fastest, "None of the models did the work"
    if fastest is not None:
        took, items = show_seconds(fastest.measured_seconds), show_count(bench.workload.tasks)
        words = f"{fastest.model.capitalize()} is the fastest: {took} for {items} items"
    head = ("model", "measured", "predicted", "error", "at once")
    rows = [
        (
            str(result.model),
            show_seconds(result.measured_seconds) if result.works else "failed",
            show_seconds(result.predicted_seconds),
            f"{result.error:+.0%}" if result.works else "",
            show_count(result.max_workers),
        )
        for result in bench.ranked
    ]
    if suffix != ".html":
        return charts.svg(panels, basis)
    return saving.page(words, _themed(panels), head, rows, basis)


def of_advice(advice: Recommendation, function: str | None, suffix: str) -> str:
    """Return the picture of what every model would take, and of where the advice changes."""
    work = advice.workload
    costs = calibration.load(advice.machine).costs
    over = crossover(work, advice.machine, costs, [estimate.model for estimate in advice.estimates])
    answered = f"{work.bound} work of {show_seconds(work.task_seconds)} a task, as answered"
    basis = _basis(function or answered, advice.machine, time.strftime("%Y-%m-%d"), "")
    head = ("model", "time", "range", "at once", "speedup", "memory", "")
    rows = [
        (
            str(estimate.model),
            show_seconds(estimate.seconds),
            f"{show_seconds(estimate.low)} to {show_seconds(estimate.high)}",
            show_count(estimate.max_workers),
            show_ratio(estimate.speedup),
            show_bytes(estimate.peak_memory_bytes),
            advice.standing(estimate.model),
        )
        for estimate in advice.estimates
    ]
    words = advice.headline[0].upper() + advice.headline[1:]
    panels = [charts.lines(over, work.tasks)]
    if suffix != ".html":
        return charts.svg(panels, basis)
    return saving.page(words, _themed(panels), head, rows, basis, advice.told())


def _basis(function: str, machine: Machine, day: str, busy: str) -> str:
    """Return what a picture is from; of a path only the end, which names no home directory."""
    function = "/".join(PurePath(function).parts[-2:])
    gil = "" if machine.gil else " without the GIL"
    where = f"{machine.cores:.3g} cores, Python {machine.python}{gil} ({machine.platform})"
    return " · ".join(filter(None, (function, where, busy, day)))


def _themed(panels: Sequence[Panel]) -> list[str]:
    """Return each panel as a drawing of its own that takes the colours of the page."""
    drawings = [charts.svg([panel]) for panel in panels]
    for colour, variable in THEMED.items():
        drawings = [drawing.replace(colour, variable) for drawing in drawings]
    return drawings
