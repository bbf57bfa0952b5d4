"""Past one machine: how many cores of a cluster meet a deadline, or why no cluster does. Pure."""

from __future__ import annotations

from scaffold.core.cluster import START
from scaffold.core.costs import Costs
from scaffold.core.domain import Estimate, Machine, Workload
from scaffold.core.estimates import SPREAD, makespan, peak_memory
from scaffold.core.models import BASELINE, CLUSTER
from scaffold.core.reasons import in_flight, waits
from scaffold.core.units import show_count, show_rate, show_seconds

# The most cores that one scheduler is asked to feed: it tracks every worker and its heartbeat.
MOST_CORES = 10_000


def on_cluster(cores: int, work: Workload, machine: Machine, costs: Costs) -> Estimate:
    """Predict the work on a cluster of `cores` cores like this machine's, one task on each."""
    seconds = _seconds(cores, work, machine, costs)
    low, high = SPREAD[work.source("task_seconds")]
    return Estimate(
        model=CLUSTER,
        max_workers=cores,
        seconds=seconds,
        low=seconds * low,
        high=seconds * high,
        speedup=makespan(BASELINE, 1, work, machine, costs) / seconds,
        peak_memory_bytes=peak_memory(CLUSTER, cores, work, machine, costs),
    )


def cores_needed(work: Workload, machine: Machine, costs: Costs) -> int | None:
    """Return the fewest cores that meet the deadline; None without a deadline, or if none meet it.

    Work that only waits gets None, because it needs no cores.
    """
    deadline, enough = work.deadline_seconds, most_cores(work)
    if deadline is None or waits(work) or _seconds(enough, work, machine, costs) > deadline:
        return None
    few = 0
    while enough - few > 1:
        middle = (few + enough) // 2
        if _seconds(middle, work, machine, costs) <= deadline:
            enough = middle
        else:
            few = middle
    return enough


def most_cores(work: Workload) -> int:
    """Return how many cores could have something to do."""
    return min(in_flight(work), MOST_CORES)


def obstacle(work: Workload, machine: Machine, costs: Costs) -> str:
    """Say why no cluster meets the deadline, given that none does."""
    longest = max(work.task_seconds, work.longest_seconds)
    if longest + START > (work.deadline_seconds or 0.0):
        return f"the longest task alone takes {show_seconds(longest)}"
    if work.rate_per_second and work.seconds_at_rate > (work.deadline_seconds or 0.0):
        rate, seconds = show_rate(work.rate_per_second), show_seconds(work.seconds_at_rate)
        return f"at the rate of {rate} it takes {seconds}, whatever runs it"
    if waits(work):
        return "its tasks wait, and each core of a cluster would wait for one of them"
    most = most_cores(work)
    seconds = show_seconds(_seconds(most, work, machine, costs))
    if most == work.max_in_flight:
        return f"with {show_count(most)} in flight at most, any cluster takes {seconds}"
    return f"a cluster of {show_count(most)} cores would take {seconds}"


def _seconds(cores: int, work: Workload, machine: Machine, costs: Costs) -> float:
    elsewhere = machine._replace(cores=float(cores))
    return makespan(CLUSTER, cores, work, elsewhere, costs)
