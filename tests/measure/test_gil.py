"""How long the GIL is held; a Python without it, and an extension that switches it on again."""

from dataclasses import replace

import pytest

from scaffold.commands.advise import Given, Measured, advise
from scaffold.core.domain import Bound, Model, Workload
from scaffold.measuring import gil, machine
from scaffold.measuring.calls import TOO_BUSY, Calls
from scaffold.measuring.sharing import gil_share
from scaffold.measuring.supply import Supply

REASONS = ("gil_fraction", "longest_gil_hold_seconds")
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


def held_all_along(first_turn):
    """A second of Python code, seen by a thread that came to its first turn so late."""
    wakes, now = [], first_turn
    while now < 1.0:
        now += gil.SLEEP + 0.005
        wakes.append(gil.Wake(now, 0.005, 0.005, 0.0))
    return gil.Lateness(wakes, begin=first_turn)


@pytest.mark.parametrize("first_turn", [0.0, 0.3, 0.9])
def test_what_came_before_the_first_look_does_not_count(first_turn):
    assert held_all_along(first_turn).held(0.0, 1.0, usual=0.0) == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize(("first_turn", "is_told"), [(0.1, True), (0.7, False)])
def test_a_look_at_a_small_part_of_the_calls_tells_nothing(first_turn, is_told):
    """The thread that looks waited for a core most of the time."""
    calls = Calls(Supply([], repeat=True), 0.0)
    calls.count, calls.begin, calls.end, calls.wall, calls.cpu = 100, 0.0, 1.0, 1.0, 1.0
    reasons = {}
    controls = gil.Controls(held=1.0, free=0.0, usual=0.0)
    share = gil_share(calls, calls, held_all_along(first_turn), controls, reasons)["gil_fraction"]
    assert (share == pytest.approx(1, abs=0.06)) if is_told else (share is None)
    assert reasons == ({} if is_told else dict.fromkeys(REASONS, TOO_BUSY))
