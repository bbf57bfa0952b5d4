"""`concgen demo`: what it shows of each model, and that what it says is so."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from scaffold.commands import demo
from scaffold.commands.demo import MODELS_SHOWN, Demo, Task
from scaffold.commands.progress import SILENT
from scaffold.core.domain import Bound
from scaffold.core.errors import UsageError
from scaffold.core.lessons import TASKS
from scaffold.measuring.lab import Laboratory
from scaffold.terminal import demo_picture, demo_views, timeline


@pytest.fixture(autouse=True, scope="module")
def _quick():
    """Let the heavier tasks be light."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "SECONDS", 0.04)
        yield


@pytest.fixture(scope="module")
def shown(_quick):
    """Return a demonstration of work that computes."""
    plan = demo.plan(Bound.CPU)
    with demo.stage(plan) as stage:
        example = tuple(stage.example(model) for model in plan.models)
        return Demo(plan, example, tuple(stage.heavier(model, SILENT) for model in plan.models))


@pytest.mark.parametrize("kind", [Bound.IO, Bound.MIXED])
def test_every_task_is_shown_on_every_model_by_its_workers(concgen, kind):
    document = concgen("demo", kind, "--json").json
    rows = {row["model"]: row for row in document["results"]}
    assert list(rows) == [row["model"] for row in document["article"]] == list(MODELS_SHOWN[kind])
    for row in rows.values():
        assert row["error"] is None
        assert row["predicted_seconds"] > 0
        assert [task["task"] for task in row["tasks"]] == list(range(1, TASKS + 1))
        for task in row["tasks"]:
            assert 0 <= task["began"] <= task["ready"] <= task["ended"] <= row["measured_seconds"]
    workers = {
        model: {(task["process"], task["thread"]) for task in row["tasks"]}
        for model, row in rows.items()
    }
    assert len(workers["sequential"]) == len(workers["asyncio"]) == 1
    assert len(workers["threading"]) > 1
    processes = {process for process, _ in workers["multiprocessing"]}
    assert len(processes) <= rows["multiprocessing"]["max_workers"]


def test_the_answer_is_printed_and_drawn(concgen, tmp_path):
    result = concgen("demo", "cpu", "--save", tmp_path / "demo.svg")
    assert result.code == 0, result.err
    assert f"{TASKS} heavier ones" in " ".join(result.err.split())
    assert len(re.findall(r"\(R\d+\)", result.out)) > len(MODELS_SHOWN[Bound.CPU])
    assert "Advised for such work: " in result.out
    assert "</svg>" in (tmp_path / "demo.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("columns", [40, 60, 110])
def test_it_fits_the_terminal(shown, columns):
    plan = shown.plan
    lines = [
        *demo_views.announcement(plan, columns),
        *demo_views.example(shown.article, columns),
        *demo_views.legend(plan, columns),
        *(line for run in shown.runs for line in demo_views.run(run, 1.0, columns)),
        *demo_views.summary(shown, columns),
    ]
    assert max(map(len, lines)) <= columns


def test_the_picture_shows_every_model_and_where_each_task_begins(shown):
    drawing = demo_picture.drawn(shown, ".svg")
    for run in shown.runs:
        assert f">{run.model}, " in drawing
    assert drawing.count('<text class="number"') == TASKS * len(shown.runs) + 1  # in the legend
    assert "<table>" in demo_picture.drawn(shown, ".html")


def test_a_busy_machine_is_told_by_what_it_keeps_from_one_task_at_a_time(shown):
    slow = [
        run._replace(tasks=tuple(task._replace(ended=2 * task.ended) for task in run.tasks))
        for run in shown.runs
    ]
    assert replace(shown, runs=tuple(slow)).is_busy


def test_a_model_that_cannot_start_is_left_out_and_said(concgen, monkeypatch):
    run = Laboratory.run

    def refuse(lab, trial, *arguments):
        if trial.model == "multiprocessing":
            raise UsageError("multiprocessing: no process can be started")
        return run(lab, trial, *arguments)

    monkeypatch.setattr(Laboratory, "run", refuse)
    result = concgen("demo")
    assert result.code == 0
    assert "not measured: no process can be started" in result.out


def test_it_ends_when_the_time_is_over(concgen, monkeypatch):
    monkeypatch.setattr(demo, "WHOLE", 0.0)
    result = concgen("demo")
    assert result.code == 1
    assert "there was no time left" in result.err


def test_a_rule_leads_to_the_demonstration_that_shows_it(concgen):
    assert "See it" in concgen("rules", "R9").out
    assert "concgen demo cpu" in concgen("rules", "R9").out
    assert "See it" not in concgen("rules", "R19").out


def on_thread(number, *computed, began=0.0, ready=0.0, ended=8.0):
    return Task(number, (1, number), began, ready, ended, computed)


def test_threads_that_share_the_gil_are_drawn_in_turns():
    """In each column one computes, and each of them an eighth of the time."""
    tasks = [on_thread(number, (0.0, 8.0, 1.0)) for number in range(1, 9)]
    rows = timeline.cells(timeline.lanes(tasks), 64, 8.0)
    for column in zip(*rows, strict=True):
        assert column.count(timeline.COMPUTES) <= 1
    assert {row.count(timeline.COMPUTES) for row in rows} <= {7, 8, 9}
    assert all(set(row) == {timeline.COMPUTES, timeline.READY} for row in rows)


def test_a_task_that_waits_and_then_computes_is_drawn_so():
    task = on_thread(1, (4.0, 8.0, 4.0), ready=4.0)
    assert timeline.cells(timeline.lanes([task]), 10, 10.0) == ["....####  "]


def test_a_task_that_waited_long_enough_is_ready_until_it_computes():
    task = on_thread(1, (6.0, 8.0, 2.0), ready=4.0)
    assert timeline.cells(timeline.lanes([task]), 8, 8.0) == ["....--##"]


def test_tasks_of_one_lane_do_not_overlap():
    tasks = [
        Task(number, (1, 1), began, began, began + 2.0, ())
        for number, began in enumerate((0.0, 1.0, 2.0, 3.0), 1)
    ]
    lanes = timeline.lanes(tasks)
    assert len(lanes) == 2
    for lane in lanes:
        assert all(earlier.ended <= later.began for earlier, later in pairwise(lane.tasks))
