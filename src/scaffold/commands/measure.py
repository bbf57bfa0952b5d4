"""`measure`, and what `--from` makes of it: a profile in, a workload out."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from scaffold import api
from scaffold.asking.target import Target, parse_target
from scaffold.commands import pilot
from scaffold.commands.advise import Measured
from scaffold.commands.progress import SILENT, Left, Progress, Running
from scaffold.core import shell
from scaffold.core.domain import Bound, Source, Workload
from scaffold.core.errors import UsageError
from scaffold.core.observed import Profile
from scaffold.core.reasons import MOSTLY
from scaffold.core.units import parse_positive, parse_seconds, show_count
from scaffold.making import environment, repository
from scaffold.making.items import Items, read_items
from scaffold.measuring import calibration, machine
from scaffold.measuring.measure import CALLS, DEFAULT_BUDGET, LEAST_BUDGET, MOST_BUDGET, measure
from scaffold.measuring.supply import untaken

# The share of the time that is kept for pilot runs of engines, if the function computes.
PILOTING = 0.4
# A function that fails in a larger share of its calls is not measured: it has to be mended first.
MOST_FAILURES = 0.1


class Effort(NamedTuple):
    """How far measuring may go: seconds in all, calls if it waits, whether items may repeat."""

    seconds: float = DEFAULT_BUDGET
    calls: int = CALLS
    repeat: bool = False
    in_flight: int | None = None  # the most that the user allowed

    def within(self, rate_per_second: float | None, max_in_flight: int | None) -> Effort:
        """Return the same, kept to what the other end allows; under a rate, one call at a time."""
        return self._replace(in_flight=1 if rate_per_second else max_in_flight)


def prepare(target: str, items: Path | None) -> tuple[Target, Items]:
    """Find the function, its Python and the items; raise UsageError if any is missing."""
    function = parse_target(target)
    project = repository.top(Path(function.path[0]))
    function = replace(function, python=environment.python_of(project))
    if items is None:
        raise UsageError("no items were given", hint="name the file with --items FILE")
    return function, read_items(items)


def read_budget(text: str | None) -> float:
    """Read the seconds that measuring may take; raise UsageError outside what makes sense."""
    if text is None:
        return DEFAULT_BUDGET
    try:
        budget = parse_seconds(text)
    except ValueError as error:
        raise UsageError(f"--budget: {error}") from error
    if not LEAST_BUDGET <= budget <= MOST_BUDGET:
        raise UsageError(
            f"--budget: {text} is not from {LEAST_BUDGET:g} s to {MOST_BUDGET:g} s",
            hint="such as --budget 10s",
        )
    return budget


def read_effort(budget: str | None, calls: str | None, repeat: bool) -> Effort:
    """Read how far measuring may go; raise UsageError for what makes no sense."""
    try:
        count = CALLS if calls is None else parse_positive(calls)
    except ValueError as error:
        raise UsageError(f"--calls: {error}", hint="such as --calls 100") from error
    return Effort(read_budget(budget), count, repeat)


def announcement(target: Target, items: Items, effort: Effort) -> Running:
    """Return what is announced before measuring: the user's code really runs, on a sample."""
    return Running(target, len(items.sample), items.count, effort.seconds)


def profile(
    target: Target,
    items: Items,
    effort: Effort,
    progress: Progress = SILENT,
    *,
    spare: float = 0.0,
) -> Profile:
    """Run the function and measure it; raise UsageError when it cannot be run, or fails.

    `spare` seconds are left for pilot runs of engines, if the function computes.
    """
    profile = measure(
        target,
        items,
        effort.seconds,
        lambda elapsed: progress.tick(Left(effort.seconds - elapsed)),
        repeat=effort.repeat,
        calls=effort.calls,
        spare=spare,
        in_flight=effort.in_flight,
    )
    _refuse_failing(profile, target)
    return profile


