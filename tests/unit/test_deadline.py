"""A deadline: what brings in a cluster, how large it has to be, and when none helps."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from scaffold.core.advice import recommend
from scaffold.core.costs import DEFAULT_COSTS
from scaffold.core.deadline import cores_needed, on_cluster
from scaffold.core.domain import Bound, Machine, Model, Workload

from .strategies import machines, workloads

TWO_CORES = Machine(2.0, 8 * 10**9, "3.13.0", True, "forkserver", 1024, "linux")
# 40 hours of computing.
LONG = Workload(Bound.CPU, tasks=200_000, task_seconds=0.72, cpu_fraction=1.0)


def by(deadline, workload=LONG):
    return replace(workload, deadline_seconds=deadline)


def test_a_deadline_out_of_reach_here_asks_for_a_cluster():
    """40 hours of computing take about 40 cores to be done in one."""
    advice = recommend(by(3600.0), TWO_CORES)
    assert advice.model is Model.DASK
    assert 40 <= advice.cores_needed <= 44
    assert f"needs about {advice.cores_needed} cores" in advice.findings[-1].reason


@pytest.mark.parametrize("deadline", [None, 30 * 3600.0])
def test_without_need_there_is_no_cluster(deadline):
    """Neither without a deadline nor with one that this machine keeps."""
    advice = recommend(by(deadline), TWO_CORES)
    assert advice.model is Model.MULTIPROCESSING
    assert advice.cores_needed is None
    assert advice.estimate(Model.DASK) is None


@pytest.mark.parametrize(
    ("workload", "reason"),
    [
        (replace(LONG, task_seconds=7200.0), "the longest task alone takes 2 h"),
        (replace(LONG, longest_seconds=7200.0), "the longest task alone takes 2 h"),
        (replace(LONG, max_in_flight=10), "with 10 in flight at most"),
        (replace(LONG, rate_per_second=1 / 3600), "at the rate of 1/h it takes"),
        (replace(LONG, payload_bytes=10**8), "a cluster of 10,000 cores would take"),
        (Workload(Bound.IO, tasks=10**8, task_seconds=0.2), "its tasks wait"),
    ],
)
def test_where_no_cluster_helps_it_is_said_why(workload, reason):
    """The advice is the best that this machine can do, with a note."""
    advice = recommend(by(3600.0, workload), TWO_CORES)
    assert advice.model is not Model.DASK
    assert any(
        note.startswith("60 min cannot be met: ") and reason in note for note in advice.notes
    )


@given(workloads, machines, st.floats(1e-3, 1e6))
@settings(max_examples=50, suppress_health_check=[HealthCheck.filter_too_much])
def test_the_cores_are_the_fewest_that_do(workload, machine, deadline):
    """With them the deadline is kept, with one fewer it is not."""
    cores = cores_needed(by(deadline, workload), machine, DEFAULT_COSTS)
    assume(cores)
    assert on_cluster(cores, workload, machine, DEFAULT_COSTS).seconds <= deadline
    if cores > 1:
        assert on_cluster(cores - 1, workload, machine, DEFAULT_COSTS).seconds > deadline


@given(workloads, machines)
@settings(max_examples=50)
def test_a_cluster_on_one_machine_is_never_the_advice(workload, machine):
    """Without a deadline nothing calls for one, whatever the work and the machine."""
    assert recommend(workload, machine).model is not Model.DASK


def test_a_flip_tells_what_the_deadline_costs():
    """Without it the simpler model does."""
    flips = {flip.field: flip for flip in recommend(by(3600.0), TWO_CORES).flips}
    assert flips["deadline_seconds"].model is Model.MULTIPROCESSING
