"""The charts: bars of a bench, and the makespan of every model over the number of tasks.

The only module that imports matplotlib, which takes a second: it is imported where it draws.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from scaffold.commands.bench import Bench, Result
from scaffold.core.crossover import Crossover
from scaffold.core.domain import Model
from scaffold.core.models import MODELS
from scaffold.core.units import show_count, show_seconds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Rectangle


class Style(NamedTuple):
    """How a model is drawn: a colour, and a line and a marker that need no colour."""

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
# The colours of no model: words and axes, the page, lines that only guide the eye.
INK, PAPER, FAINT = "#24292f", "#ffffff", "#b4bac1"

# Inches across: at 11 points the words are still read at the width of a phone.
WIDTH = 6.4
BAR_HEIGHT, BARS_BESIDE, LINES_HEIGHT = 0.52, 0.75, 4.0
FONT = {"font.size": 11, "axes.titlesize": 12, "legend.fontsize": 10}
# The share of the width that is left to the words at the longest bar.
WORDS = 0.42
# The share of the strip of models that a letter takes.
LETTER = 0.0165
# The durations that an axis names, in seconds.
DURATIONS = {
    1e-6: "1 us", 1e-5: "10 us", 1e-4: "100 us", 1e-3: "1 ms", 0.01: "10 ms", 0.1: "100 ms",
    1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 36_000: "10 h",
    86_400: "1 day", 864_000: "10 days", 8_640_000: "100 days", 86_400_000: "1,000 days",
}  # fmt: skip

Draw = Callable[["Axes"], None]


class Panel(NamedTuple):
    """One chart: how high it is, in inches, and what draws it."""

    height: float
    draw: Draw


def bars(bench: Bench) -> Panel:
    """Return the bars of a bench, fastest on top: their lengths are the times."""
    return Panel(
        BAR_HEIGHT * len(bench.results) + BARS_BESIDE, lambda axes: _draw_bars(axes, bench)
    )


def lines(over: Crossover, tasks: int, points: Sequence[tuple[Model, float]] = ()) -> Panel:
    """Return the makespan of every model over the number of tasks, and which model is advised.

    `tasks` is the number of tasks, `points` are the times that were measured with them.
    """
    return Panel(LINES_HEIGHT, lambda axes: _draw_lines(axes, over, tasks, points))


def svg(panels: Sequence[Panel], source: str = "") -> str:
    """Return the panels under one another as SVG, with a last line that names their source."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    named = ("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.edgecolor")
    look: dict[Any, Any] = {
        **dict.fromkeys(named, INK),
        **FONT,
        "svg.fonttype": "none",
        "svg.hashsalt": "concgen",
        "savefig.facecolor": PAPER,
    }
    heights = [panel.height for panel in panels]
    with matplotlib.rc_context(look):
        figure, axes = pyplot.subplots(
            len(panels), 1, squeeze=False, figsize=(WIDTH, sum(heights) + 0.25 * bool(source)),
            height_ratios=heights, layout="constrained",
        )  # fmt: skip
        for panel, ax in zip(panels, axes[:, 0], strict=True):
            panel.draw(ax)
            ax.spines[["top", "right"]].set_visible(False)
        if source:
            figure.supxlabel(source, fontsize=8.5, color="#57606a", x=0.99, ha="right")
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
        pyplot.close(figure)
    return out.getvalue()


def _draw_bars(axes: Axes, bench: Bench) -> None:
    ranked = bench.ranked[::-1]
    for place, result in enumerate(ranked):
        colour, star = STYLES[result.model].colour, "*" if result.extrapolated else ""
        took, predicted = _measured(result), result.predicted_seconds
        axes.barh(place + 0.19, took, 0.36, color=colour)
        axes.barh(
            place - 0.19, predicted, 0.36,
            color=PAPER, edgecolor=colour, hatch="////", linewidth=0.8,
        )  # fmt: skip
        label = f"{show_seconds(took)}{star} measured" if result.works else "failed"
        _beside_bar(axes, took, place + 0.19, label)
        _beside_bar(axes, predicted, place - 0.19, f"{show_seconds(predicted)} predicted")
    axes.set_yticks(
        range(len(ranked)),
        [f"{result.model}\n{show_count(result.max_workers)} at once" for result in ranked],
    )
    axes.tick_params(length=0)
    longest = max(max(_measured(result), result.predicted_seconds) for result in ranked)
    axes.set_xlim(0, longest * (1 + WORDS))
    axes.set_xticks([])  # each bar says its time
    axes.spines["bottom"].set_visible(False)
    more = " (* from a part of them)" if any(result.extrapolated for result in ranked) else ""
    axes.set_title(f"{show_count(bench.workload.tasks)} items with each model{more}", loc="left")


