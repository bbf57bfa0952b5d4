"""Estimates behave as the machine would: finite, positive, and never worse for more cores."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffold.core.advice import recommend
from scaffold.core.domain import Bound, Machine, Model, Source, Workload
from scaffold.core.estimates import LATE, as_it_runs, estimate, makespan, worker_counts
from scaffold.core.reasons import holds_gil
from scaffold.core.units import show_seconds

from .strategies import machines, workloads

models = st.sampled_from(Model)
TWO_CORES = Machine(2.0, 8 * 10**9, "3.13.0", True, "forkserver", 1024, "linux")


@given(models, workloads, machines)
def test_estimates_are_finite_and_positive(model, workload, machine):
    """Whatever the answers, a figure comes out."""
    prediction = estimate(model, workload, machine)
    assert 0 < prediction.low <= prediction.seconds <= prediction.high < float("inf")
    assert 0 < prediction.speedup < float("inf")
    assert prediction.peak_memory_bytes > 0


@given(workloads, machines, st.integers(1, 64), st.integers(1, 64))
def test_more_cores_never_make_processes_slower(workload, machine, few, many):
    """A pool uses only as many processes as pay."""
    few, many = sorted((few, many))
    slow = estimate(Model.MULTIPROCESSING, workload, machine._replace(cores=float(few)))
    fast = estimate(Model.MULTIPROCESSING, workload, machine._replace(cores=float(many)))
    assert fast.seconds <= slow.seconds


@given(models, workloads, machines)
def test_limits_on_the_tasks_in_flight_hold(model, workload, machine):
    """Neither the server's limit nor the count of tasks is exceeded."""
    for workers in worker_counts(model, workload, machine):
        assert 1 <= workers <= workload.tasks
        assert workers <= (workload.max_in_flight or workers)


@given(models, workloads, machines)
def test_more_tasks_never_take_less_time(model, workload, machine):
    """With the same workers, twice the tasks take at least as long."""
    workers = worker_counts(model, workload, machine)[0]
    double = replace(workload, tasks=2 * workload.tasks)
    assert makespan(model, workers, double, machine) >= makespan(model, workers, workload, machine)


def test_a_wait_that_was_answered_is_over_late():
    """Who says 40 us does not count the timer's slack; whoever measured it has it in the figure."""
    answered = Workload(Bound.IO, tasks=20_000, task_seconds=4e-5, cpu_fraction=0.0)
    timed = replace(answered, sources={"task_seconds": Source.MEASURED})
    late = 20_000 * LATE

    def alone(work: Workload) -> float:
        return estimate(Model.SEQUENTIAL, as_it_runs(work), TWO_CORES).seconds

    seconds = alone(answered)
    assert seconds - late == pytest.approx(alone(timed))
    computing = replace(answered, bound=Bound.CPU, cpu_fraction=1.0)
    assert alone(computing) == pytest.approx(seconds - late)


def test_threads_do_not_compute_side_by_side_under_the_gil():
    """100 s of Python code take 100 s in any number of threads, 50 s without the GIL."""
    workload = Workload(Bound.CPU, tasks=2000, task_seconds=0.05, cpu_fraction=1.0)
    with_gil = estimate(Model.THREADING, workload, TWO_CORES).seconds
    without = estimate(Model.THREADING, workload, TWO_CORES._replace(gil=False)).seconds
    assert with_gil == pytest.approx(100, rel=0.02)
    assert without == pytest.approx(50, rel=0.02)


def test_a_worker_per_core_never_queues():
    """Four tasks that compute, two at a time on two cores, take two rounds."""
    workload = Workload(Bound.CPU, tasks=4, task_seconds=1.0, cpu_fraction=1.0)
    assert makespan(Model.MULTIPROCESSING, 2, workload, TWO_CORES) == pytest.approx(2, rel=0.1)


def test_tasks_that_wait_and_compute_queue_for_the_gil():
    """Ten in flight, half of whose time is the GIL's, keep it busy and hardly faster than that."""
    workload = Workload(Bound.MIXED, tasks=1000, task_seconds=0.02, cpu_fraction=0.5)
    few, many = (makespan(Model.THREADING, k, workload, TWO_CORES) for k in (2, 64))
    assert few > 1.2 * many
    assert many == pytest.approx(10, rel=0.1)


def test_an_async_function_costs_more_where_there_is_no_event_loop():
    """Every call is run to its end by itself."""
    fields = {"tasks": 10_000, "task_seconds": 1e-4, "cpu_fraction": 1.0}
    fields["sources"] = {"async_client": Source.MEASURED}
    plain = makespan(Model.THREADING, 2, Workload(**fields, async_client=False), TWO_CORES)
    assert makespan(Model.THREADING, 2, Workload(**fields, async_client=True), TWO_CORES) > plain


