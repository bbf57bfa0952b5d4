"""The advice: rules first, then estimates, then the simplest model that is fast enough.

Pure: the same workload, machine and costs give the same recommendation.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from scaffold.core.binding import binding
from scaffold.core.capacity import files_allow
from scaffold.core.costs import DEFAULT_COSTS, Costs
from scaffold.core.deadline import cores_needed, obstacle, on_cluster
from scaffold.core.domain import (
    SIMPLEST_FIRST,
    Estimate,
    Finding,
    Machine,
    Model,
    Recommendation,
    Settings,
    Source,
    Verdict,
    Workload,
)
from scaffold.core.estimates import as_it_runs, estimate, memory_allows, rank
from scaffold.core.flips import find_flips
from scaffold.core.models import BASELINE, CLUSTER, MODELS
from scaffold.core.reasons import computes, in_flight
from scaffold.core.rules import BEYOND, findings, forbidden
from scaffold.core.units import show_bytes, show_count, show_ratio, show_seconds

# A simpler model may take this much longer than the fastest before it is passed over.
CLOSE_ENOUGH = 1.15
# Seconds that do not matter: added to both sides of the comparison, so that of two makespans of a
# few milliseconds the simpler model wins. The regret benchmark forgives the same amount.
FORGIVEN_SECONDS = 0.05

# Where another model may save this many seconds, it is worth benchmarking both.
MATTERS_SECONDS = 1.0
# The command that benchmarks them while no function is named yet.
BENCH = "concgen bench FILE.py:FUNC --items FILE"

# Limits that neither the function nor the model sets: the headline names them when they bind.
OUTSIDE = ("the rate", "the limit", "memory", "the other end", "what its tasks share")

# The ids under which the estimates give their own reasons, beside the rules of thumb.
BY_ESTIMATE = "E1"
OVERRULED = "E2"


def recommend(
    workload: Workload,
    machine: Machine,
    *,
    costs: Costs = DEFAULT_COSTS,
    models: Collection[Model] = SIMPLEST_FIRST,
) -> Recommendation:
    """Choose among `models` for `workload` on `machine`, with reasons and what would flip it."""
    chosen, estimates, fired = weigh(workload, machine, costs, models)
    elsewhere = chosen.model is CLUSTER

    def chooser(work: Workload, place: Machine) -> Estimate:
        return weigh(work, place, costs, models).chosen

    binds = "" if elsewhere else binding(workload, machine, chooser)
    return Recommendation(
        workload=workload,
        machine=machine,
        model=chosen.model,
        settings=Settings(chosen.max_workers, auto=finds_its_limit(chosen.model, workload)),
        headline=headline(chosen, estimates, workload, binds),
        findings=(*fired, *_by_estimate(chosen, estimates, fired, workload)),
        estimates=estimates,
        flips=find_flips(
            workload, machine, lambda work, place: weigh(work, place, costs, models).chosen
        ),
        notes=(
            *_assumptions(workload),
            *_limits(workload, machine, chosen, costs),
            *_deadline(workload, machine, costs, chosen),
        ),
        cores_needed=chosen.max_workers if elsewhere else None,
        binding=binds,
        rivals=_rivals(chosen, estimates, fired),
        bench=BENCH,
    )


class Weighed(NamedTuple):
    """The choice, every estimate that it was made from, and what the rules said."""

    chosen: Estimate
    estimates: tuple[Estimate, ...]
    fired: tuple[Finding, ...]


def weigh(workload: Workload, machine: Machine, costs: Costs, models: Collection[Model]) -> Weighed:
    """Choose among the models on this machine, or a cluster if the choice misses the deadline."""
    candidates = [model for model in models if model is BASELINE or _runs_here(model, machine)]
    fired = tuple(finding for finding in findings(workload, machine) if finding.model in candidates)
    runs = as_it_runs(workload)
    estimates = rank(estimate(model, runs, machine, costs) for model in candidates)
    chosen = choose(estimates, fired)
    if CLUSTER in models and _misses(chosen, workload):
        cores = cores_needed(workload, machine, costs)
        if cores is not None:
            chosen = on_cluster(cores, workload, machine, costs)
            estimates = rank([*estimates, chosen])
    return Weighed(chosen, estimates, fired)


def _runs_here(model: Model, machine: Machine) -> bool:
    return model is not CLUSTER and MODELS[model].runs_on(machine.python)


def _misses(chosen: Estimate, workload: Workload) -> bool:
    return workload.deadline_seconds is not None and chosen.seconds > workload.deadline_seconds


def choose(estimates: Collection[Estimate], fired: Collection[Finding]) -> Estimate:
    """Return the simplest estimate within 15 % of the fastest that no finding forbids.

    Sequential is never off the list: it is what remains when all else is forbidden.
    """
    off = forbidden(tuple(fired)) - {BASELINE}
    allowed = [estimate for estimate in estimates if estimate.model not in off]
    fastest = min(estimate.seconds for estimate in allowed)
    limit = (fastest + FORGIVEN_SECONDS) * CLOSE_ENOUGH - FORGIVEN_SECONDS
    close = [estimate for estimate in allowed if estimate.seconds <= limit]
    return min(close, key=lambda estimate: SIMPLEST_FIRST.index(estimate.model))


def finds_its_limit(model: Model, work: Workload) -> bool:
    """Tell whether a run has to find out how many in flight the other end can take."""
    return not work.limit_is_known and not computes(work) and MODELS[model].holds_many


def headline(
    chosen: Estimate, estimates: Collection[Estimate], workload: Workload, binds: str
) -> str:
    """Say the choice in one line: the model, the workers, the time it saves, what binds it."""
    alone = next((estimate for estimate in estimates if estimate.model is BASELINE), chosen)
    outside = f", bound by {binds}" if binds.startswith(OUTSIDE) else ""
    if chosen.model is BASELINE:
        return f"sequential: do not parallelise, it takes {show_seconds(chosen.seconds)}{outside}"
    if chosen.model is CLUSTER:
        return (
            f"dask, a cluster of about {show_count(chosen.max_workers)} cores:"
            f" {show_seconds(chosen.seconds)} instead of {show_seconds(alone.seconds)}"
        )
    up_to = "up to " if finds_its_limit(chosen.model, workload) else ""
    time = f"about {show_seconds(chosen.seconds)}"
    if up_to and workload.is_untried(chosen.max_workers):
        time = f"{show_seconds(chosen.seconds)} to {show_seconds(chosen.high)}"
    return (
        f"{chosen.model}, {up_to}{show_count(chosen.max_workers)} in flight:"
        f" {time} instead of {show_seconds(alone.seconds)}{outside}"
    )


def _by_estimate(
    chosen: Estimate,
    estimates: Collection[Estimate],
    fired: Collection[Finding],
    workload: Workload,
) -> tuple[Finding, ...]:
    """Return the reasons that come from the estimates rather than from a rule of thumb."""
    if chosen.model is CLUSTER:
        best_here = choose([estimate for estimate in estimates if estimate is not chosen], fired)
        reason = _too_slow(chosen, best_here, workload)
        return (Finding(BY_ESTIMATE, BEYOND, CLUSTER, Verdict.PREFER, reason),)
    off = forbidden(tuple(fired))
    rivals = [
        estimate
        for estimate in estimates
        if estimate.model not in off and estimate.model is not chosen.model
    ]
    faster = [estimate for estimate in rivals if estimate.seconds < chosen.seconds]
    reasons = [Finding(BY_ESTIMATE, BEYOND, chosen.model, Verdict.PREFER, _why(chosen, faster))]
    preferred = {finding.model for finding in fired if finding.verdict is Verdict.PREFER}
    if preferred and chosen.model not in preferred:
        reasons += [
            Finding(OVERRULED, BEYOND, estimate.model, Verdict.AVOID, _overruled(chosen, estimate))
            for estimate in rivals
            if estimate.model in preferred
        ]
    return tuple(reasons)


def _too_slow(chosen: Estimate, best_here: Estimate, workload: Workload) -> str:
    deadline = show_seconds(workload.deadline_seconds or 0.0)
    return (
        f"{deadline} needs about {show_count(chosen.max_workers)} cores: the best on this machine,"
        f" {best_here.model}, takes {show_seconds(best_here.seconds)}"
    )


def _why(chosen: Estimate, faster: list[Estimate]) -> str:
    if not faster:
        return f"the fastest that no rule forbids: {show_seconds(chosen.seconds)}"
    best = min(faster, key=lambda estimate: estimate.seconds)
    return (
        f"too close to call ({best.model} {show_seconds(best.seconds)},"
        f" {chosen.model} {show_seconds(chosen.seconds)}), so the simpler one"
    )


def _overruled(chosen: Estimate, preferred: Estimate) -> str:
    return (
        f"the rule of thumb gives way to the estimate: {show_seconds(preferred.seconds)}"
        f" against {show_seconds(chosen.seconds)} with {chosen.model}"
    )


def _assumptions(workload: Workload) -> tuple[str, ...]:
    """Say how a task's time was assumed to split into waiting and computing, if not measured."""
    if workload.source("cpu_fraction") is Source.MEASURED:
        return ()
    return (
        f"assumed: of {show_seconds(workload.task_seconds)} a task waits"
        f" {show_seconds(workload.wait_seconds)} and computes {show_seconds(workload.cpu_seconds)}",
    )


