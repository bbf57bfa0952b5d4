"""What each model would take on this machine: the best of its settings, in seconds and bytes."""

from collections.abc import Iterable
from dataclasses import replace

from scaffold.core.costs import DEFAULT_COSTS, Costs
from scaffold.core.domain import Estimate, Machine, Model, Source, Workload
from scaffold.core.models import BASELINE, CLUSTER, MODELS
from scaffold.core.units import MAX_COUNT

# Seconds by which a wait ends late: the slack of Linux's timers (50 us, prctl(2)), and getting back
# to a core. A user's answer leaves this out; a measurement includes it.
LATE = 6.0e-5
# Bytes that Python code looks at in a second, such as code that adds up their values.
LOOKED_AT = 1e8
# Share of the free memory that is planned for the workers: the rest is for what the system and the
# allocators take beside them. A choice, not a measurement.
MEMORY_SHARE = 0.9
# Of two settings this close, the one with fewer workers is taken: it asks less of everything else.
CLOSE_SETTINGS = 1.03
# After this many tasks for each worker, a run is in its steady state.
MANY_ROUNDS = 16
# How far a prediction may be off, by the source of the times: eight runs in ten ended between.
# Measured: real libraries, of which `python benchmarks/real.py --save FILE` prints the tenths (315
# runs of 28 functions on two cores: 0.84 to 1.35; of ten of them alone 0.66 to 1.42). Asked:
# `python benchmarks/regret.py`. For default values nothing is known: assumed.
SPREAD = {Source.MEASURED: (0.65, 1.45), Source.ASKED: (0.75, 2.1), Source.DEFAULT: (0.5, 2.5)}
# Run one task after another, a function takes as long as measured (in the same runs 0.95 to 1.02).
SPREAD_ALONE = (0.9, 1.15)


def estimate(
    model: Model, workload: Workload, machine: Machine, costs: Costs = DEFAULT_COSTS
) -> Estimate:
    """Predict `model` with the fewest workers that reach, within 3 %, its best makespan."""
    candidates = [
        (workers, makespan(model, workers, workload, machine, costs))
        for workers in worker_counts(model, workload, machine, costs)
    ]
    best = min(seconds for _, seconds in candidates)
    workers, seconds = next(
        setting for setting in candidates if setting[1] <= best * CLOSE_SETTINGS
    )
    low, high = spread(model, workload)
    slowest = seconds
    if workload.is_untried(workers):
        slowest = makespan(model, workload.in_flight_tried, workload, machine, costs)
    return Estimate(
        model=model,
        max_workers=workers,
        seconds=seconds,
        low=max(seconds * low, workload.seconds_at_rate),
        high=slowest * high,
        speedup=makespan(BASELINE, 1, workload, machine, costs) / seconds,
        peak_memory_bytes=peak_memory(model, workers, workload, machine, costs),
    )


def spread(model: Model, workload: Workload) -> tuple[float, float]:
    """Return the factors that lead from the predicted time to its low and its high."""
    source = workload.source("task_seconds")
    return SPREAD_ALONE if model is BASELINE and source is Source.MEASURED else SPREAD[source]


def as_it_runs(workload: Workload) -> Workload:
    """Return the workload with the lateness of waits, which an answer leaves out.

    A default payload is no larger than what a task has time to look at.
    """
    assumed = workload.source("payload_bytes") is Source.DEFAULT
    if assumed and workload.payload_bytes == Workload.payload_bytes:
        most = round(workload.task_seconds * LOOKED_AT)
        workload = replace(workload, payload_bytes=min(workload.payload_bytes, most))
    if not workload.wait_seconds or workload.source("task_seconds") is Source.MEASURED:
        return workload
    seconds = workload.task_seconds + LATE
    return replace(workload, task_seconds=seconds, cpu_fraction=workload.cpu_seconds / seconds)


def makespan(
    model: Model, workers: int, workload: Workload, machine: Machine, costs: Costs = DEFAULT_COSTS
) -> float:
    """Predict the seconds from start to the last result with `workers` tasks in flight."""
    alone = MODELS[model].makespan(workers, workload, machine, costs)
    if (ratio := workload.pilots.get(model)) is not None:
        alone += (ratio - 1) * workload.tasks * per_task(model, workers, workload, machine, costs)
    processes = min(workers, machine.workers) if MODELS[model].pickles else 1
    return max(alone, workload.seconds_at_rate, workload.seconds_saturated(processes))


def per_task(
    model: Model, workers: int, workload: Workload, machine: Machine, costs: Costs = DEFAULT_COSTS
) -> float:
    """Predict the seconds from one result to the next in the middle of a run."""
    few = MANY_ROUNDS * workers
    first, second = (
        MODELS[model].makespan(workers, replace(workload, tasks=tasks), machine, costs)
        for tasks in (few, 2 * few)
    )
    return (second - first) / few


def peak_memory(
    model: Model, workers: int, workload: Workload, machine: Machine, costs: Costs = DEFAULT_COSTS
) -> int:
    """Predict the peak bytes of all processes together, with what the running tasks need."""
    carried = 2 * workload.payload_bytes  # as it was read, and as it is handed over
    running = workers * (carried + workload.task_memory_bytes)
    # Forked workers share what was imported only until they touch it, and counting objects does.
    ready = costs._replace(interpreter_bytes=costs.interpreter_bytes + workload.import_bytes)
    return MODELS[model].memory(workers, machine, ready) + running


def worker_counts(
    model: Model, workload: Workload, machine: Machine, costs: Costs = DEFAULT_COSTS
) -> tuple[int, ...]:
    """Return the counts of tasks in flight that are worth a try, fewest first.

    The free memory bounds them; a count is tried even if none fits.
    """
    counts = MODELS[model].counts(workload, machine)
    most = memory_allows(model, workload, machine, costs, counts[-1])
    return tuple(sorted({count for count in counts if count <= most} | {most}))


def memory_allows(
    model: Model, workload: Workload, machine: Machine, costs: Costs, limit: int = MAX_COUNT
) -> int:
    """Return how many tasks, 1 to `limit`, may be in flight in the memory that is left."""
    if machine.memory_left_bytes is None or model is CLUSTER:  # its memory is on other machines
        return limit
    usable = MEMORY_SHARE * machine.memory_left_bytes

    def fits(workers: int) -> bool:
        return peak_memory(model, workers, workload, machine, costs) <= usable

    if fits(limit):
        return limit
    fewest, most = 1, limit  # 1 is always allowed; `limit` does not fit
    while most - fewest > 1:
        middle = (fewest + most) // 2
        fewest, most = (middle, most) if fits(middle) else (fewest, middle)
    return fewest


def rank(estimates: Iterable[Estimate]) -> tuple[Estimate, ...]:
    """Return the estimates, fastest first."""
    return tuple(sorted(estimates, key=lambda estimate: estimate.seconds))
