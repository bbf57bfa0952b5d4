"""What the other end, and the memory, allow: bounds of every estimate, and what is said of them."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from scaffold.core.advice import recommend
from scaffold.core.costs import DEFAULT_COSTS
from scaffold.core.domain import Bound, Machine, Model, Source, Workload
from scaffold.core.estimates import MEMORY_SHARE, memory_allows, peak_memory
from scaffold.core.models import CLUSTER
from scaffold.core.units import parse_rate, show_rate, write_rate

from .strategies import machines, workloads

MACHINE = Machine(2.0, 8 * 10**9, "3.13.0", True, "fork", 1024, "linux", 6 * 10**9)
REQUESTS = Workload(Bound.IO, tasks=3000, task_seconds=0.2, rate_per_second=10.0)
FEW_AT_ONCE = Workload(Bound.IO, tasks=3000, task_seconds=0.2, max_in_flight=4)
LARGE = Workload(Bound.CPU, 500, 20.0, async_client=False, task_memory_bytes=680_000_000)


def test_a_rate_is_a_floor_under_every_model():
    """3,000 requests at 10 a second take five minutes, whatever runs them."""
    advice = recommend(REQUESTS, MACHINE)
    assert min(estimate.seconds for estimate in advice.estimates) == pytest.approx(300, rel=0.01)
    assert "bound by the rate of 10/s" in advice.headline


def test_under_a_rate_the_simplest_model_that_reaches_it_wins():
    """Rate times latency is two in flight; one in flight needs no workers at all."""
    advice = recommend(REQUESTS, MACHINE)
    assert (advice.model, advice.settings.max_workers) == (Model.THREADING, 2)
    slow = recommend(replace(REQUESTS, rate_per_second=2.0), MACHINE)
    assert slow.model is Model.SEQUENTIAL
    assert any(finding.rule == "R17" for finding in slow.findings)


@given(workloads, machines)
@settings(max_examples=50)
def test_no_estimate_ignores_a_limit_that_is_known(workload, machine):
    """Neither the rate, nor the limit in flight, nor the memory that is left."""
    for estimate in recommend(workload, machine).estimates:
        assert estimate.seconds >= workload.seconds_at_rate
        assert estimate.max_workers <= (workload.max_in_flight or estimate.max_workers)
        memory_left = machine.memory_left_bytes
        if memory_left is not None and estimate.model is not CLUSTER and estimate.max_workers > 1:
            assert estimate.peak_memory_bytes <= MEMORY_SHARE * memory_left


def test_memory_counts_what_running_tasks_need():
    little = MACHINE._replace(memory_left_bytes=1_000_000_000)
    advice = recommend(LARGE, little)
    assert advice.model is Model.SEQUENTIAL
    assert advice.binding == "memory"
    assert any("680 MB" in finding.reason for finding in advice.findings)
    enough = recommend(LARGE, MACHINE)
    assert (enough.model, enough.settings.max_workers) == (Model.MULTIPROCESSING, 2)
    assert enough.estimate(Model.MULTIPROCESSING).peak_memory_bytes > 2 * 680_000_000


def test_memory_counts_what_each_worker_imports():
    """A process has it once more, a thread has not."""
    heavy = replace(LARGE, task_memory_bytes=0, import_bytes=680_000_000)
    little = MACHINE._replace(memory_left_bytes=2_000_000_000)
    assert memory_allows(Model.MULTIPROCESSING, heavy, little, DEFAULT_COSTS) == 1
    assert memory_allows(Model.THREADING, heavy, little, DEFAULT_COSTS) > 100
    advice = recommend(heavy, little)
    assert advice.estimate(Model.MULTIPROCESSING).peak_memory_bytes > 2 * 680_000_000


def test_a_task_that_does_not_fit_at_all_is_said():
    advice = recommend(LARGE, MACHINE._replace(memory_left_bytes=500_000_000))
    assert any("may be killed" in note for note in advice.notes)


def test_memory_allows_the_most_that_fit():
    most = memory_allows(Model.MULTIPROCESSING, LARGE, MACHINE, DEFAULT_COSTS)
    usable = MEMORY_SHARE * MACHINE.memory_left_bytes
    assert peak_memory(Model.MULTIPROCESSING, most, LARGE, MACHINE) <= usable
    assert peak_memory(Model.MULTIPROCESSING, most + 1, LARGE, MACHINE) > usable


def test_without_a_known_limit_the_run_finds_it():
    """A number is no advice against somebody's server; one that was given, or none, is."""
    unknown = recommend(replace(REQUESTS, rate_per_second=None), MACHINE)
    assert unknown.settings.auto
    assert "up to" in unknown.headline
    assert any("--max-in-flight" in note for note in unknown.notes)
    none = replace(REQUESTS, rate_per_second=None, sources={"max_in_flight": Source.ASKED})
    assert not recommend(none, MACHINE).settings.auto
    assert not recommend(replace(none, max_in_flight=50), MACHINE).settings.auto
    assert not recommend(REQUESTS, MACHINE).settings.auto
    assert not recommend(LARGE, MACHINE).settings.auto


