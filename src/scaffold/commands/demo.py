"""`demo`: the article's example and a heavier one on every model, task by task as it happened."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from scaffold import api
from scaffold.asking.target import Target
from scaffold.commands.bench import tell, whole
from scaffold.commands.picture import check_file
from scaffold.commands.progress import SILENT, Progress
from scaffold.core.costs import Costs
from scaffold.core.domain import (
    CPU_FRACTION,
    Bound,
    Machine,
    Model,
    Recommendation,
    Source,
    Workload,
)
from scaffold.core.errors import ConcgenError, UsageError
from scaffold.core.estimates import makespan
from scaffold.core.lessons import TASKS, Lesson, lesson
from scaffold.core.models import BASELINE, MODELS, Awaits
from scaffold.core.observed import Measurement
from scaffold.core.texts import read_choice
from scaffold.making.inventory import available_models
from scaffold.measuring import calibration, machine, traced
from scaffold.measuring.lab import GRACE, Laboratory, Trial, laboratory

# The models of the article, and the one for work that waits and computes.
ARTICLE_MODELS = (Model.SEQUENTIAL, Model.THREADING, Model.ASYNCIO, Model.MULTIPROCESSING)
MODELS_SHOWN = {
    Bound.IO: ARTICLE_MODELS,
    Bound.CPU: ARTICLE_MODELS,
    Bound.MIXED: (*ARTICLE_MODELS, Model.HYBRID),
}
# The article's example: a number, and the powers of it that its two tasks print.
NUMBER, POWERS = 10, (2, 3)
EXAMPLE_SECONDS = 1e-6  # about what each of them takes
# Seconds of a heavier task: starting a process is short beside it, and all of them in a row can
# still be watched.
SECONDS = 0.24
# Seconds that a run may take on a busy machine, and all runs together: with what starts and ends
# beside them, no demonstration is longer than two minutes.
LIMIT, ARTICLE_LIMIT = 10.0, 2.0
WHOLE = 105.0
# A timeline is this many times as long as the longest run, measured or predicted.
ROOM = 1.1
# The largest share that other programs may take of the time in which sequential tasks compute.
BUSY = 0.15
# Seconds that a run takes beside its tasks: it starts an interpreter, and the engines.
AROUND = 0.5


class Task(NamedTuple):
    """One task as it went, in seconds from the beginning of its run.

    It waited until `ready`, and computed from then on. Each of `computed` is a start, an end, and
    the seconds on a core between them. `worker` is its process and its thread.
    """

    number: int
    worker: tuple[int, int]
    began: float
    ready: float
    ended: float
    computed: tuple[tuple[float, float, float], ...]

    @property
    def cpu_seconds(self) -> float:
        """Seconds on a core."""
        return sum(on_core for _, _, on_core in self.computed)


class Run(NamedTuple):
    """One model: its tasks in flight, predicted and measured makespan in seconds, what it teaches.

    `finished` is false if time ran out: the rest is extrapolated. With an `error` nothing was
    measured. `tasks` is empty for the article's example: its tasks are too short to be shown.
    """

    model: Model
    max_workers: int
    predicted_seconds: float
    lesson: Lesson | None = None  # the article's example has one for all
    measured_seconds: float = 0.0
    finished: bool = True
    error: str | None = None
    tasks: tuple[Task, ...] = ()

    @property
    def error_share(self) -> float:
        """The prediction's error as a share of what was measured."""
        return self.predicted_seconds / self.measured_seconds - 1


@dataclass(frozen=True)
class Plan:
    """What is to be shown: the work, this machine, what is advised and predicted for it.

    `example` is the work of the article's example; the advice is about the heavier one.
    """

    bound: Bound
    models: tuple[Model, ...]
    rounds: int
    machine: Machine
    costs: Costs
    advice: Recommendation
    example: Workload

    @property
    def heavier(self) -> Workload:
        """The work of the heavier tasks."""
        return self.advice.workload

    @property
    def seconds(self) -> float:
        """About how many seconds all the runs take."""
        heavier = sum(self.predict(model, self.heavier) for model in self.models)
        return heavier + 2 * AROUND * len(self.models)

    def scale(self, first: Run) -> float:
        """Return how many seconds the timelines of all models span, given the first run."""
        predicted = (self.predict(model, self.heavier) for model in self.models)
        return ROOM * max(first.measured_seconds, *predicted)

    def workers(self, model: Model, work: Workload) -> int:
        """Return how many workers are shown: one for each task, or for each core."""
        if MODELS[model].workers is None:
            return 1
        return min(work.tasks, self.machine.workers) if MODELS[model].per_core else work.tasks

    def predict(self, model: Model, work: Workload) -> float:
        """Return the makespan, as the advice predicts it."""
        return makespan(model, self.workers(model, work), work, self.machine, self.costs)


