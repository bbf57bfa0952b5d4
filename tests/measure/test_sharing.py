"""What two calls side by side tell of one, by arithmetic alone."""

import pytest

from scaffold.measuring import sharing
from scaffold.measuring.calls import Calls
from scaffold.measuring.sharing_child import Side
from scaffold.measuring.supply import Supply


def alone(seconds: list[float], cpu: float | None = None) -> Calls:
    """Return calls that took so long each, and computed for `cpu` seconds in all."""
    calls = Calls(Supply([], repeat=True), 0.0)
    calls.seconds, calls.count = seconds, len(seconds)
    calls.wall = sum(seconds)
    calls.cpu = calls.wall if cpu is None else cpu
    return calls


def gain(calls: Calls, side: Side) -> float:
    """Return the gain that is told."""
    measured = sharing._gain("thread_gain", side, calls, {})["thread_gain"]
    assert measured is not None
    return measured


def test_the_cpu_seconds_of_a_fight_for_the_gil_are_no_gain():
    """One slow call among many is no reason to compare by CPU seconds."""
    calls = alone([0.001] * 99 + [0.003])
    fight = Side(calls=100, own=0.2, cpu=0.2)  # each twice as long, and twice the CPU seconds
    assert gain(calls, fight) == pytest.approx(1.0, abs=0.03)


def test_longer_items_beside_are_no_loss():
    """Of a few uneven items CPU seconds tell which were the longer ones."""
    calls = alone([0.001, 0.02, 0.003, 0.004])
    longer = Side(calls=4, own=0.056, cpu=0.056)
    assert gain(calls, longer) == pytest.approx(2.0)


def test_native_threads_that_spin_do_not_compute():
    """A library's threads look for more work after a product: held to one, a call is as fast."""
    calls = alone([0.01] * 20, cpu=0.2)
    calls.spinning = sharing._spinning(calls, Side(calls=20, own=0.2, cpu=0.03))
    assert calls.cpu_fraction() == pytest.approx(0.15)
    assert not sharing.computes(calls)


@pytest.mark.parametrize("cpu", [0.3, 0.0], ids=["it computes", "the clock did not tick"])
def test_a_slow_first_call_is_no_spinning(cpu):
    """It imports what it needs: those that come after it take less, and compute all the time."""
    calls = alone([1.0] + [0.02] * 15)
    assert sharing._spinning(calls, Side(calls=15, own=0.3, cpu=cpu)) == 0.0


@pytest.mark.parametrize(
    ("own", "cpu"), [(0.4, 0.2), (0.2, 0.19)], ids=["slower by itself", "the same"]
)
def test_native_threads_that_help_compute(own, cpu):
    """Where a call held to one thread takes longer, or as many CPU seconds, none of them spun."""
    calls = alone([0.01] * 20, cpu=0.4 if own > 0.2 else 0.2)
    assert sharing._spinning(calls, Side(calls=20, own=own, cpu=cpu)) == 0.0
