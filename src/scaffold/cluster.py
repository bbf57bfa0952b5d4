"""Past one machine: how long a cluster takes, and how many cores it needs to meet a deadline. Pure.

Every core of a cluster runs one task at a time. What limits it beside the cores is its one
scheduler, which every batch passes, and what no number of cores can shorten.
"""

from __future__ import annotations

import math

from scaffold.domain import Estimate, Model, Source, Workload
from scaffold.units import show_seconds

# Seconds from the command to the first task: the import, the connection, the package on its way.
# Medians of benchmarks/cluster.py on 2 cores, as the others here.
START = 2.0
# One item there and back, in a batch of many; and one batch through client and scheduler.
HAND_OVER = 1.0e-5
MESSAGE = 4.0e-3
# The engine hands out work in batches of about this long, of at most so many tasks.
BATCH_SECONDS, LARGEST_BATCH = 0.25, 2000
# Bytes a second over an ordinary network of 1 Gbit/s.
NETWORK = 1.2e8
# Memory of a worker process with Dask and nothing else, and of client and scheduler together.
WORKER_BYTES, SCHEDULER_BYTES = 75_000_000, 150_000_000
# The most cores that one scheduler is asked to feed: beyond, Dask's own advice is another design.
MOST_CORES = 10_000


def makespan(cores: int, work: Workload) -> float:
    """Predict the seconds on a cluster of `cores`, from start to the last result."""
    batch = min(LARGEST_BATCH, max(1.0, BATCH_SECONDS / max(work.task_seconds, 1e-9)))
    through_scheduler = work.tasks * (
        HAND_OVER + MESSAGE / batch + work.payload_bytes / NETWORK
    )
    return START + max(_computing(cores, work), through_scheduler)


def peak_memory(cores: int, work: Workload) -> int:
    """Predict the bytes of all processes together, the user's own data apart."""
    return SCHEDULER_BYTES + cores * (WORKER_BYTES + 2 * work.payload_bytes)


def cores_needed(work: Workload, deadline: float) -> int | None:
    """Return the fewest cores that meet the deadline in seconds; None where none do."""
    most = most_cores(work)
    if makespan(most, work) > deadline:
        return None
    few, enough = 0, most
    while enough - few > 1:
        middle = (few + enough) // 2
        if makespan(middle, work) <= deadline:
            enough = middle
        else:
            few = middle
    return enough


def most_cores(work: Workload) -> int:
    """Return how many cores could have something to do."""
    return min(work.tasks, work.max_in_flight or work.tasks, MOST_CORES)


def estimate(cores: int, work: Workload, alone: float, spread: tuple[float, float]) -> Estimate:
    """Predict a cluster of `cores`; `alone` is what the tasks take one after another."""
    seconds = makespan(cores, work)
    low, high = spread
    return Estimate(
        model=Model.DASK,
        max_workers=cores,
        seconds=seconds,
        low=seconds * low,
        high=seconds * high,
        speedup=alone / seconds,
        peak_memory_bytes=peak_memory(cores, work),
    )


def obstacle(work: Workload, deadline: float) -> str:
    """Say why no cluster meets the deadline, given that none does."""
    longest = max(work.task_seconds, work.longest_seconds)
    if longest + START > deadline:
        return f"one task alone takes {show_seconds(longest)}"
    if work.max_in_flight and most_cores(work) == work.max_in_flight:
        least = math.ceil(work.tasks / work.max_in_flight) * work.task_seconds
        return f"with {work.max_in_flight:,} in flight at most it takes {show_seconds(least)}"
    most = most_cores(work)
    return f"even {most:,} cores would take {show_seconds(makespan(most, work))}"
