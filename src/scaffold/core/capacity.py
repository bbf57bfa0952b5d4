"""How many tasks each kind of worker may have in flight, and the memory that the workers take.

The memory is that of interpreters and workers; what the tasks carry comes on top of it.
"""

from scaffold.core import cluster
from scaffold.core.costs import Costs
from scaffold.core.domain import Machine, Workload
from scaffold.core.makespans import hybrid_processes
from scaffold.core.reasons import MANY_THREADS, in_flight

# The most coroutines that are offered: with more, an ordinary server or the limit of open files
# gives in before the model does (benchmarks/engines.py, growth in flight).
MOST_COROUTINES = 1000
# One parent feeds at most this many processes: a choice that bounds the search, not a measurement.
MOST_PROCESSES = 64
# Open files that are kept for everything else, as in a project's `runner/machine.py`.
SPARE_FILES = 64


def one_at_a_time(work: Workload, machine: Machine) -> tuple[int, ...]:
    """Return the only count: one task at a time."""
    return (1,)


def one_per_core(work: Workload, machine: Machine) -> tuple[int, ...]:
    """Return every count of processes up to one for each core."""
    return tuple(range(1, min(in_flight(work), machine.workers, MOST_PROCESSES) + 1))


def threads(work: Workload, machine: Machine) -> tuple[int, ...]:
    """Return the counts of threads worth a try."""
    return _up_to(min(in_flight(work), MANY_THREADS, files_allow(machine)), machine.workers)


def coroutines(work: Workload, machine: Machine) -> tuple[int, ...]:
    """Return the counts of coroutines worth a try; of threads without an async client."""
    if not work.async_client:
        return threads(work, machine)
    return _up_to(min(in_flight(work), MOST_COROUTINES, files_allow(machine)), machine.workers)


def files_allow(machine: Machine) -> int:
    """Return how many tasks may each hold a socket or a file open at once."""
    return max(1, (machine.open_files or 2**31) - SPARE_FILES)


def _up_to(most: int, cores: int) -> tuple[int, ...]:
    """Return the powers of two up to `most`, with `cores` and `most` themselves."""
    doubling = {2**power for power in range(most.bit_length())}
    return tuple(sorted(count for count in doubling | {cores, most} if count <= most))


def one_interpreter(workers: int, machine: Machine, costs: Costs) -> int:
    """Return the bytes of this process alone."""
    return costs.interpreter_bytes


def with_threads(workers: int, machine: Machine, costs: Costs) -> int:
    """Return the bytes of a process with its threads."""
    return costs.interpreter_bytes + workers * costs.thread_bytes


def with_coroutines(workers: int, machine: Machine, costs: Costs) -> int:
    """Return the bytes of a process with its coroutines."""
    return costs.interpreter_bytes + workers * costs.coroutine_bytes


def with_processes(workers: int, machine: Machine, costs: Costs) -> int:
    """Return the bytes of a process and of those that it starts."""
    return (1 + workers) * costs.interpreter_bytes


def with_hybrid(workers: int, machine: Machine, costs: Costs) -> int:
    """Return the bytes of a process and of those that it starts, with their coroutines."""
    processes = 1 + hybrid_processes(workers, machine)
    return processes * costs.interpreter_bytes + workers * costs.coroutine_bytes


def with_cluster(workers: int, machine: Machine, costs: Costs) -> int:
    """Return the bytes of a cluster's processes, on all of its machines."""
    return cluster.memory(workers)
