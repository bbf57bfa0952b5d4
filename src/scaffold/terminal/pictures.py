"""The picture of a bench: predicted and measured per model, and where the models cross."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from scaffold.commands.bench import Bench
from scaffold.core.advice import weigh
from scaffold.core.domain import Model
from scaffold.core.models import MODELS
from scaffold.core.units import show_count, show_seconds
from scaffold.terminal import layout, saving

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis


class Style(NamedTuple):
    """How a model is drawn: told apart by colour, and by line and marker without."""

    colour: str
    line: str | tuple[int, tuple[int, ...]]  # a name, or offset and dashes
    marker: str


# Grey, then Okabe and Ito's palette: told apart with any kind of colour vision. The models take
# them in their order.
PALETTE = (
    Style("#7f7f7f", "-", "o"),
    Style("#0072b2", "--", "s"),
    Style("#009e73", "-.", "^"),
    Style("#d55e00", ":", "D"),
    Style("#cc79a7", (0, (5, 1, 1, 1, 1, 1)), "v"),
    Style("#e69f00", (0, (3, 2, 1, 2)), "P"),
    Style("#56b4e9", (0, (1, 1)), "X"),
)
STYLES = dict(zip(MODELS, PALETTE, strict=False))
POINTS = 60  # along each line of the crossover chart
MOST_CROSSINGS = 4  # that are named: more would cover one another


def drawn(bench: Bench, suffix: str) -> str:
    """Return the picture as SVG, or inside a page of HTML."""
    drawing = svg(bench)
    return page(bench, drawing) if suffix == ".html" else drawing


def svg(bench: Bench) -> str:
    """Return the drawing: bars on the left, the crossover chart on the right."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "concgen"}):
        figure, (bars, lines) = pyplot.subplots(1, 2, figsize=(12, 5), layout="constrained")
        _draw_bars(bars, bench)
        _draw_lines(lines, bench)
        figure.legend(*lines.get_legend_handles_labels(), loc="outside lower right", ncols=5)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
        pyplot.close(figure)
    return out.getvalue()


def page(bench: Bench, drawing: str) -> str:
    """Return a page that holds the drawing and says the same in words."""
    fastest, words = bench.fastest, "none of the models did the work"
    if fastest is not None:
        words = (
            f"{fastest.model} is the fastest: {show_seconds(fastest.measured_seconds)}"
            f" for {show_count(bench.workload.tasks)} items"
        )
    rows = [
        (
            str(result.model),
            show_count(result.max_workers),
            show_seconds(result.predicted_seconds),
            show_seconds(result.measured_seconds),
            f"{result.error:+.0%}",
        )
        for result in bench.results
    ]
    return saving.page(words, drawing, rows)


def _draw_bars(axes: Axes, bench: Bench) -> None:
    ranked = bench.ranked[::-1]
    places = range(len(ranked))
    colours = [STYLES[result.model].colour for result in ranked]
    predicted = [result.predicted_seconds for result in ranked]
    measured = [result.measured_seconds for result in ranked]
    axes.barh([place - 0.2 for place in places], measured, 0.4, color=colours)
    axes.barh(
        [place + 0.2 for place in places],
        predicted, 0.4, color="white", edgecolor=colours, hatch="///",
    )  # fmt: skip
    for place, result in enumerate(ranked):
        star = "*" if result.extrapolated else ""
        for seconds, shift, word in (
            (result.measured_seconds, -0.2, f"{star} measured"),
            (result.predicted_seconds, 0.2, " predicted"),
        ):
            text = f" {show_seconds(seconds)}{word}"
            axes.annotate(text, (seconds, place + shift), va="center", fontsize="small")
    axes.set_yticks(
        list(places),
        [f"{result.model}\n{show_count(result.max_workers)} at once" for result in ranked],
    )
    shortest, longest = min(measured + predicted), max(measured + predicted)
    # With room for the words at the longest bar.
    if layout.from_zero(shortest, longest):
        axes.set_xlim(0, longest * 1.5)
        axes.set_xlabel("makespan" + _footnote(bench))
    else:
        axes.set_xscale("log")
        axes.set_xlim(shortest / 2, longest * 6)
        axes.set_xlabel("makespan, logarithmic" + _footnote(bench))
    _show_durations(axes.xaxis)
    axes.set_title(f"{show_count(bench.workload.tasks)} items: measured, and predicted (hatched)")
    axes.spines[["top", "right"]].set_visible(False)


def _show_durations(axis: Axis) -> None:
    """Label an axis of seconds as people read them: 1 ms, 10 s."""
    from matplotlib.ticker import NullFormatter

    axis.set_major_formatter(lambda value, _: show_seconds(value))
    axis.set_minor_formatter(NullFormatter())


def _show_counts(axis: Axis) -> None:
    axis.set_major_formatter(lambda value, _: show_count(round(value)))


def _footnote(bench: Bench) -> str:
    return " (* from a part)" if any(result.extrapolated for result in bench.results) else ""


def _draw_lines(axes: Axes, bench: Bench) -> None:
    most = max(1000, 10 * bench.workload.tasks)
    counts = sorted({round(most ** (step / POINTS)) for step in range(POINTS + 1)})
    advised, predicted = _predict(bench, counts)
    for result in bench.results:
        colour, line, marker = STYLES[result.model]
        axes.plot(counts, predicted[result.model], color=colour, linestyle=line)
        axes.plot(bench.workload.tasks, result.measured_seconds, marker, color=colour)
        axes.plot([], [], color=colour, linestyle=line, marker=marker, label=str(result.model))
    axes.set_xscale("log")
    axes.set_yscale("log")
    for n, model in _changes(counts, advised)[:MOST_CROSSINGS]:
        axes.axvline(n, color="#bbbbbb", linewidth=0.8, zorder=0)
        text = f"{model} from {show_count(n)}"
        axes.annotate(
            text, (n, 0.98), xycoords=("data", "axes fraction"), rotation=90, fontsize="small",
            va="top", ha="right",
        )  # fmt: skip
    axes.set_xlabel("number of tasks, logarithmic")
    axes.set_ylabel("makespan, logarithmic")
    _show_counts(axes.xaxis)
    _show_durations(axes.yaxis)
    axes.set_title("where the advice changes (points: measured)")
    axes.spines[["top", "right"]].set_visible(False)


def _predict(bench: Bench, counts: list[int]) -> tuple[list[Model], dict[Model, list[float]]]:
    """Return the advice and every model's makespan, in seconds, for each number of tasks."""
    models = [result.model for result in bench.results]
    advised: list[Model] = []
    predicted: dict[Model, list[float]] = {model: [] for model in models}
    for tasks in counts:
        workload = replace(bench.workload, tasks=tasks)
        chosen, estimates, _ = weigh(workload, bench.machine, bench.costs, models)
        advised.append(chosen.model)
        for estimate in estimates:
            predicted[estimate.model].append(estimate.seconds)
    return advised, predicted


def _changes(counts: list[int], advised: list[Model]) -> list[tuple[int, Model]]:
    """Return from how many tasks on the advice is another model, and which."""
    return [
        (counts[place], advised[place])
        for place in range(1, len(counts))
        if advised[place] is not advised[place - 1]
    ]
