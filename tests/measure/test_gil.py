"""A Python without a GIL, and an extension that switches it on again."""

from dataclasses import replace

import pytest

from scaffold.commands.advise import Given, Measured, advise
from scaffold.core.domain import Bound, Model, Workload
from scaffold.measuring import machine

COMPUTES = Workload(
    bound=Bound.CPU, tasks=10_000, task_seconds=0.05, cpu_fraction=1.0, gil_fraction=1.0
)


@pytest.fixture
def advised(monkeypatch):
    """What is advised on two cores without a GIL, for a function that was measured."""
    two_cores = machine.inspect()._replace(gil=False, cores=2.0, python="3.14.0")
    monkeypatch.setattr(machine, "inspect", lambda: two_cores)

    def advised(*, gil_enabled):
        measured = Measured(replace(COMPUTES), "spawn", 0.0, gil_enabled)
        advice = advise(Given({}, {}), None, yes=True, measured=measured)
        return advice.recommendation.model

    return advised


def test_threads_compute_where_there_is_no_gil(advised):
    assert advised(gil_enabled=False) is Model.THREADING


def test_an_extension_that_switches_the_gil_on_takes_them_away(advised):
    """The parent's interpreter has none, but the one that ran the function had."""
    assert advised(gil_enabled=True) is Model.MULTIPROCESSING
