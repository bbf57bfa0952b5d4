"""The pictures of `--save`: what they show is true, and nothing covers anything."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest

pytest.importorskip("matplotlib")

from matplotlib import pyplot
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Annotation

from scaffold.commands.bench import Bench, Result
from scaffold.core.advice import recommend
from scaffold.core.costs import DEFAULT_COSTS
from scaffold.core.crossover import crossover
from scaffold.core.domain import Machine, Model, Workload
from scaffold.terminal import charts, pictures

TWO_CORES = Machine(2.0, 8 * 10**9, "3.13.0", True, "fork", 1024, "linux", None)
MODELS = [model for model in Model if model is not Model.DASK]


def bench(*seconds: float, tasks: int = 1000, failed: int = 0) -> Bench:
    """A bench in which the models took so long, and were predicted a tenth faster."""
    results = tuple(
        Result(model, 8, 0.9 * took, took, tasks, failed, extrapolated=took > 20)
        for model, took in zip(MODELS, seconds, strict=False)
    )
    work = Workload(tasks=tasks, task_seconds=0.02)
    return Bench(work, TWO_CORES, DEFAULT_COSTS, results, True, "work.py:fetch", "2026-01-31")


BENCHES = {
    "far apart": bench(21.0, 1.3, 0.052, 11.0, 0.4),
    "alike": bench(1.0, 1.1, 1.0, 1.05, 0.98),
    "one": bench(1.0),
    "minutes": bench(4000.0, 17.0, 4.0, 2000.0, 4.3, tasks=20_000),
    "failed": bench(4.0, 2.0, failed=900),
}


def drawn(panel: charts.Panel):
    """Draw a panel as a file gets it; return its figure, axes and renderer."""
    with pyplot.rc_context(charts.FONT):
        figure, axes = pyplot.subplots(figsize=(charts.WIDTH, panel.height), layout="constrained")
        panel.draw(axes)
        canvas = FigureCanvasAgg(figure)  # whichever canvas an earlier test has made the usual one
        canvas.draw()
    return figure, axes, canvas.get_renderer()


@pytest.mark.parametrize("name", BENCHES)
def test_no_word_touches_a_bar_or_leaves_the_picture(name):
    """Whatever the times are."""
    figure, axes, renderer = drawn(charts.bars(BENCHES[name]))
    whole = figure.bbox
    bars = [patch.get_window_extent(renderer) for patch in axes.patches]
    words = [child for child in axes.get_children() if isinstance(child, Annotation)]
    assert len(words) == 2 * len(BENCHES[name].results)
    for word in words:
        box = word.get_window_extent(renderer)
        assert whole.x0 <= box.x0
        assert box.x1 <= whole.x1, word.get_text()
        assert not any(box.overlaps(bar) for bar in bars), word.get_text()


def test_bars_are_as_long_as_the_times():
    """52 ms beside 21 s is a sliver."""
    _, axes, _ = drawn(charts.bars(BENCHES["far apart"]))
    assert axes.get_xscale() == "linear"
    assert axes.get_xlim()[0] == 0
    assert {0.052, 21.0} <= {round(patch.get_width(), 6) for patch in axes.patches}


@pytest.mark.parametrize("tasks", [1, 50, 1000, 200_000])
def test_the_words_of_the_lines_fit(tasks):
    """The models above the lines stand in their stretches, and the title in the picture."""
    work = Workload(tasks=tasks, task_seconds=0.02)
    over = crossover(work, TWO_CORES, DEFAULT_COSTS, MODELS)
    figure, axes, renderer = drawn(charts.lines(over, tasks))
    stretches = [patch.get_window_extent(renderer) for patch in axes.patches]
    assert len(stretches) == len(over.stretches)
    for child in axes.get_children():
        if isinstance(child, Annotation):
            box = child.get_window_extent(renderer)
            assert any(stretch.x0 <= box.x0 and box.x1 <= stretch.x1 for stretch in stretches)
    assert axes.title.get_window_extent(renderer).x1 <= figure.bbox.x1


def test_a_page_names_function_machine_and_day_and_fits_a_phone():
    """Both charts are in it, in the colours of its theme."""
    text = pictures.of_bench(BENCHES["far apart"], ".html")
    assert "work.py:fetch · 2 cores, Python 3.13.0 (linux) · 2026-01-31" in text
    assert 'name="viewport" content="width=device-width' in text
    assert text.count("<svg") == 2
    assert charts.INK not in re.sub(r"(?s)<style>.*?</style>", "", text, count=1)
    assert "Asyncio is the fastest: 52 ms for 1,000 items" in text


def test_a_drawing_says_what_it_is_from():
    """In its last line."""
    text = pictures.of_bench(BENCHES["alike"], ".svg")
    assert "work.py:fetch · 2 cores" in text


@pytest.mark.parametrize("suffix", ["svg", "html"])
def test_a_recommendation_is_drawn(suffix):
    """With the ranges, and what nobody knows, on the page."""
    advice = recommend(Workload(tasks=20_000, task_seconds=0.2), TWO_CORES, models=tuple(Model))
    text = pictures.of_advice(advice, None, f".{suffix}")
    assert "io work of 200 ms a task, as answered" in text
    if suffix == "html":
        assert "Asyncio, up to" in text
        assert all(html.escape(note) in text for note in advice.notes)


def test_a_picture_of_a_busy_machine_says_so():
    """And of the function's path it shows the end."""
    busy = replace(BENCHES["alike"], busy=0.48, function="/home/ada/crawl/crawl/work.py:work")
    text = pictures.of_bench(busy, ".svg")
    assert "crawl/work.py:work · 2 cores" in text
    assert "other programs used 48% of it" in text
    assert "home" not in text