def test_an_async_client_costs_nothing_where_the_function_is_not_written_yet():
    """It can be called the other way."""
    fields = {"tasks": 10_000, "task_seconds": 1e-4, "cpu_fraction": 1.0}
    for model in (Model.SEQUENTIAL, Model.THREADING, Model.MULTIPROCESSING):
        with_client, without_client = (
            Workload(**fields, async_client=client) for client in (True, False)
        )
        assert makespan(model, 2, with_client, TWO_CORES) == makespan(
            model, 2, without_client, TWO_CORES
        )


def test_large_items_take_time_to_read():
    """Whatever the model."""
    small, large = (Workload(tasks=1000, payload_bytes=size) for size in (100, 1_000_000))
    for model in (Model.SEQUENTIAL, Model.THREADING, Model.ASYNCIO, Model.MULTIPROCESSING):
        assert estimate(model, large, TWO_CORES).seconds > estimate(model, small, TWO_CORES).seconds


def test_a_quota_below_a_core_slows_computing():
    """Half a core computes half as fast, and sequential too."""
    workload = Workload(Bound.CPU, tasks=100, task_seconds=0.1, cpu_fraction=1.0)
    half = estimate(Model.MULTIPROCESSING, workload, TWO_CORES._replace(cores=0.5))
    assert half.seconds >= 20


def test_an_event_loop_without_async_client_is_no_faster_than_threads():
    """Blocking calls run in threads behind it."""
    workload = Workload(tasks=10_000, task_seconds=0.2, async_client=False)
    loop = estimate(Model.ASYNCIO, workload, TWO_CORES).seconds
    assert loop >= estimate(Model.THREADING, workload, TWO_CORES).seconds


def test_measured_times_narrow_the_range():
    """A default may be off by two, a measured value by a quarter."""
    asked = Workload(sources={"task_seconds": Source.ASKED})
    measured = replace(asked, sources={"task_seconds": Source.MEASURED})
    wide = estimate(Model.THREADING, asked, TWO_CORES)
    narrow = estimate(Model.THREADING, measured, TWO_CORES)
    assert narrow.high / narrow.low < wide.high / wide.low


def test_even_threads_that_begin_together_compute_together():
    """Eleven tasks, eight at a time on two cores: a round of eight, then one of three."""
    workload = Workload(
        Bound.MIXED, tasks=11, task_seconds=0.242, cpu_fraction=77 / 242, async_client=False
    )
    rounds = (0.165 + 4 * 0.077) + (0.165 + 1.5 * 0.077)
    predicted = makespan(Model.HYBRID, 8, workload, TWO_CORES._replace(start_method="fork"))
    assert predicted == pytest.approx(rounds, rel=0.06)


def test_coroutines_are_served_to_their_end_and_fall_out_of_step():
    """The same tasks as coroutines: the first to end waits again while the others compute."""
    fields = {"tasks": 11, "task_seconds": 0.242, "cpu_fraction": 77 / 242}
    threads, coroutines = (
        makespan(
            Model.HYBRID, 8, Workload(Bound.MIXED, **fields, async_client=has_client), TWO_CORES
        )
        for has_client in (False, True)
    )
    assert coroutines < threads


def test_many_rounds_fall_out_of_step():
    """After a hundred rounds, no more is lost than in the first few."""
    fields = {"task_seconds": 0.02, "cpu_fraction": 0.5, "async_client": False}
    many = Workload(Bound.MIXED, tasks=1600, **fields)
    assert makespan(Model.HYBRID, 16, many, TWO_CORES) == pytest.approx(8.0, rel=0.05)


def test_a_core_and_a_half_are_two_processes_as_fast_as_a_core_and_a_half():
    """Two computing processes share the quota: 100 s take 67 s."""
    workload = Workload(Bound.CPU, tasks=2000, task_seconds=0.05, cpu_fraction=1.0)
    quota = TWO_CORES._replace(cores=1.5)
    prediction = estimate(Model.MULTIPROCESSING, workload, quota)
    assert prediction.max_workers == 2
    assert prediction.seconds == pytest.approx(100 / 1.5, rel=0.02)
    assert recommend(workload, quota).model is Model.MULTIPROCESSING