def _refuse_failing(profile: Profile, target: Target) -> None:
    """Raise UsageError if the function fails too often: there is nothing to predict from."""
    if profile.failures <= MOST_FAILURES * profile.calls:
        return
    errors = "; ".join(
        f"{text} ({show_count(times)} times)" if times > 1 else text
        for text, times in profile.errors
    )
    number = "every call" if profile.failures == profile.calls else f"{profile.failures}"
    of = "" if profile.failures == profile.calls else f" of {show_count(profile.calls)} calls"
    raise UsageError(
        f"{target}: {number}{of} failed: {errors}",
        hint="concgen can only measure a function that works on these items",
    )


def measured(target: Target, items: Items, effort: Effort, progress: Progress) -> Measured:
    """Announce and measure the function; return what `advise` takes instead of answers.

    On a busy machine no engine is tried: other programs would make it look slower.
    """
    progress.step(announcement(target, items, effort))
    others = machine.Others()
    until = time.monotonic() + effort.seconds
    profiled = profile(target, items, effort, progress, spare=PILOTING * effort.seconds)
    work = workload(profiled, items)
    share = others.share()
    busy = max(profiled.busy_fraction, share or 0.0)
    # The function may have waited for a core because of processes of ours.
    if (busy if share is None else share) < calibration.BUSY:
        facts = machine.inspect_for(profiled.start_method, gil_enabled=profiled.gil_enabled)
        unused = items.sample if effort.repeat else untaken(items.sample, profiled.items_taken)
        costs = calibration.load(facts).costs
        pilots = pilot.pilots(target, unused, work, facts, costs, until - time.monotonic())
        if pilots:
            sources = {**work.sources, "pilots": Source.MEASURED}
            work = replace(work, pilots=pilots, sources=sources)
    return Measured(
        workload=work,
        start_method=profiled.start_method,
        busy_fraction=busy,
        gil_enabled=profiled.gil_enabled,
        bench=shell.join(
            ["concgen", "bench", str(target), "--items", str(items.given or items.file)]
        ),
    )


def workload(profile: Profile, items: Items) -> Workload:
    """Return the workload that a measured function and its items make.

    What was not measured keeps its default, and is not in `sources`.
    """
    fields: dict[str, float | int | bool | Bound] = {
        "tasks": items.count,
        "task_seconds": profile.mean_seconds,
        "async_client": profile.is_async,
        "import_seconds": profile.import_seconds,
        "longest_seconds": profile.longest_seconds or 0.0,
        "in_flight_tried": profile.in_flight_tried,
        "in_flight_gain": profile.in_flight_gain,
        "in_flight_per_process": profile.in_flight_per_process,
    }
    for gain in ("thread_gain", "process_gain"):
        if (value := getattr(profile, gain)) is not None:
            fields[gain] = value
    if profile.cpu_fraction is not None:
        fields["cpu_fraction"] = profile.cpu_fraction
        fields["bound"] = bound(profile.cpu_fraction)
    if profile.gil_fraction is not None:
        fields["gil_fraction"] = profile.gil_fraction
    if profile.item_bytes is not None and profile.result_bytes is not None:
        fields["payload_bytes"] = profile.item_bytes + profile.result_bytes
    for memory in ("task_memory_bytes", "import_bytes"):
        if (value := getattr(profile, memory)) is not None:
            fields[memory] = value
    sources = dict.fromkeys(fields, Source.MEASURED)
    return Workload(**fields, sources=sources)  # type: ignore[arg-type]


def binding(profile: Profile, items: Items) -> str:
    """Return what limits the time of all the items when they run as advised."""
    facts = machine.inspect_for(profile.start_method, gil_enabled=profile.gil_enabled)
    return api.recommend(workload(profile, items), facts).binding


def bound(cpu_fraction: float) -> Bound:
    """Name what a task mostly does, by the share of its time that it computes."""
    if cpu_fraction >= MOSTLY:
        return Bound.CPU
    return Bound.IO if cpu_fraction <= 1 - MOSTLY else Bound.MIXED