def _deadline(
    workload: Workload, machine: Machine, costs: Costs, chosen: Estimate
) -> tuple[str, ...]:
    """If the deadline cannot be met, say so and why."""
    if chosen.model is CLUSTER or not _misses(chosen, workload):
        return ()
    deadline = show_seconds(workload.deadline_seconds or 0.0)
    return (f"{deadline} cannot be met: {obstacle(workload, machine, costs)}",)


def _rivals(
    chosen: Estimate, estimates: Collection[Estimate], fired: Collection[Finding]
) -> tuple[Model, ...]:
    """Return the models that may be so much faster than the choice that it matters."""
    if chosen.model is CLUSTER:
        return ()
    off = forbidden(tuple(fired))
    return tuple(
        estimate.model
        for estimate in estimates
        if estimate.model not in off
        and estimate.model is not chosen.model
        and (estimate.max_workers > 1 or estimate.model is BASELINE)  # a lone worker gains nothing
        and max(CLOSE_ENOUGH * estimate.low, MATTERS_SECONDS + estimate.low) < chosen.seconds
    )


def _limits(
    workload: Workload, machine: Machine, chosen: Estimate, costs: Costs
) -> tuple[str, ...]:
    """Say which limits hold the choice back, and which limit is not known."""
    return tuple(
        note
        for note in (
            _open_files(workload, machine, chosen),
            _memory(workload, machine, chosen, costs),
            _other_end(workload, chosen),
        )
        if note
    )