def test_a_measured_gain_stands_for_the_gil():
    """Two threads that get done no more than one share all of it; two that get twice, nothing."""
    work = Workload(Bound.CPU, 1000, 0.05, gil_fraction=0.0, async_client=False)
    machine = Machine(2.0, None, "3.13.0", True, "fork", 1024, "linux")
    none, full = (replace(work, thread_gain=gain) for gain in (1.0, 2.0))
    assert makespan(Model.THREADING, 2, none, machine) > 1.8 * makespan(
        Model.THREADING, 2, full, machine
    )
    assert holds_gil(none, machine)
    assert not holds_gil(full, machine)


def test_a_measured_gain_slows_processes_that_share_what_is_no_core():
    work = Workload(Bound.CPU, 1000, 0.05, async_client=False)
    machine = Machine(2.0, None, "3.13.0", True, "fork", 1024, "linux")
    shared = replace(work, process_gain=1.0)
    assert makespan(Model.MULTIPROCESSING, 2, shared, machine) > 1.5 * makespan(
        Model.MULTIPROCESSING, 2, work, machine
    )


def test_a_pilot_corrects_what_a_task_takes_and_not_what_starting_does():
    """A model that took half as long as predicted when it was tried does so for all tasks."""
    work = Workload(Bound.CPU, 1000, 0.05, async_client=False)
    machine = Machine(2.0, None, "3.13.0", True, "fork", 1024, "linux")
    tried = replace(work, pilots={"multiprocessing": 0.5})
    before, after = (
        makespan(Model.MULTIPROCESSING, 2, workload, machine) for workload in (work, tried)
    )
    assert after == pytest.approx(before / 2, rel=0.02)
    one_task = replace(work, tasks=2), replace(tried, tasks=2)
    before, after = (makespan(Model.MULTIPROCESSING, 2, workload, machine) for workload in one_task)
    assert before - after == pytest.approx(0.025, rel=0.05)
    assert makespan(Model.THREADING, 2, tried, machine) == makespan(
        Model.THREADING, 2, work, machine
    )


def test_an_other_end_that_is_saturated_binds_every_model():
    """Four in flight do all that it can do."""
    work = Workload(Bound.IO, 1000, 0.1, in_flight_tried=8, in_flight_gain=4.0)
    machine = Machine(2.0, None, "3.13.0", True, "fork", 1024, "linux")
    advice = recommend(work, machine)
    assert min(estimate.seconds for estimate in advice.estimates) == pytest.approx(25, rel=0.01)
    assert advice.binding == "the other end"
    assert "bound by the other end" in advice.headline
    assert advice.settings.max_workers < 8


def test_native_threads_of_a_task_hold_the_gil_one_at_a_time():
    """Two cores busy for as long as it takes are not twice as long with the GIL held."""
    work = Workload(Bound.CPU, 100, 0.1, cpu_fraction=2.0, gil_fraction=1.0)
    assert work.gil_seconds == pytest.approx(0.1)


def test_what_tasks_share_in_a_process_is_there_twice_in_two():
    """A lock or a pool of a process: with more processes more is done."""
    work = Workload(
        Bound.IO, 1000, 0.1, async_client=False, in_flight_tried=8, in_flight_gain=4.0,
        in_flight_per_process=True,
    )  # fmt: skip
    advice = recommend(work, Machine(2.0, None, "3.13.0", True, "fork", 1024, "linux"))
    assert advice.model is Model.HYBRID
    assert advice.estimate(Model.HYBRID).seconds == pytest.approx(12.5, rel=0.05)
    assert advice.estimate(Model.THREADING).seconds == pytest.approx(25, rel=0.05)


def test_past_what_was_tried_the_range_tells_that_nobody_knows():
    """At the worst it can do no more than when it was measured."""
    work = Workload(
        Bound.IO, 1000, 0.1, in_flight_tried=8, in_flight_gain=8.0,
        sources={"task_seconds": Source.MEASURED},
    )  # fmt: skip
    machine = Machine(2.0, None, "3.13.0", True, "fork", 1024, "linux")
    advice = recommend(work, machine)
    chosen = advice.estimate(advice.model)
    assert chosen.seconds < 2
    assert chosen.high > 12.5
    assert f"to {show_seconds(chosen.high)} instead of" in advice.headline
    assert [note for note in advice.notes if "kept up with 8 in flight" in note]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("in_flight_gain", 2.0),
        ("task_memory_bytes", -1),
        ("rate_per_second", 0.0),
        ("thread_gain", 0.0),
    ],
)
def test_what_cannot_be_is_refused(field, value):
    with pytest.raises(ValueError, match=field):
        Workload(**{field: value})