@dataclass(frozen=True)
class Demo:
    """All that was shown. Raises ConcgenError where no model ran."""

    plan: Plan
    article: tuple[Run, ...]
    runs: tuple[Run, ...]

    def __post_init__(self) -> None:
        """Raise ConcgenError if there is nothing to show."""
        if not self.works:
            raise ConcgenError(
                f"no model ran here: {self.runs[0].error}", hint="concgen doctor shows this machine"
            )

    @property
    def works(self) -> tuple[Run, ...]:
        """The runs in which something was measured."""
        return tuple(run for run in self.runs if run.error is None)

    @property
    def is_busy(self) -> bool:
        """Tell whether other programs took so much time that these figures say little."""
        alone = [task for run in self.works if run.model is BASELINE for task in run.tasks]
        computing = sum(task.ended - task.ready for task in alone)
        on_core = sum(task.cpu_seconds for task in alone)
        return self.plan.rounds > 0 and on_core < (1 - BUSY) * computing

    @property
    def fastest(self) -> Run:
        """The run that took the least time."""
        return min(self.works, key=lambda run: run.measured_seconds)


def read_request(kind: str | None, save: Path | None) -> Bound:
    """Read the kind of work; raise UsageError for an unknown kind, or a `save` that is no file."""
    if save is not None:
        check_file(save)
    try:
        return Bound(read_choice(kind or Bound.IO, [str(bound) for bound in Bound]))
    except ValueError as error:
        raise UsageError(
            f"the work {error}", hint="such as `concgen demo cpu`; the default is io"
        ) from error


def plan(bound: Bound) -> Plan:
    """Look at the machine, and return what is to be shown."""
    facts = machine.inspect()
    models = tuple(model for model in MODELS_SHOWN[bound] if model in available_models())
    computing = SECONDS * CPU_FRACTION[bound]
    rounds = traced.rounds_in(computing) if computing else 0
    known = ("task_seconds", "cpu_fraction", "gil_fraction", "max_in_flight")
    work = Workload(
        bound, TASKS, SECONDS, payload_bytes=1000, sources=dict.fromkeys(known, Source.MEASURED)
    )
    example = Workload(Bound.CPU, len(POWERS), EXAMPLE_SECONDS, sources=work.sources)
    advice = api.recommend(work, facts, models=models)
    return Plan(bound, models, rounds, facts, calibration.load(facts).costs, advice, example)


@dataclass(frozen=True)
class Stage:
    """Where the models run, one after another, until the time is over."""

    plan: Plan
    lab: Laboratory
    end: float

    def example(self, model: Model) -> Run:
        """Run the article's example."""
        items = [[NUMBER, exponent] for exponent in POWERS]
        run = self._planned(model, self.plan.example)
        return self._ran(run, "power", items, ARTICLE_LIMIT)[0]

    def heavier(self, model: Model, progress: Progress) -> Run:
        """Run the heavier tasks, and record each of them."""
        wait = self.plan.heavier.wait_seconds
        run, ran = self._ran(
            self._planned(model, self.plan.heavier),
            "task",
            [[wait, self.plan.rounds]] * TASKS,
            LIMIT,
            progress,
        )
        return run._replace(
            lesson=lesson(self.plan.bound, model, self.plan.machine),
            tasks=_tasks(ran, wait) if ran else (),
        )

    def _planned(self, model: Model, work: Workload) -> Run:
        return Run(model, self.plan.workers(model, work), self.plan.predict(model, work))

    def _ran(
        self,
        run: Run,
        load: str,
        items: Sequence[Any],
        seconds: float,
        progress: Progress = SILENT,
    ) -> tuple[Run, Measurement | None]:
        seconds = min(seconds, self.end - time.monotonic() - GRACE)
        if seconds <= 0:
            return run._replace(error="there was no time left for it"), None
        name = load if MODELS[run.model].awaits is Awaits.NEVER else f"{load}_async"
        target = Target(traced.__name__, name, (), None)
        values = {"values": items, "repeat": len(items)}
        trial = Trial(target, run.model, run.max_workers, values, keep=len(items))
        try:
            ran = self.lab.run(trial, seconds, partial(tell, progress, len(items), seconds))
        except UsageError as problem:  # a machine where no process may start, such as a sandbox
            return run._replace(error=problem.message.removeprefix(f"{run.model}: ")), None
        if ran.failed or not ran.items:
            return run._replace(error=ran.first_error or f"no task ended in {seconds:g} s"), None
        measured = whole(ran, len(items))
        return run._replace(measured_seconds=measured, finished=ran.items == len(items)), ran


@contextmanager
def stage(plan: Plan) -> Iterator[Stage]:
    """Prepare the engines, and remove them at the end."""
    with laboratory() as lab:
        yield Stage(plan, lab, time.monotonic() + WHOLE)


def _tasks(ran: Measurement, wait: float) -> tuple[Task, ...]:
    """Return the tasks in the order in which they began."""

    def since(moment: float) -> float:
        return max(0.0, moment - ran.began)

    tasks = []
    for number, value in enumerate(sorted(ran.values, key=lambda value: value[2]), 1):
        process, thread, began, ended, notes = value
        computed = tuple((since(start), since(end), on_core) for start, end, on_core in notes)
        ready = min(began + wait, ended)
        tasks.append(
            Task(number, (process, thread), since(began), since(ready), since(ended), computed)
        )
    return tuple(tasks)