def _open_files(workload: Workload, machine: Machine, chosen: Estimate) -> str:
    count = chosen.max_workers
    if count == in_flight(workload) or count != files_allow(machine):
        return ""
    return (
        f"the limit of {machine.open_files} open files holds the tasks in flight at {count}: raise"
        " it with `ulimit -n`"
    )


def _memory(workload: Workload, machine: Machine, chosen: Estimate, costs: Costs) -> str:
    memory_left = machine.memory_left_bytes
    if memory_left is None or chosen.model is CLUSTER:
        return ""
    if chosen.peak_memory_bytes > memory_left:
        needed, available = show_bytes(chosen.peak_memory_bytes), show_bytes(memory_left)
        return f"one task at a time needs {needed}, and {available} are left: it may be killed"
    most = memory_allows(chosen.model, workload, machine, costs)
    if most > chosen.max_workers or most >= in_flight(workload):
        return ""
    return f"{show_bytes(memory_left)} of memory are left: they hold {show_count(most)} in flight"


def _other_end(workload: Workload, chosen: Estimate) -> str:
    if not finds_its_limit(chosen.model, workload):
        return ""
    if workload.is_saturated:
        tried, gain = workload.in_flight_tried, show_ratio(workload.in_flight_gain)
        per_process = workload.in_flight_per_process
        elsewhere = ", and as many in another process as much again" if per_process else ""
        return (
            f"{tried} in flight got {gain} as much done as one{elsewhere}: more would only wait for"
            " their turn"
        )
    if workload.is_untried(chosen.max_workers):
        tried = workload.in_flight_tried
        return (
            f"the other end kept up with {tried} in flight. Nobody knows whether it takes more, so"
            f" the run begins with a few and finds out: {show_seconds(chosen.high)} if it does not"
        )
    return (
        "assumed: the other end has no limit. No answer says how many in flight, or how many a"
        " second, it allows (--max-in-flight, --rate), so the run begins with a few and finds out"
    )
