"""Pilot runs: engines tried for a moment if the choice is close, to decide it by measuring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scaffold.asking.target import Target
from scaffold.core.advice import weigh
from scaffold.core.costs import Costs
from scaffold.core.domain import Estimate, Machine, Model, Workload
from scaffold.core.estimates import per_task
from scaffold.core.models import BASELINE, CLUSTER, MODELS, Awaits
from scaffold.core.reasons import waits
from scaffold.core.rules import forbidden
from scaffold.making.inventory import available_models
from scaffold.measuring.lab import Trial, laboratory
from scaffold.measuring.pilot import LEAST_TASKS

# A model whose prediction is at most this many times the shortest may still be the fastest: each
# prediction may be off by what `estimates.SPREAD` says.
CLOSE = 1.6
# A task that waits less than this share of its time gains nothing from a second one beside it.
HARDLY_WAITS = 0.1
# Seconds of the fastest below which no choice matters.
MATTERS = 0.1
# Seconds that a child process takes to start, without the import of the function.
STARTING = 0.15


def pilots(
    target: Target,
    items: Sequence[Any],
    work: Workload,
    machine: Machine,
    costs: Costs,
    seconds: float,
) -> dict[str, float]:
    """Try the models that are close; return how many times as long as predicted a task took.

    A function that waits is not tried: its calls may burden a server, and `--calls` is used up.
    """
    if waits(work):
        return {}
    rivals = close(work, machine, costs)
    enough = sum(2 * LEAST_TASKS * rival.max_workers for rival in rivals)
    seconds_left = seconds - STARTING - work.import_seconds
    needed = sum(_needed(rival, work, machine, costs) for rival in rivals)
    if len(rivals) < 2 or len(items) < enough or seconds_left < needed:
        return {}
    trials = [
        Trial(
            target,
            rival.model,
            rival.max_workers,
            {},
            machine.start_method if MODELS[rival.model].pickles else None,
        )
        for rival in rivals
        if rival.model is not BASELINE
    ]
    with laboratory() as lab:
        took = lab.pilot(trials, work.tasks, items, seconds)
    return {
        str(trial.model): seconds / per_task(trial.model, trial.max_workers, work, machine, costs)
        for trial, seconds in zip(trials, took, strict=True)
        if seconds is not None
    }


def close(work: Workload, machine: Machine, costs: Costs) -> list[Estimate]:
    """Return the estimates, fastest first, that no rule forbids and that may be the fastest."""
    _, estimates, fired = weigh(work, machine, costs, available_models())
    off = forbidden(fired) - {BASELINE} | {CLUSTER}
    if work.wait_seconds < HARDLY_WAITS * work.task_seconds:  # leaves more time for the others
        off |= {Model.HYBRID}
    allowed = [
        estimate
        for estimate in estimates
        if estimate.model not in off
        # Without a coroutine it would be threading behind an event loop.
        and (work.async_client or MODELS[estimate.model].awaits is not Awaits.ALWAYS)
    ]
    best = min(estimate.seconds for estimate in allowed)
    if best <= MATTERS:
        return []
    return [estimate for estimate in allowed if estimate.seconds <= CLOSE * best]


def _needed(rival: Estimate, work: Workload, machine: Machine, costs: Costs) -> float:
    """Return the seconds of the shortest run that tells something: its start, and some rounds."""
    if rival.model is BASELINE:
        return 0.0
    seconds = per_task(rival.model, rival.max_workers, work, machine, costs)
    flow = work.tasks * seconds
    return max(0.0, rival.seconds - flow) + LEAST_TASKS * rival.max_workers * seconds
