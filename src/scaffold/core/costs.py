"""What running costs: the makespan and the peak memory of every model, predicted.

For n tasks, each waiting w seconds and computing c, of which g hold the GIL, on p cores and with k
in flight, a makespan is the largest of its bounds (waiting, computing, holding the GIL, queueing
for it, handing over) plus what starting costs. `Costs` holds the constants.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from scaffold.core import cluster
from scaffold.core.domain import Estimate, Machine, Model, Source, Workload
from scaffold.core.queueing import Shared, makespan_with
from scaffold.core.reasons import MANY_THREADS, in_flight


class Start(NamedTuple):
    """Seconds that starting a pool of processes costs: once, and per process."""

    pool: float
    process: float


class Costs(NamedTuple):
    """The constants of one machine, in seconds and bytes.

    The defaults are what `concgen doctor --calibrate` found on 2 cores of Linux with CPython 3.13;
    they are of the right order elsewhere. Rates are bytes a second.
    """

    call: float = 3.0e-6  # one task through the engine, sequentially
    thread_start: float = 1.5e-4
    thread_hand_over: float = 5.0e-6
    thread_wake: float = 2.5e-5  # from a wait, while other threads want the GIL
    loop_start: float = 1.0e-3
    loop_hand_over: float = 5.0e-6
    loop_wake: float = 1.2e-5  # from a wait, among many coroutines
    loop_call: float = 2.5e-5  # a coroutine run to its end by itself, in an engine without a loop
    coroutine_start: float = 1.5e-5
    starts: Mapping[str, Start] = MappingProxyType(
        {
            "fork": Start(pool=4.0e-3, process=4.0e-3),
            "forkserver": Start(pool=8.0e-2, process=3.0e-2),
            "spawn": Start(pool=5.0e-2, process=5.0e-2),
        }
    )
    message: float = 6.0e-5  # from one process to another and back (benchmarks/engines.py)
    process_hand_over: float = 1.2e-6
    hybrid_hand_over: float = 8.0e-6
    hybrid_wake: float = 2.1e-5  # from a wait, where each process keeps to a core of its own
    pickle_rate: float = 6.5e8
    read_rate: float = 3.0e8  # of items as JSON Lines
    interpreter_bytes: int = 14_000_000
    thread_bytes: int = 60_000
    coroutine_bytes: int = 8_000


DEFAULT_COSTS = Costs()

# The most coroutines that are offered: past them an ordinary server, or the machine's open files,
# gives in before the model does (benchmarks/engines.py, growth in flight).
MOST_COROUTINES = 1000
# One parent feeds at most this many processes: a choice that bounds the search, not a measurement.
MOST_PROCESSES = 64
# A process engine hands out work in batches of about this long (templates/engines).
BATCH_SECONDS = 0.010
# A hybrid process looks for more work this often, and so late it notices its start and its end
# (templates/engines/task.py); it pickles a payload by itself and again inside a message.
HYBRID_IDLE = 2 * 0.005
HYBRID_PICKLING = 1.5
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
    workload = _as_it_runs(workload)
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
        speedup=_sequential(1, workload, machine, costs) / seconds,
        peak_memory_bytes=peak_memory(model, workers, workload, machine, costs),
    )


def _as_it_runs(workload: Workload) -> Workload:
    """Return the workload with what an answer about its waits leaves out."""
    if not workload.wait_seconds or workload.source("task_seconds") is Source.MEASURED:
        return workload
    seconds = workload.task_seconds + LATE
    return replace(workload, task_seconds=seconds, cpu_fraction=workload.cpu_seconds / seconds)


def makespan(
    model: Model, workers: int, workload: Workload, machine: Machine, costs: Costs = DEFAULT_COSTS
) -> float:
    """Predict the seconds from start to the last result with `workers` tasks in flight."""
    return _MAKESPAN[model](workers, workload, machine, costs)


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


# ---------------------------------------------------------------------------- one per model


def _sequential(workers: int, work: Workload, machine: Machine, costs: Costs) -> float:
    each = work.task_seconds + costs.call + _bridge(work, costs) + _reading(work, costs)
    return work.tasks * each


def _threading(workers: int, work: Workload, machine: Machine, costs: Costs) -> float:
    each = _in_thread(work, costs, costs.thread_wake) + _reading(work, costs)
    holding = work.gil_seconds if machine.gil else 0.0
    return workers * costs.thread_start + max(
        makespan_with(Shared(1, holding + each, sliced=True), work, workers, each),
        makespan_with(
            Shared(machine.cores, work.cpu_seconds + each, sliced=True), work, workers, each
        ),
    )


def _asyncio(workers: int, work: Workload, machine: Machine, costs: Costs) -> float:
    if not work.async_client:  # blocking calls run in threads behind the event loop
        return costs.loop_start + _threading(workers, work, machine, costs)
    each = _on_loop(work, costs) + _reading(work, costs)
    start = costs.loop_start + workers * costs.coroutine_start
    loop = Shared(1, work.cpu_seconds + each, sliced=False)
    return start + makespan_with(loop, work, workers, each)


def _multiprocessing(workers: int, work: Workload, machine: Machine, costs: Costs) -> float:
    each = _bridge(work, costs)
    start = _start(workers, work, machine, costs)
    cores = Shared(machine.cores, work.cpu_seconds + each, sliced=True)
    return start + makespan_with(cores, work, workers, each) + _carrying(work, costs)


def _hybrid(workers: int, work: Workload, machine: Machine, costs: Costs) -> float:
    processes = min(workers, machine.workers)
    # Each process has an event loop for async work, and threads of its own for the other.
    if work.async_client:
        inner, each = costs.coroutine_start, _on_loop(work, costs)
    else:
        inner, each = costs.thread_start, _in_thread(work, costs, costs.hybrid_wake)
    start = _start(processes, work, machine, costs) + workers / processes * inner + HYBRID_IDLE
    cores = Shared(
        min(processes, machine.cores), work.cpu_seconds + each, sliced=not work.async_client
    )
    flow = makespan_with(cores, work, workers, each)
    carrying = costs.hybrid_hand_over + HYBRID_PICKLING * work.payload_bytes / costs.pickle_rate
    return start + flow + work.tasks * (carrying + _reading(work, costs))


def _in_thread(work: Workload, costs: Costs, wake: float) -> float:
    """Seconds that a task keeps the GIL of its process for the sake of the engine."""
    waking = min(wake, work.wait_seconds)  # a shorter wait is over before
    return costs.thread_hand_over + waking + _bridge(work, costs)


def _on_loop(work: Workload, costs: Costs) -> float:
    return costs.loop_hand_over + min(costs.loop_wake, work.wait_seconds)


def _bridge(work: Workload, costs: Costs) -> float:
    """Seconds to run one coroutine to its end where the engine has no event loop."""
    return costs.loop_call if work.async_client else 0.0


def _reading(work: Workload, costs: Costs) -> float:
    """Seconds to read one item: about half of what a task carries."""
    return work.payload_bytes / 2 / costs.read_rate


def _dask(workers: int, work: Workload, machine: Machine, costs: Costs) -> float:
    cores = Shared(machine.cores, work.cpu_seconds, sliced=True)
    flow = makespan_with(cores, work, workers, 0.0)
    return cluster.START + max(flow, cluster.carrying(work))


def _start(processes: int, work: Workload, machine: Machine, costs: Costs) -> float:
    start = costs.starts[machine.start_method]
    # A forked worker has the user's module already; any other imports it, side by side.
    imports = 0.0 if machine.start_method == "fork" else work.import_seconds
    return start.pool + processes * (start.process + imports / machine.workers)


def _carrying(work: Workload, costs: Costs) -> float:
    """Seconds to carry every item and result: messages, hand-over and pickling."""
    batch = max(1.0, BATCH_SECONDS / max(work.task_seconds, 1e-9))
    each = costs.process_hand_over + work.payload_bytes / costs.pickle_rate + _reading(work, costs)
    return work.tasks * (each + costs.message / min(batch, 1000.0))


_MAKESPAN: dict[Model, Callable[[int, Workload, Machine, Costs], float]] = {
    Model.SEQUENTIAL: _sequential,
    Model.THREADING: _threading,
    Model.ASYNCIO: _asyncio,
    Model.MULTIPROCESSING: _multiprocessing,
    Model.HYBRID: _hybrid,
    Model.DASK: _dask,
}


def rank(estimates: Iterable[Estimate]) -> tuple[Estimate, ...]:
    """Return the estimates, fastest first."""
    return tuple(sorted(estimates, key=lambda one: one.seconds))
