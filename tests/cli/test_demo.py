"""`concgen demo`: what it shows of each model, and that what it says is so."""

import re
from itertools import pairwise

import pytest

from scaffold.commands import demo
from scaffold.commands.demo import MODELS_SHOWN, Task
from scaffold.core.domain import Bound, Machine
from scaffold.core.errors import UsageError
from scaffold.core.lessons import LESSONS, TASKS, lesson
from scaffold.core.rules import RULES
from scaffold.measuring.lab import Laboratory
from scaffold.terminal import timeline

MACHINES = [
    Machine(cores, None, "3.13.0", gil, "spawn", None, "win32")
    for cores in (1.0, 2.0, 64.0)
    for gil in (True, False)
]


@pytest.fixture
def quick(monkeypatch):
    """Let the heavier tasks be light."""
    monkeypatch.setattr(demo, "SECONDS", 0.04)


@pytest.mark.parametrize("kind", list(Bound))
def test_every_task_is_shown_on_every_model(concgen, quick, kind):
    document = concgen("demo", kind, "--json").json
    assert [row["model"] for row in document["results"]] == list(MODELS_SHOWN[kind])
    for row in document["results"]:
        assert row["error"] is None
        assert row["predicted_seconds"] > 0
        assert sorted(task["task"] for task in row["tasks"]) == list(range(1, TASKS + 1))
        for task in row["tasks"]:
            assert 0 <= task["began"] <= task["ready"] <= task["ended"] <= row["measured_seconds"]
    assert {row["model"] for row in document["article"]} == set(MODELS_SHOWN[kind])


def test_the_workers_are_those_of_the_model(concgen, quick):
    rows = {row["model"]: row for row in concgen("demo", "io", "--json").json["results"]}
    workers = {
        model: {(task["process"], task["thread"]) for task in row["tasks"]}
        for model, row in rows.items()
    }
    assert len(workers["sequential"]) == len(workers["asyncio"]) == 1
    assert len(workers["threading"]) > 1
    processes = {process for process, _ in workers["multiprocessing"]}
    assert 1 <= len(processes) <= rows["multiprocessing"]["max_workers"]


@pytest.mark.parametrize("columns", [40, 60, 160])
def test_it_fits_the_terminal_and_names_a_rule_for_each_model(concgen, quick, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    result = concgen("demo", "cpu")
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert max(map(len, lines)) <= columns
    assert len(re.findall(r"\(R\d+\)", " ".join(lines))) >= len(MODELS_SHOWN[Bound.CPU])
    assert f"{TASKS} heavier ones" in " ".join(result.err.split())


def test_a_picture_and_a_page_are_drawn(concgen, quick, tmp_path):
    assert concgen("demo", "--save", tmp_path / "demo.svg").code == 0
    drawing = (tmp_path / "demo.svg").read_text(encoding="utf-8")
    for model in MODELS_SHOWN[Bound.IO]:
        assert f">{model}, " in drawing
    assert drawing.count('<text class="number"') == TASKS * len(MODELS_SHOWN[Bound.IO]) + 1
    assert concgen("demo", "--save", tmp_path / "demo.html").code == 0
    assert "<table>" in (tmp_path / "demo.html").read_text(encoding="utf-8")


def test_a_model_that_cannot_start_is_left_out_and_said(concgen, quick, monkeypatch):
    run = Laboratory.run

    def refuse(lab, trial, *arguments):
        if trial.model == "multiprocessing":
            raise UsageError("multiprocessing: no process can be started")
        return run(lab, trial, *arguments)

    monkeypatch.setattr(Laboratory, "run", refuse)
    result = concgen("demo")
    assert result.code == 0
    assert "not measured: no process can be started" in result.out


def test_it_ends_when_the_time_is_over(concgen, quick, monkeypatch):
    monkeypatch.setattr(demo, "WHOLE", 0.0)
    result = concgen("demo")
    assert result.code == 1
    assert "there was no time left" in result.err


@pytest.mark.parametrize("machine", MACHINES, ids=str)
def test_there_is_a_lesson_for_every_model_on_every_machine(machine):
    rules = {rule.id for rule in RULES}
    for kind, models in MODELS_SHOWN.items():
        for model in models:
            assert lesson(kind, model, machine).rule in rules


def test_every_lesson_is_taught_somewhere():
    taught = {
        lesson(kind, model, machine)
        for kind, models in MODELS_SHOWN.items()
        for model in models
        for machine in MACHINES
    }
    assert taught == set(LESSONS)


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
        assert all(one.ended <= other.began for one, other in pairwise(lane.tasks))
