"""`bench`: every model that applies, on the same items, predicted and measured."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scaffold.asking.target import Target
from scaffold.commands import measure
from scaffold.commands.picture import check_chart
from scaffold.commands.progress import Done, LeftOut, Measuring, Progress, Running, Trying
from scaffold.core.costs import Costs
from scaffold.core.domain import Estimate, Machine, Model, Workload
from scaffold.core.errors import UsageError
from scaffold.core.estimates import estimate
from scaffold.core.models import CLUSTER, MODELS, Awaits
from scaffold.core.observed import Measurement, Profile
from scaffold.making import repository
from scaffold.making.inventory import available_models
from scaffold.making.items import Items
from scaffold.measuring import calibration, machine
from scaffold.measuring.lab import Trial, laboratory
from scaffold.measuring.measure import LEAST_BUDGET

DEFAULT_BUDGET = 20.0
# The share of the budget that measuring the function may take, and at most this many seconds.
MEASURING, MOST_MEASURING = 0.2, 10.0


@dataclass(frozen=True)
class Result:
    """One model on the same items: predicted and measured makespan, in seconds.

    With `extrapolated` time ran out after `items` items, and the rest is extrapolated.
    """

    model: Model
    max_workers: int
    predicted_seconds: float
    measured_seconds: float
    items: int
    failed: int
    extrapolated: bool
    first_error: str | None = None

    @property
    def works(self) -> bool:
        """Tell whether few enough items failed for its time to mean something."""
        return self.failed <= measure.MOST_FAILURES * self.items

    @property
    def error(self) -> float:
        """The prediction's error as a share of what was measured."""
        return self.predicted_seconds / self.measured_seconds - 1


@dataclass(frozen=True)
class Bench:
    """All results so far of a function on its items, with the machine and the day.

    `busy` is the share of the machine that other programs used meanwhile.
    """

    workload: Workload
    machine: Machine
    costs: Costs
    results: tuple[Result, ...]
    complete: bool
    function: str = ""
    day: str = ""
    busy: float = 0.0

    @property
    def is_busy(self) -> bool:
        """Tell whether other programs used so much of the machine that the times say little."""
        return self.busy > calibration.BUSY

    @property
    def ranked(self) -> list[Result]:
        """The results, shortest measured makespan first; those that failed come last."""
        return sorted(self.results, key=lambda result: (not result.works, result.measured_seconds))

    @property
    def fastest(self) -> Result | None:
        """The result of the fastest model that did not fail."""
        return next((result for result in self.ranked if result.works), None)


@dataclass(frozen=True)
class BenchRequest:
    """A checked request: the function, the items, and the seconds that the bench may take.

    `project` is the project whose `work` is run, if any: its record keeps the results.
    """

    target: Target
    items: Items
    budget: float
    project: Path | None = None


def read_request(
    target: str | None, items: Path | None, budget: str | None, save: Path | None
) -> BenchRequest:
    """Check the request; without a target, the function is the work of the current project.

    Raises UsageError for what is missing or not valid.
    """
    if save is not None:
        check_chart(save)
    project = None
    if target is None:
        from scaffold.changing import record

        function, sample = project_target(None, items)
        project = record.find(None)
    else:
        function, sample = measure.prepare(target, items)
    seconds = measure.read_budget(budget) if budget else DEFAULT_BUDGET
    return BenchRequest(function, sample, seconds, project)


def project_target(place: Path | None, items: Path | None) -> tuple[Target, Items]:
    """Return the work of the project here or above, and the items: its own, if none are named.

    Raises UsageError without a project, or without items.
    """
    from scaffold.changing import record

    project = record.load(place)
    recorded = str(project.answers.get("items_file", "items.jsonl"))
    own = (project.root / name for name in (recorded, "items.jsonl", "items.txt"))
    items = items or next((file for file in own if file.is_file()), None)
    if items is None:
        raise UsageError(
            f"no items.jsonl in {project.root}", hint="name the items with --items FILE"
        )
    target, sample = measure.prepare(f"{project.root / project.package / 'work.py'}:work", items)
    if project.base is not None:
        target = repository.settled(target, project.base, Path.cwd())
    return target, sample


def announcement(request: BenchRequest) -> Running:
    """Return what is announced before a bench: every model really runs the user's code."""
    return Running(request.target, None, request.items.count, request.budget)


def run(request: BenchRequest, progress: Progress) -> Iterator[Bench]:
    """Measure the function, then each model; yield the results so far after each model.

    The last bench has every result. Raises UsageError when the function cannot be measured.
    """
    target, items, budget = request.target, request.items, request.budget
    deadline = time.monotonic() + budget
    progress.step(Measuring(target))
    seconds = max(LEAST_BUDGET, min(MOST_MEASURING, MEASURING * budget))
    # Every model runs the same items again in any case.
    profile = measure.profile(target, items, measure.Effort(seconds, repeat=True))
    work = measure.workload(profile, items)
    facts = machine.inspect_for(profile.start_method, gil_enabled=profile.gil_enabled)
    costs = calibration.load(facts).costs
    results: list[Result] = []
    day, others = time.strftime("%Y-%m-%d"), machine.Others()
    models = applicable(profile)
    if CLUSTER in available_models():
        progress.step(LeftOut(CLUSTER))
    with laboratory() as lab:
        for number, model in enumerate(models):
            seconds = max(0.5, deadline - time.monotonic()) / (len(models) - number)
            progress.step(Trying(model, number + 1, len(models), seconds))
            watch = partial(tell, progress, items.count, seconds)
            predicted = estimate(model, work, facts, costs)
            file = {"file": str(items.file.resolve())}
            ran = lab.run(Trial(target, model, predicted.max_workers, file), seconds, watch)
            results.append(_result(predicted, ran, items.count, seconds))
            done = number + 1 == len(models)
            yield Bench(
                work, facts, costs, tuple(results), done, str(target), day, others.share() or 0.0
            )


def applicable(profile: Profile) -> list[Model]:
    """Return the models that can run the function, simplest first."""

    def can_run(model: Model) -> bool:
        if model is CLUSTER:  # on one machine it tells nothing of a cluster
            return False
        spec = MODELS[model]
        if spec.awaits is Awaits.ALWAYS and not profile.is_async:
            return False  # it would be threading behind an event loop
        return not spec.pickles or (profile.picklable_function and profile.picklable is not False)

    return [model for model in available_models() if can_run(model)]


def tell(progress: Progress, count: int, limit: float, elapsed: float, done: int) -> None:
    """Report how far a trial is: items done, rate, and how many seconds are left at most."""
    rate = done / elapsed
    seconds_left = min(limit - elapsed, (count - done) / rate) if rate else limit - elapsed
    progress.tick(Done(done, count, rate, seconds_left))


def _result(predicted: Estimate, ran: Measurement, count: int, seconds: float) -> Result:
    if not ran.items:
        raise UsageError(
            f"{predicted.model} finished no item in {seconds:.3g} s", hint="raise --budget"
        )
    return Result(
        model=predicted.model,
        max_workers=ran.max_workers,
        predicted_seconds=predicted.seconds,
        measured_seconds=whole(ran, count),
        items=ran.items,
        failed=ran.failed,
        first_error=ran.first_error,
        extrapolated=not ran.complete,
    )


def whole(ran: Measurement, count: int) -> float:
    """Return the makespan of all the items, extrapolated if time ran out."""
    return ran.seconds if ran.complete else ran.seconds * count / ran.items
