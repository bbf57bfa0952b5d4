"""The makespan of every model, predicted.

For n tasks, each waiting w seconds and computing c, of which g hold the GIL, on p cores and with k
in flight, a makespan is the largest of its bounds (waiting, computing, holding the GIL, queueing
for it, handing over) plus what starting costs.
"""

import math
from dataclasses import replace

from scaffold.core import cluster
from scaffold.core.costs import Costs
from scaffold.core.domain import Machine, Source, Workload
from scaffold.core.queueing import Shared, makespan_with

# A process engine hands out work in batches of about this long (templates/engines).
BATCH_SECONDS = 0.010
# A hybrid process looks for more work this often, so it notices its start and its end this late
# (the runner's task.py); it pickles a payload by itself and again inside a message.
HYBRID_IDLE = 2 * 0.005
HYBRID_PICKLING = 1.5


def sequential(workers: int, work: Workload, machine: Machine, costs: Costs) -> float:
    """Predict one task after another."""
    seconds = work.task_seconds + costs.call + _bridge(work, costs) + _reading(work, costs)
    return work.tasks * seconds


def threading(workers: int, work: Workload, machine: Machine, costs: Costs) -> float:
    """Predict tasks that share the GIL and the cores in turns."""
    overhead = _in_thread(work, costs, costs.thread_wake) + _reading(work, costs)
    holding = work.gil_seconds if machine.gil else 0.0
    if work.thread_gain is not None and workers > 1:
        together = beside(work, work.thread_gain)
        holding = shared_seconds(work.task_seconds, max(work.task_seconds, together))
        work = _no_slower(work, together)
    # More threads than keep the cores busy only take turns on them: the GIL is free no sooner.
    running = min(workers, max(1, round(machine.cores / max(1e-9, min(1.0, work.cpu_fraction)))))
    return workers * costs.thread_start + max(
        makespan_with(Shared(1, holding + overhead, sliced=True), work, running, overhead),
        makespan_with(
            Shared(machine.cores, min(work.cpu_seconds, work.task_seconds) + overhead, sliced=True),
            work,
            workers,
            overhead,
        ),
    )


def asyncio(workers: int, work: Workload, machine: Machine, costs: Costs) -> float:
    """Predict tasks that share one event loop, each keeping it until its next wait."""
    if not work.async_client:  # blocking calls run in threads behind the event loop
        return costs.loop_start + threading(workers, work, machine, costs)
    overhead = _on_loop(work, costs) + _reading(work, costs)
    start = costs.loop_start + workers * costs.coroutine_start
    loop = Shared(1, work.cpu_seconds + overhead, sliced=False)
    return start + makespan_with(loop, work, workers, overhead)


def multiprocessing(workers: int, work: Workload, machine: Machine, costs: Costs) -> float:
    """Predict tasks that have a core each, and a parent that carries items and results."""
    overhead = _bridge(work, costs)
    start = _start(workers, work, machine, costs)
    work = _in_processes(work, workers)
    cores = Shared(machine.cores, work.cpu_seconds + overhead, sliced=True)
    return start + makespan_with(cores, work, workers, overhead) + _carrying(work, costs)


def hybrid(workers: int, work: Workload, machine: Machine, costs: Costs) -> float:
    """Predict processes that each keep several tasks in flight."""
    processes = hybrid_processes(workers, machine)
    # Each process has an event loop for async work, and threads of its own for blocking work.
    if work.async_client:
        inner, overhead = costs.coroutine_start, _on_loop(work, costs)
    else:
        inner, overhead = costs.thread_start, _in_thread(work, costs, costs.hybrid_wake)
    start = _start(processes, work, machine, costs) + workers / processes * inner + HYBRID_IDLE
    work = _in_processes(work, processes)
    cores = Shared(
        min(processes, machine.cores), work.cpu_seconds + overhead, sliced=not work.async_client
    )
    flow = makespan_with(cores, work, workers, overhead)
    carrying = costs.hybrid_hand_over + HYBRID_PICKLING * work.payload_bytes / costs.pickle_rate
    return start + flow + work.tasks * (carrying + _reading(work, costs))


def dask(workers: int, work: Workload, machine: Machine, costs: Costs) -> float:
    """Predict a cluster: what its cores compute, and what its scheduler carries."""
    cores = Shared(machine.cores, work.cpu_seconds, sliced=True)
    flow = makespan_with(cores, work, workers, 0.0)
    return cluster.START + max(flow, cluster.carrying(work))


def hybrid_processes(workers: int, machine: Machine) -> int:
    """Return how many processes share `workers` tasks in flight."""
    return min(workers, machine.workers)


def beside(work: Workload, gain: float) -> float:
    """Return the seconds of a task while another runs beside it, by the gain of the two.

    This may be less than alone: the allocator gives a thread memory that it keeps.
    """
    return 2 * work.task_seconds / gain


def shared_seconds(alone: float, together: float) -> float:
    """Return the seconds that a task keeps what one task at a time can have, such as the GIL.

    A task takes `alone` seconds by itself and `together` beside another. This is `queueing` with
    two tasks and one server, solved for the seconds that a task keeps the server.
    """
    late = together - alone
    return (math.sqrt(late * late + 4 * late * together) - late) / 2


def _in_processes(work: Workload, processes: int) -> Workload:
    """Return the tasks as they are where each process has a core, and all of them are busy.

    The processes share memory and caches, and the cores that native threads of a single process
    had to themselves.
    """
    if work.process_gain is None or processes < 2:
        return work
    together = beside(work, work.process_gain)
    if together <= work.task_seconds:
        return _no_slower(work, together)
    share = 1 - work.wait_seconds / together
    return replace(work, task_seconds=together, cpu_fraction=share)


def _no_slower(work: Workload, together: float) -> Workload:
    """Return the tasks with `together` seconds each, if that is less."""
    return replace(work, task_seconds=min(work.task_seconds, together))


def _in_thread(work: Workload, costs: Costs, wake: float) -> float:
    """Seconds that a task keeps the GIL of its process for the engine's own work."""
    waking = min(wake, work.wait_seconds)  # waking costs no more than the wait itself
    return costs.thread_hand_over + waking + _bridge(work, costs)


def _on_loop(work: Workload, costs: Costs) -> float:
    return costs.loop_hand_over + min(costs.loop_wake, work.wait_seconds)


def _bridge(work: Workload, costs: Costs) -> float:
    """Seconds to run one coroutine to its end where the engine has no event loop.

    If the user only says that the client has an async API, `work` can be a plain `def` there.
    """
    is_coroutine = work.async_client and work.source("async_client") is Source.MEASURED
    return costs.loop_call if is_coroutine else 0.0


def _reading(work: Workload, costs: Costs) -> float:
    """Seconds to read one item: about half of what a task carries."""
    return work.payload_bytes / 2 / costs.read_rate


def _start(processes: int, work: Workload, machine: Machine, costs: Costs) -> float:
    start = costs.starts[machine.start_method]
    # A forked worker has the user's module already; other workers import it, side by side.
    imports = 0.0 if machine.start_method == "fork" else work.import_seconds
    return start.pool + processes * (start.process + imports / min(processes, machine.cores))


def _carrying(work: Workload, costs: Costs) -> float:
    """Seconds to carry every item and result: messages, hand-over and pickling."""
    batch = max(1.0, BATCH_SECONDS / max(work.task_seconds, 1e-9))
    seconds = (
        costs.process_hand_over + work.payload_bytes / costs.pickle_rate + _reading(work, costs)
    )
    return work.tasks * (seconds + costs.message / min(batch, 1000.0))
