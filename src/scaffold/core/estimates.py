"""What each model would take on this machine: the best of its settings, in seconds and bytes."""

from collections.abc import Iterable
from dataclasses import replace

from scaffold.core import cluster
from scaffold.core.costs import DEFAULT_COSTS, Costs
from scaffold.core.domain import Estimate, Machine, Model, Source, Workload
from scaffold.core.makespans import makespan
from scaffold.core.reasons import MANY_THREADS, in_flight

# The most coroutines that are offered: past them an ordinary server, or the machine's open files,
# gives in before the model does (benchmarks/engines.py, growth in flight).
MOST_COROUTINES = 1000
# One parent feeds at most this many processes: a choice that bounds the search, not a measurement.
MOST_PROCESSES = 64
# Seconds by which a wait is over late: the slack of Linux's timers (50 us, prctl(2)), and the way
# back to a core. Who says how long a task waits does not count them; a measurement has them in it.
LATE = 6.0e-5
# Files that an interpreter keeps open for itself, and a margin for the client's own.
SPARE_FILES = 32
# Of two settings this close, the one with fewer workers is taken: it asks less of everything else.
CLOSE_SETTINGS = 1.03
# How far a prediction may be off, by where the times came from: eight in ten of sixty workloads of
# benchmarks/regret.py ended between. Of what nobody said, nothing is known: assumed.
SPREAD = {Source.MEASURED: (0.9, 1.45), Source.ASKED: (0.75, 2.1), Source.DEFAULT: (0.5, 2.5)}


def estimate(
    model: Model, workload: Workload, machine: Machine, costs: Costs = DEFAULT_COSTS
) -> Estimate:
    """Predict `model` with the fewest workers that reach, within 3 %, its best makespan."""
    candidates = [
        (workers, makespan(model, workers, workload, machine, costs))
        for workers in worker_counts(model, workload, machine)
    ]
    best = min(seconds for _, seconds in candidates)
    workers, seconds = next(one for one in candidates if one[1] <= best * CLOSE_SETTINGS)
    low, high = SPREAD[workload.source("task_seconds")]
    return Estimate(
        model=model,
        max_workers=workers,
        seconds=seconds,
        low=seconds * low,
        high=seconds * high,
        speedup=makespan(Model.SEQUENTIAL, 1, workload, machine, costs) / seconds,
        peak_memory_bytes=peak_memory(model, workers, workload, machine, costs),
    )


def as_it_runs(workload: Workload) -> Workload:
    """Return the workload with what an answer about its waits leaves out."""
    if not workload.wait_seconds or workload.source("task_seconds") is Source.MEASURED:
        return workload
    seconds = workload.task_seconds + LATE
    return replace(workload, task_seconds=seconds, cpu_fraction=workload.cpu_seconds / seconds)


def peak_memory(
    model: Model, workers: int, workload: Workload, machine: Machine, costs: Costs = DEFAULT_COSTS
) -> int:
    """Predict the peak bytes of all processes together, the user's own data apart."""
    if model is Model.DASK:
        return cluster.peak_memory(workers, workload)
    one = costs.interpreter_bytes
    extra = {
        Model.SEQUENTIAL: 0,
        Model.THREADING: workers * costs.thread_bytes,
        Model.ASYNCIO: workers * costs.coroutine_bytes,
        Model.MULTIPROCESSING: workers * one,
        Model.HYBRID: one * min(workers, machine.workers) + workers * costs.coroutine_bytes,
    }
    return one + extra[model] + 2 * workers * workload.payload_bytes


def worker_counts(model: Model, workload: Workload, machine: Machine) -> tuple[int, ...]:
    """Return the counts of tasks in flight that are worth trying, fewest first."""
    most, cores = in_flight(workload), machine.workers
    if model is Model.SEQUENTIAL:
        return (1,)
    if model in (Model.MULTIPROCESSING, Model.DASK):
        return tuple(range(1, min(most, cores, MOST_PROCESSES) + 1))
    on_a_loop = workload.async_client and model is not Model.THREADING
    held = MOST_COROUTINES if on_a_loop else MANY_THREADS
    return _up_to(min(most, held, files_allow(machine)), cores)


def files_allow(machine: Machine) -> int:
    """Return how many tasks may each hold a socket or a file open at once."""
    return max(1, (machine.open_files or 2**31) - SPARE_FILES)


def _up_to(most: int, cores: int) -> tuple[int, ...]:
    """Powers of two up to `most`, with `cores` and `most` themselves."""
    doubling = {2**power for power in range(most.bit_length())}
    return tuple(sorted(one for one in doubling | {cores, most} if one <= most))


def rank(estimates: Iterable[Estimate]) -> tuple[Estimate, ...]:
    """Return the estimates, fastest first."""
    return tuple(sorted(estimates, key=lambda one: one.seconds))
