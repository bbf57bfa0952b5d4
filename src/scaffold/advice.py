"""The advice: rules first, then estimates, then the simplest model that is fast enough.

Pure: the same workload, machine and costs give the same recommendation.
"""

from __future__ import annotations

from collections.abc import Collection

from scaffold.costs import DEFAULT_COSTS, Costs, estimate, files_allow, rank
from scaffold.domain import (
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
from scaffold.flips import find_flips
from scaffold.reasons import in_flight
from scaffold.rules import BEYOND, findings, forbidden
from scaffold.units import show_count, show_seconds

# A simpler model may take this much longer than the fastest before it is passed over.
CLOSE_ENOUGH = 1.15
# Seconds that nobody misses: added to both sides of the comparison, so that of two makespans of a
# few milliseconds the simpler model wins. The regret benchmark forgives the same amount.
FORGIVEN_SECONDS = 0.05

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
    found = tuple(one for one in findings(workload, machine) if one.model in models)
    estimates = rank(estimate(model, workload, machine, costs) for model in models)
    chosen = choose(estimates, found)
    return Recommendation(
        workload=workload,
        machine=machine,
        model=chosen.model,
        settings=Settings(max_workers=chosen.max_workers),
        headline=headline(chosen, estimates),
        findings=(*found, *_by_estimate(chosen, estimates, found)),
        estimates=estimates,
        flips=find_flips(workload, lambda other: _model_for(other, machine, costs, models)),
        notes=(*_assumptions(workload), *_limits(workload, machine, chosen)),
    )


def choose(estimates: Collection[Estimate], found: Collection[Finding]) -> Estimate:
    """Return the simplest estimate within 15 % of the fastest that no finding forbids.

    Sequential is never off the list: it is what remains when all else is forbidden.
    """
    off = forbidden(tuple(found)) - {Model.SEQUENTIAL}
    allowed = [one for one in estimates if one.model not in off]
    fastest = min(one.seconds for one in allowed)
    limit = (fastest + FORGIVEN_SECONDS) * CLOSE_ENOUGH - FORGIVEN_SECONDS
    close = [one for one in allowed if one.seconds <= limit]
    return min(close, key=lambda one: SIMPLEST_FIRST.index(one.model))


def headline(chosen: Estimate, estimates: Collection[Estimate]) -> str:
    """Say the choice in one line: the model, the workers, the time it saves."""
    alone = next((one for one in estimates if one.model is Model.SEQUENTIAL), chosen)
    if chosen.model is Model.SEQUENTIAL:
        return f"sequential: do not parallelise, it takes {show_seconds(chosen.seconds)}"
    return (
        f"{chosen.model}, {show_count(chosen.max_workers)} in flight:"
        f" about {show_seconds(chosen.seconds)} instead of {show_seconds(alone.seconds)}"
    )


def _model_for(
    workload: Workload, machine: Machine, costs: Costs, models: Collection[Model]
) -> Model:
    estimates = [estimate(model, workload, machine, costs) for model in models]
    return choose(estimates, findings(workload, machine)).model


def _by_estimate(
    chosen: Estimate, estimates: Collection[Estimate], found: Collection[Finding]
) -> tuple[Finding, ...]:
    """Return the reasons that come from the estimates rather than from a rule of thumb."""
    off = forbidden(tuple(found))
    rivals = [one for one in estimates if one.model not in off and one.model is not chosen.model]
    faster = [one for one in rivals if one.seconds < chosen.seconds]
    reasons = [Finding(BY_ESTIMATE, BEYOND, chosen.model, Verdict.PREFER, _why(chosen, faster))]
    preferred = {one.model for one in found if one.verdict is Verdict.PREFER}
    if preferred and chosen.model not in preferred:
        reasons += [
            Finding(OVERRULED, BEYOND, one.model, Verdict.AVOID, _overruled(chosen, one))
            for one in rivals
            if one.model in preferred
        ]
    return tuple(reasons)


def _why(chosen: Estimate, faster: list[Estimate]) -> str:
    if not faster:
        return f"the fastest that no rule forbids: {show_seconds(chosen.seconds)}"
    best = min(faster, key=lambda one: one.seconds)
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
    """Say what was assumed where one answer stands for two values."""
    if workload.source("cpu_fraction") is Source.MEASURED:
        return ()
    return (
        f"assumed: of {show_seconds(workload.task_seconds)} a task waits"
        f" {show_seconds(workload.wait_seconds)} and computes {show_seconds(workload.cpu_seconds)}",
    )


def _limits(workload: Workload, machine: Machine, chosen: Estimate) -> tuple[str, ...]:
    """Say which limit of the machine holds the choice back, if one does."""
    wanted = in_flight(workload)
    if chosen.max_workers < wanted and chosen.max_workers == files_allow(machine):
        return (
            f"the limit of {machine.open_files} open files holds the tasks in flight at"
            f" {chosen.max_workers}: raise it with `ulimit -n`",
        )
    return ()