def _measured(result: Result) -> float:
    return result.measured_seconds if result.works else 0.0


def _beside_bar(axes: Axes, seconds: float, place: float, text: str) -> None:
    axes.annotate(
        text, (seconds, place), xytext=(5, 0), textcoords="offset points",
        va="center", fontsize=9.5,
    )  # fmt: skip


def _draw_lines(
    axes: Axes, over: Crossover, tasks: int, points: Sequence[tuple[Model, float]]
) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    for model, estimates in over.estimates.items():
        colour, line, marker = STYLES[model]
        seconds = [estimate.seconds for estimate in estimates]
        axes.plot(over.counts, seconds, color=colour, linestyle=line, linewidth=1.8)
        axes.plot(
            [], [], marker=marker if points else None, color=colour, linestyle=line,
            label=str(model),
        )  # fmt: skip
    for model, measured in points:
        axes.plot(
            tasks, measured, STYLES[model].marker, color=STYLES[model].colour,
            markersize=8, markeredgecolor=PAPER,
        )  # fmt: skip
    axes.axvline(tasks, color=FAINT, linestyle=(0, (2, 2)), linewidth=1, zorder=0)
    axes.set_xlim(over.counts[0], over.counts[-1])
    _draw_strip(axes, over)
    axes.set_xlabel(f"tasks, logarithmic (dotted: {show_count(tasks)})")
    axes.set_ylabel("makespan, logarithmic")
    axes.xaxis.set_major_formatter(lambda value, _: show_count(round(value)))
    _show_durations(axes)
    drawn = "lines: predicted, points: measured" if points else "predicted"
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=3, frameon=False, title=drawn,
        title_fontsize=10,
    )  # fmt: skip


def _draw_strip(axes: Axes, over: Crossover) -> None:
    """Draw, above the lines, which model is advised for how many tasks, and from where on."""
    last = math.log(over.counts[-1])
    ends = [begin for begin, _, _ in over.stretches[1:]] + [over.counts[-1]]
    labels = []
    for (begin, _, model), end in zip(over.stretches, ends, strict=True):
        left, right = math.log(begin) / last, math.log(end) / last
        labels.append(f"{model} from {show_count(_rounded(begin))}" if begin > 1 else str(model))
        axes.add_patch(_block(left, right - left, STYLES[model].colour, axes))
        if begin > 1:
            axes.axvline(begin, color=FAINT, linewidth=0.8, zorder=0)
        if len(model) * LETTER < right - left:
            axes.annotate(
                str(model), ((left + right) / 2, 1.045), xycoords="axes fraction",
                ha="center", va="center", fontsize=9.5, color=PAPER, fontweight="bold",
            )  # fmt: skip
    axes.set_title(f"Advised: {', '.join(labels)}", loc="left", pad=24)


def _rounded(count: int) -> int:
    """Return a count rounded to two figures, as the flips show it: more is not known."""
    return int(float(f"{count:.2g}"))


def _block(left: float, width: float, colour: str, axes: Axes) -> Rectangle:
    from matplotlib.patches import Rectangle

    return Rectangle(
        (left, 1.015), width, 0.06, transform=axes.transAxes, color=colour, clip_on=False, lw=0
    )


def _show_durations(axes: Axes) -> None:
    """Label the makespans as people read them: 1 ms, 10 s, 1 min."""
    from matplotlib.ticker import FixedLocator, NullLocator

    axes.yaxis.set_major_locator(FixedLocator([*DURATIONS]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(lambda value, _: DURATIONS[value])
