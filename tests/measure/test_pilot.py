"""Engines tried for a moment on a function, where the choice is close."""

import json

import pytest

from scaffold.asking.target import parse_target
from scaffold.commands import measure
from scaffold.commands.progress import SILENT
from scaffold.core.domain import Machine, Model, Source, Workload
from scaffold.core.estimates import per_task
from scaffold.making.items import read_items
from scaffold.measuring.lab import Trial, laboratory

TWO_CORES = Machine(2.0, 8 * 10**9, "3.13.0", True, "fork", 1024, "linux")
NOTING = """
import hashlib
BLOCK = bytes(1 << 20)
def digest(item):
    with open({log!r}, "a") as out: print(item, file=out)
    return hashlib.sha256(BLOCK).hexdigest()
"""


@pytest.fixture
def noting(tmp_path):
    """Return a target that writes down which items it ran, and the log."""
    log = tmp_path / "log"
    (tmp_path / "noting.py").write_text(NOTING.format(log=str(log)))
    return parse_target(f"{tmp_path / 'noting.py'}:digest"), log


def test_engines_are_tried_on_items_that_were_not_run(tmp_path, noting):
    """Neither by measuring, nor by another engine."""
    target, log = noting
    file = tmp_path / "many.jsonl"
    file.write_text("".join(f"{n}\n" for n in range(2000)))
    measured = measure.measured(target, read_items(file), measure.Effort(), SILENT)
    ran = log.read_text().split()
    assert len(ran) == len(set(ran)) > 0
    assert all(ratio > 0 for ratio in measured.workload.pilots.values())
    if measured.workload.pilots:
        assert measured.workload.source("pilots") is Source.MEASURED


def test_every_engine_gets_its_turn_and_no_item_runs_twice(noting):
    """What one took and did not begin is for the next."""
    target, log = noting
    trials = [
        Trial(target, Model.THREADING, 2, {}),
        Trial(target, Model.MULTIPROCESSING, 2, {}),
    ]
    with laboratory() as lab:
        took = lab.pilot(trials, 5000, range(4000), 20.0)
    assert all(took)
    ran = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(ran) == len(set(ran)) <= 4000


def test_a_task_that_fails_ends_the_try(module, items):
    """Nothing is told, and nobody is disturbed."""
    target = parse_target(f"{module}:sometimes")
    trials = [Trial(target, Model.THREADING, 2, {}), Trial(target, Model.HYBRID, 4, {})]
    with laboratory() as lab:
        assert lab.pilot(trials, 1000, [1, 3, 5], 2.0) == [None, None]


def test_the_prediction_of_a_task_in_the_middle_of_a_run():
    """As many at once as there are cores, and starting does not count."""
    work = Workload("cpu", 1000, 0.01)
    assert per_task(Model.SEQUENTIAL, 1, work, TWO_CORES) == pytest.approx(0.01, rel=0.01)
    assert per_task(Model.MULTIPROCESSING, 2, work, TWO_CORES) == pytest.approx(0.005, rel=0.05)
