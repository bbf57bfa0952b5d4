"""Pictures to keep: of a bench and of a recommendation, as SVG or as a page of HTML.

A page says in words what its charts show, and follows the reader's window and theme.
"""

from __future__ import annotations

import html
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from scaffold.commands.bench import Bench
from scaffold.core.crossover import crossover
from scaffold.core.domain import Machine, Recommendation
from scaffold.core.errors import ConcgenError
from scaffold.core.texts import shown
from scaffold.core.units import show_bytes, show_count, show_ratio, show_seconds
from scaffold.measuring import calibration
from scaffold.terminal import charts
from scaffold.terminal.charts import Panel

# Charts stand beside one another where there is room, and take the colours of the page.
STYLE = """
:root { color-scheme: light dark; --ink: #24292f; --paper: #ffffff; --faint: #b4bac1; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --faint: #57606a; }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 75rem; margin: 1.5rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; line-height: 1.3; }
.charts { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
.charts svg { flex: 1 1 28rem; min-width: 0; max-width: 46rem; width: 100%; height: auto; }
.table { overflow-x: auto; }
td, th { text-align: right; padding: .15rem .6rem; white-space: nowrap; }
td:first-child, th:first-child { text-align: left; padding-left: 0; }
"""
THEMED = {charts.INK: "var(--ink)", charts.PAPER: "var(--paper)", charts.FAINT: "var(--faint)"}


def save_bench(bench: Bench, path: Path) -> None:
    """Draw what every model took, and where the advice changes. Raises ConcgenError."""
    over = crossover(
        bench.workload, bench.machine, bench.costs, [one.model for one in bench.results]
    )
    points = [(one.model, one.measured_seconds) for one in bench.results if one.works]
    panels = [charts.bars(bench), charts.lines(over, bench.workload.tasks, points)]
    basis = _basis(bench.function, bench.machine, bench.day)
    fastest, words = bench.fastest, "None of the models did the work"
    if fastest is not None:
        words = (
            f"{fastest.model} is the fastest: {show_seconds(fastest.measured_seconds)}"
            f" for {show_count(bench.workload.tasks)} items"
        )
    head = ("model", "at once", "predicted", "measured", "error")
    rows = [
        (
            str(one.model),
            show_count(one.max_workers),
            show_seconds(one.predicted_seconds),
            show_seconds(one.measured_seconds) if one.works else "failed",
            f"{one.error:+.0%}" if one.works else "",
        )
        for one in bench.ranked
    ]
    _write(path, panels, words, basis, head, rows)


def save_advice(advice: Recommendation, function: str | None, path: Path) -> None:
    """Draw the makespan of every model, and where the advice changes. Raises ConcgenError."""
    work = advice.workload
    costs = calibration.load(advice.machine).costs
    over = crossover(work, advice.machine, costs, [one.model for one in advice.estimates])
    answered = f"{work.bound} work of {show_seconds(work.task_seconds)} a task, as answered"
    basis = _basis(function or answered, advice.machine, time.strftime("%Y-%m-%d"))
    head = ("model", "at once", "time", "range", "speedup", "memory", "")
    rows = [
        (
            str(one.model),
            show_count(one.max_workers),
            show_seconds(one.seconds),
            f"{show_seconds(one.low)} to {show_seconds(one.high)}",
            show_ratio(one.speedup),
            show_bytes(one.peak_memory_bytes),
            advice.standing(one.model),
        )
        for one in advice.estimates
    ]
    words = advice.headline[0].upper() + advice.headline[1:]
    _write(path, [charts.lines(over, work.tasks)], words, basis, head, rows, advice.told())


def _basis(function: str, machine: Machine, day: str) -> str:
    """Say of what, on what and when."""
    gil = "" if machine.gil else " without the GIL"
    where = f"{machine.cores:.3g} cores, Python {machine.python}{gil} ({machine.platform})"
    return " · ".join(filter(None, (function, where, day)))


def _write(
    path: Path,
    panels: Sequence[Panel],
    words: str,
    basis: str,
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    notes: Iterable[str] = (),
) -> None:
    """Write the SVG, or the page. Raises ConcgenError when it cannot be."""
    if path.suffix == ".html":
        text = page([charts.svg([panel]) for panel in panels], words, basis, head, rows, notes)
    else:
        text = charts.svg(panels, basis)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConcgenError(
            f"cannot write {shown(path)}: {error.strerror}",
            hint="the results above are complete; name another file with --save",
        ) from error


def page(
    drawings: Sequence[str],
    words: str,
    basis: str,
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    notes: Iterable[str] = (),
) -> str:
    """Return a page that holds the drawings and says the same in words."""
    charts_ = "".join(_themed(drawing[drawing.index("<svg") :]) for drawing in drawings)
    table = "".join(_row("td", row) for row in rows)
    told = "".join(f"<p>{html.escape(note)}</p>" for note in notes)
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(words)}</title>\n<style>{STYLE}</style>\n"
        f"<h1>{html.escape(words)}</h1>\n<p>{html.escape(basis)}</p>\n"
        f'<div class="charts">{charts_}</div>\n'
        f'<div class="table"><table>{_row("th", head)}{table}</table></div>\n{told}</html>\n'
    )


def _row(tag: str, cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>\n"


def _themed(drawing: str) -> str:
    for colour, variable in THEMED.items():
        drawing = drawing.replace(colour, variable)
    return drawing
