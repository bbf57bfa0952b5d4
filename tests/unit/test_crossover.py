"""Every model over the number of tasks: what is drawn is what is advised."""

from scaffold.core.advice import recommend
from scaffold.core.costs import DEFAULT_COSTS
from scaffold.core.crossover import crossover
from scaffold.core.domain import Machine, Model, Workload

TWO_CORES = Machine(2.0, 8 * 10**9, "3.13.0", True, "fork", 1024, "linux", None)
MODELS = [model for model in Model if model is not Model.DASK]


def test_a_crossover_is_what_is_advised():
    """For every number of tasks."""
    work = Workload(tasks=500, task_seconds=0.02)
    over = crossover(work, TWO_CORES, DEFAULT_COSTS, MODELS)
    assert over.counts[0] == 1
    assert over.counts[-1] == 5000
    for begin, end, model in over.stretches:
        for tasks in (begin, end):
            other = Workload(tasks=tasks, task_seconds=0.02)
            assert recommend(other, TWO_CORES, models=MODELS).model is model
