"""The models, one row each, simplest first: all that the advice and the commands know of them.

The functions that a row names are in `makespans` and `capacity`; a model's code for projects is in
its folder under `templates/engines`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from scaffold.core import capacity, makespans
from scaffold.core.costs import Costs
from scaffold.core.domain import Machine, Model, Workload
from scaffold.core.units import show_count


class Awaits(StrEnum):
    """When an engine runs the tasks on an event loop."""

    ALWAYS = "always"
    WITH_ASYNC_CLIENT = "with an async client"
    NEVER = "never"


@dataclass(frozen=True)
class Portrait:
    """One model in words, in the terms of the article's key differences and FAQs."""

    parallelism: str
    memory: str
    start_up: str
    communication: str
    synchronisation: str
    gil: str
    best_for: str
    not_for: str
    learning: str


@dataclass(frozen=True)
class ModelSpec:
    """One model: how it is counted, predicted and described.

    `workers` names what `max_workers` counts, singular and plural; None if there is only one.
    `counts` returns the numbers of workers that are worth a try, `per_core` tells that null stands
    for one worker on each core. `pickles` tells that items and results go to other processes.
    `needs` is what has to be installed, `oldest_python` the first version that has what its engine
    is built on.
    """

    model: Model
    workers: tuple[str, str] | None
    counts: Callable[[Workload, Machine], tuple[int, ...]]
    makespan: Callable[[int, Workload, Machine, Costs], float]
    memory: Callable[[int, Machine, Costs], int]
    awaits: Awaits
    portrait: Portrait
    per_core: bool = False
    pickles: bool = False
    needs: tuple[str, ...] = ()
    oldest_python: tuple[int, int] = (3, 11)

    def counted(self, workers: int) -> str:
        """Say how many workers, in the model's own word; an empty text if there is only one."""
        if self.workers is None:
            return ""
        singular, plural = self.workers
        return f"{show_count(workers)} {singular if workers == 1 else plural}"

    @property
    def holds_many(self) -> bool:
        """Tell whether one worker may have many tasks in flight, or there may be many workers."""
        return self.workers is not None and not self.per_core

    def runs_on(self, python: str) -> bool:
        """Tell whether a Python of this version is new enough."""
        major, minor, *_ = python.split(".")
        return (int(major), int(minor)) >= self.oldest_python


# The model that every speedup is counted against, and that is left when all else is forbidden.
BASELINE = Model.SEQUENTIAL
# The model that runs on other machines: offered only if this machine misses the deadline.
CLUSTER = Model.DASK

_ROWS = (
    ModelSpec(
        Model.SEQUENTIAL,
        workers=None,
        counts=capacity.one_at_a_time,
        makespan=makespans.sequential,
        memory=capacity.one_interpreter,
        awaits=Awaits.NEVER,
        portrait=Portrait(
            parallelism="none: one task after another",
            memory="one interpreter",
            start_up="none",
            communication="a variable",
            synchronisation="nothing to synchronise",
            gil="no matter",
            best_for="one task, or little work in all",
            not_for="many tasks that wait or compute for long",
            learning="none",
        ),
    ),
    ModelSpec(
        Model.THREADING,
        workers=("thread", "threads"),
        counts=capacity.threads,
        makespan=makespans.threading,
        memory=capacity.with_threads,
        awaits=Awaits.NEVER,
        portrait=Portrait(
            parallelism="waiting overlaps; computing only where native code releases the GIL, or"
            " without a GIL",
            memory="one interpreter, shared; tens of kilobytes per thread",
            start_up="about 0.1 ms per thread",
            communication="shared objects, queues: nothing is copied",
            synchronisation="locks around what threads share: races and deadlocks are yours to"
            " avoid",
            gil="one thread runs Python code at a time",
            best_for="up to a few hundred tasks that wait in ordinary blocking code; native code",
            not_for="Python code that computes; thousands of tasks at once",
            learning="gentle to start, locks take care",
        ),
    ),
    ModelSpec(
        Model.ASYNCIO,
        workers=("in flight", "in flight"),
        counts=capacity.coroutines,
        makespan=makespans.asyncio,
        memory=capacity.with_coroutines,
        awaits=Awaits.ALWAYS,
        portrait=Portrait(
            parallelism="waiting overlaps; no computing in parallel",
            memory="one interpreter; some kilobytes per task",
            start_up="about 2 ms for the event loop, next to nothing per task",
            communication="shared objects: one thread, nothing is copied",
            synchronisation="tasks change hands only at await: few locks, but an await in between"
            " lets others in",
            gil="no matter: one thread",
            best_for="thousands of tasks that wait, with an async client",
            not_for="blocking calls and computing: one stops all the others",
            learning="steep: everything below the loop has to be async",
        ),
    ),
    ModelSpec(
        Model.MULTIPROCESSING,
        workers=("process", "processes"),
        counts=capacity.one_per_core,
        makespan=makespans.multiprocessing,
        memory=capacity.with_processes,
        awaits=Awaits.NEVER,
        per_core=True,
        pickles=True,
        portrait=Portrait(
            parallelism="full: every process computes on a core of its own",
            memory="an interpreter, with its imports, per process",
            start_up="tens of milliseconds per process",
            communication="items and results are pickled and carried through a pipe",
            synchronisation="nothing is shared, so nothing to lock; files and databases still are",
            gil="one per process: it holds nobody up",
            best_for="Python code that computes for a millisecond or more per task",
            not_for="waiting; tiny tasks on large payloads",
            learning="moderate: importable functions, picklable values, a main guard",
        ),
    ),
    ModelSpec(
        Model.HYBRID,
        workers=("in flight", "in flight"),
        counts=capacity.coroutines,
        makespan=makespans.hybrid,
        memory=capacity.with_hybrid,
        awaits=Awaits.WITH_ASYNC_CLIENT,
        pickles=True,
        portrait=Portrait(
            parallelism="full, with several tasks in flight in every process",
            memory="an interpreter per process; some kilobytes per task",
            start_up="tens of milliseconds per process",
            communication="items and results are pickled and carried through a pipe",
            synchronisation="between processes nothing is shared; within one as for threads or"
            " asyncio",
            gil="one per process",
            best_for="tasks that wait and compute, such as download and parse",
            not_for="tasks that do only one of the two: a simpler model does it",
            learning="moderate: as for processes",
        ),
    ),
    ModelSpec(
        Model.DASK,
        workers=("core elsewhere", "cores elsewhere"),
        counts=capacity.one_per_core,
        makespan=makespans.dask,
        memory=capacity.with_cluster,
        awaits=Awaits.NEVER,
        per_core=True,
        pickles=True,
        needs=("distributed>=2025.1",),
        portrait=Portrait(
            parallelism="full, over the processes of one or many machines",
            memory="about 75 MB per worker process, and a scheduler",
            start_up="some seconds, and a cluster to run",
            communication="items and results are pickled and carried over the network; the"
            " project's package travels along",
            synchronisation="nothing is shared between workers",
            gil="one per worker process",
            best_for="more work than one machine can do in time",
            not_for="work that one machine finishes in time",
            learning="steep: a cluster is a system of its own",
        ),
    ),
)

MODELS: Mapping[Model, ModelSpec] = {row.model: row for row in _ROWS}

# The models that run several tasks at once on this machine.
SIDE_BY_SIDE = tuple(model for model in MODELS if model not in (BASELINE, CLUSTER))
