"""The makespan of every model over the number of tasks, and where the advice changes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from scaffold.core.advice import Weighed, weigh
from scaffold.core.costs import Costs
from scaffold.core.domain import Estimate, Machine, Model, Workload
from scaffold.core.models import CLUSTER

# Points along a line: enough for a curve that looks smooth.
POINTS = 60
# The lines go from one task to BEYOND times the number of tasks, and to LEAST at least.
BEYOND, LEAST = 10, 1000


class Crossover(NamedTuple):
    """For each number of tasks the model that is advised, and every model's estimate."""

    counts: tuple[int, ...]
    advised: tuple[Model, ...]
    estimates: dict[Model, tuple[Estimate, ...]]

    @property
    def stretches(self) -> list[tuple[int, int, Model]]:
        """The stretches over which one model is advised: the first count, the last, the model."""
        stretches: list[tuple[int, int, Model]] = []
        for count, model in zip(self.counts, self.advised, strict=True):
            if stretches and stretches[-1][2] is model:
                stretches[-1] = (stretches[-1][0], count, model)
            else:
                stretches.append((count, count, model))
        return stretches


def crossover(
    workload: Workload, machine: Machine, costs: Costs, models: Collection[Model]
) -> Crossover:
    """Weigh the models for counts from one task to many, and find where the advice changes.

    A cluster has no line, because it can have any size.
    """
    most = max(LEAST, BEYOND * workload.tasks)

    def at(count: int) -> Weighed:
        return weigh(replace(workload, tasks=count), machine, costs, models)

    counts = sorted({round(most ** (step / POINTS)) for step in range(POINTS + 1)})
    weighings = {count: at(count) for count in counts}
    for before, after in pairwise(counts):
        if weighings[after].chosen.model is not weighings[before].chosen.model:
            change = _change(before, after, at)
            weighings[change] = at(change)
    ordered = [weighings[count] for count in sorted(weighings)]
    drawn = [estimate.model for estimate in ordered[0].estimates if estimate.model is not CLUSTER]
    return Crossover(
        counts=tuple(sorted(weighings)),
        advised=tuple(weighed.chosen.model for weighed in ordered),
        estimates={
            model: tuple(
                estimate
                for weighed in ordered
                for estimate in weighed.estimates
                if estimate.model is model
            )
            for model in drawn
        },
    )


def _change(before: int, after: int, at: Callable[[int], Weighed]) -> int:
    """Return the first count after `before` for which another model is advised."""
    model = at(before).chosen.model

    def differs(count: int) -> bool:
        return at(count).chosen.model is not model

    return before + bisect_left(range(before, after), True, key=differs)
