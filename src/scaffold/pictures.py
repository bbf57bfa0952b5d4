"""The picture of a bench: predicted and measured per model, and where the models cross."""

from __future__ import annotations

import html
import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from scaffold.commands.bench import Bench
from scaffold.costs import estimate
from scaffold.domain import Model
from scaffold.units import show_count, show_seconds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

# Okabe and Ito's palette: told apart with any kind of colour vision, and in print.
COLOURS = {
    Model.SEQUENTIAL: "#7f7f7f",
    Model.THREADING: "#0072b2",
    Model.ASYNCIO: "#009e73",
    Model.MULTIPROCESSING: "#d55e00",
    Model.HYBRID: "#cc79a7",
}
POINTS = 60  # along each line of the crossover chart


def save(bench: Bench, path: Path) -> None:
    """Write the picture as SVG, or inside a page of HTML. Raises OSError when it cannot be."""
    drawing = svg(bench)
    text = page(bench, drawing) if path.suffix == ".html" else drawing
    path.write_text(text, encoding="utf-8")


def svg(bench: Bench) -> str:
    """Return the drawing: bars on the left, the crossover chart on the right."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "concgen"}):
        figure, (bars, lines) = pyplot.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
        _draw_bars(bars, bench)
        _draw_lines(lines, bench)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
        pyplot.close(figure)
    return out.getvalue()


def page(bench: Bench, drawing: str) -> str:
    """Return a page that holds the drawing and says the same in words."""
    fastest = bench.fastest
    words = (
        f"{fastest.model} is the fastest: {show_seconds(fastest.measured_seconds)}"
        f" for {show_count(bench.workload.tasks)} items"
    )
    rows = "".join(
        f"<tr><td>{one.model}<td>{one.max_workers:,}<td>{show_seconds(one.predicted_seconds)}"
        f"<td>{show_seconds(one.measured_seconds)}<td>{one.error:+.0%}"
        for one in bench.results
    )
    head = "<tr><th>model<th>at once<th>predicted<th>measured<th>error"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>concgen bench</title>'
        "<style>body{font:16px/1.5 system-ui;max-width:75rem;margin:2rem auto;padding:0 1rem}"
        "svg{width:100%;height:auto}td,th{text-align:right;padding:.1rem 1rem}</style>"
        f"<h1>{html.escape(words)}</h1>{drawing[drawing.index('<svg') :]}"
        f"<table>{head}{rows}</table></html>\n"
    )


def _draw_bars(axes: Axes, bench: Bench) -> None:
    ranked = sorted(bench.results, key=lambda one: -one.measured_seconds)
    places = range(len(ranked))
    colours = [COLOURS[one.model] for one in ranked]
    predicted = [one.predicted_seconds for one in ranked]
    measured = [one.measured_seconds for one in ranked]
    axes.barh([place - 0.2 for place in places], measured, 0.4, color=colours, label="measured")
    axes.barh(
        [place + 0.2 for place in places],
        predicted, 0.4, color="white", edgecolor=colours, hatch="///", label="predicted",
    )  # fmt: skip
    for place, one in enumerate(ranked):
        text = f" {show_seconds(one.measured_seconds)}{'*' if one.extrapolated else ''}"
        axes.annotate(text, (one.measured_seconds, place - 0.2), va="center")
    axes.set_yticks(list(places), [one.model for one in ranked])
    axes.set_xscale("log")
    axes.margins(x=0.15)
    axes.set_xlabel("makespan" + _footnote(bench))
    _show_durations(axes.xaxis)
    axes.set_title(f"{show_count(bench.workload.tasks)} items: measured, and predicted (hatched)")
    axes.spines[["top", "right"]].set_visible(False)


def _show_durations(axis: Axis) -> None:
    """Label an axis of seconds as people read them: 1 ms, 10 s."""
    from matplotlib.ticker import NullFormatter

    axis.set_major_formatter(lambda value, _: show_seconds(value))
    axis.set_minor_formatter(NullFormatter())


def _footnote(bench: Bench) -> str:
    return " (* from a part)" if any(one.extrapolated for one in bench.results) else ""


def _draw_lines(axes: Axes, bench: Bench) -> None:
    most = max(1000, 10 * bench.workload.tasks)
    counts = sorted({round(most ** (step / POINTS)) for step in range(POINTS + 1)})
    for one in bench.results:
        seconds = [
            estimate(
                one.model, replace(bench.workload, tasks=n), bench.machine, bench.costs
            ).seconds
            for n in counts
        ]
        axes.plot(counts, seconds, color=COLOURS[one.model], label=str(one.model))
        axes.plot(bench.workload.tasks, one.measured_seconds, "o", color=COLOURS[one.model])
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("number of tasks")
    axes.set_ylabel("makespan")
    _show_durations(axes.yaxis)
    axes.set_title("where the models cross: predicted lines, measured points")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
