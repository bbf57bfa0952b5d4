"""How long tasks queue for what they share: the GIL, an event loop, the cores.

A task keeps what is shared for `busy` seconds; during the rest of its time others may have it.
Times are seconds.
"""

import math
from typing import NamedTuple

from scaffold.core.domain import Workload

# Tasks are uneven when the longest takes this many times the mean.
UNEVEN = 1.5
# Seconds that a thread computes before another gets its turn: CPython's switch interval.
SLICE = 0.005
# Rounds after which even tasks that began together have drifted apart.
IN_STEP = 3


class Shared(NamedTuple):
    """A shared resource: how many servers it has, and how long each task keeps a server.

    With `sliced` the tasks take turns, as threads do; otherwise each task is served to its end.
    """

    servers: float
    busy: float
    sliced: bool


def makespan_with(shared: Shared, work: Workload, workers: int, overhead: float) -> float:
    """Return the seconds until all tasks are done with `workers` in flight, `overhead` in each."""
    shared = shared._replace(servers=min(shared.servers, workers))
    free = max(0.0, work.task_seconds + overhead - shared.busy)
    queueing = _queueing(shared, work, workers, free)
    if shared.sliced and shared.busy > SLICE and _even(work):
        lost = max(0.0, _in_step(shared, work, workers, free) - queueing)
        queueing += lost * min(1.0, IN_STEP * workers / work.tasks)
    return max(_side_by_side(work, workers), queueing)


def _queueing(shared: Shared, work: Workload, workers: int, free: float) -> float:
    """Seconds until all are done, once the tasks are spread over their waits.

    Mean value analysis of a closed network with one queue per server, in Schweitzer's
    approximation. Busy servers also lose the first wait, during which nothing computes yet.
    """
    crowd = shared.busy * workers / shared.servers - free
    queued = (crowd + math.sqrt(crowd * crowd + 4 * shared.busy * free)) / 2
    apart = (free + queued) / workers  # seconds from one task's end to the next one's
    use = shared.busy / shared.servers / apart if apart else 0.0
    return work.tasks * apart + use * work.wait_seconds


def _in_step(shared: Shared, work: Workload, workers: int, free: float) -> float:
    """Seconds until all are done when tasks that begin together wait and compute together.

    Taking turns, they also end together: nothing computes while the next tasks wait.
    """
    full, remaining = divmod(work.tasks, workers)
    return sum(
        rounds * (free + shared.busy * max(1.0, crowd / shared.servers))
        for rounds, crowd in ((full, workers), (int(remaining > 0), remaining))
    )


def _even(work: Workload) -> bool:
    return work.longest_seconds <= UNEVEN * work.task_seconds


def _side_by_side(work: Workload, workers: int) -> float:
    """Seconds until all tasks are done if only the number of workers limits them.

    Even tasks run in waves, and the last wave may be short. Uneven tasks follow one another, and at
    the end some workers wait for the longest task: for half of it on average. All of them together
    never take less than the longest.
    """
    if _even(work):
        return math.ceil(work.tasks / workers) * work.task_seconds
    tail = 0.5 * (1 - 1 / workers) * work.longest_seconds
    return max(work.longest_seconds, work.total_seconds / workers + tail)