@pytest.mark.parametrize(
    ("workload", "field", "model"),
    [
        (REQUESTS, "rate_per_second", Model.THREADING),
        (replace(LARGE, task_memory_bytes=5 * 10**9), "task_memory_bytes", Model.MULTIPROCESSING),
        (
            Workload(Bound.CPU, 2000, 0.05, async_client=False, payload_bytes=500_000_000),
            "payload_bytes",
            Model.MULTIPROCESSING,
        ),
        (LARGE, "cores", Model.MULTIPROCESSING),
        (FEW_AT_ONCE, "max_in_flight", Model.THREADING),
    ],
)  # fmt: skip
def test_what_would_help_is_said_for_every_answer(workload, field, model):
    """The nearest change of it that changes the model, or halves the time."""
    [flip] = [flip for flip in recommend(workload, MACHINE).flips if flip.field == field]
    assert flip.model is model
    assert str(model) in flip.text


@pytest.mark.parametrize(
    ("workload", "binds"),
    [
        (replace(REQUESTS, rate_per_second=None, max_in_flight=4), "the limit of 4 in flight"),
        (replace(LARGE, task_memory_bytes=0), "cores"),
        (Workload(Bound.IO, 100, 1.0), "waiting"),
    ],
)
def test_what_binds_is_said(workload, binds):
    assert recommend(workload, MACHINE).binding == binds


@pytest.mark.parametrize(
    ("text", "per_second", "shown"),
    [
        ("10/s", 10.0, "10/s"),
        ("600/min", 10.0, "10/s"),
        ("90 / minute", 1.5, "90/min"),
        ("5000/h", 5000 / 3600, "5,000/h"),
        ("1k/day", 1000 / 86400, "1,000/d"),
        ("0.5/s", 0.5, "30/min"),
    ],
)
def test_rates(text, per_second, shown):
    assert parse_rate(text) == pytest.approx(per_second)
    assert show_rate(parse_rate(text)) == shown
    assert parse_rate(write_rate(per_second)) == pytest.approx(per_second)


@pytest.mark.parametrize("text", ["10", "ten/s", "10/fortnight", "0/s", "-1/s", "/s", "10/"])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(ValueError, match="is not a rate, such as 10/s"):
        parse_rate(text)


def test_an_odd_rate_is_shown_in_the_first_unit_above_one():
    assert show_rate(1 / 7) == "8.6/min"
    assert show_rate(1e-7) == "0.0086/d"


def test_one_worker_is_never_said_to_be_perhaps_faster():
    """Where memory holds one task, processes would be one process."""
    work = Workload(Bound.CPU, tasks=200, task_seconds=3.0, task_memory_bytes=12 * 10**9)
    advice = recommend(work, MACHINE._replace(memory_left_bytes=20 * 10**9))
    assert advice.model is Model.SEQUENTIAL
    assert advice.rivals == ()


def test_no_model_is_said_to_be_perhaps_faster_than_the_rate():
    """However wide the range, the rate holds every model back."""
    advice = recommend(REQUESTS, MACHINE)
    assert advice.rivals == ()
    assert all(estimate.low >= 299.0 for estimate in advice.estimates)
