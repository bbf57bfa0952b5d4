"""When the rules of thumb fire: one pure function per rule, which returns why, or None.

After the thresholds come the questions that several rules ask, then the reasons in the order of
the table in `rules.py`.
"""

from __future__ import annotations

from scaffold.core.domain import Machine, Source, Workload
from scaffold.core.units import show_bytes, show_count, show_rate, show_seconds

# Threads that one process bears well, and the most that are offered: at 256 the hand-over between
# threads costs as much as 10 ms of waiting saves (benchmarks/engines.py, thread rows). Above it,
# tasks outnumber workers.
MANY_THREADS = 256
# Total work below which no model can save what a person, or a script around it, would notice.
TINY_SECONDS = 0.015
# Share of the computing that may hold the GIL before threads stop computing side by side.
RELEASES_GIL = 0.2
# Two threads gain nothing if they get less than this many times as much done as a single thread.
LITTLE_GAIN = 1.1
# A task mostly waits, or mostly computes, from this share of its time on.
MOSTLY = 0.8
# A round trip through pickle and a pipe moves about a gigabyte a second (benchmarks/engines.py,
# the 100 KB row); carrying may cost at most this share of a task before it is called expensive.
PIPE_BYTES_PER_SECOND = 1e9
DEAR_SHARE = 0.1
# The first Python whose standard library starts sub-interpreters (concurrent.interpreters).
SUB_INTERPRETERS_SINCE = (3, 14)


def waits(workload: Workload) -> bool:
    """Tell whether a task spends nearly all of its time waiting."""
    return workload.cpu_fraction <= 1 - MOSTLY


def computes(workload: Workload) -> bool:
    """Tell whether a task spends nearly all of its time computing."""
    return workload.cpu_fraction >= MOSTLY


def holds_gil(workload: Workload, machine: Machine) -> bool:
    """Tell whether the computing keeps other threads from running on this interpreter."""
    if workload.thread_gain is not None:
        return machine.gil and workload.thread_gain < LITTLE_GAIN
    return machine.gil and workload.gil_fraction > RELEASES_GIL


def is_coroutine(workload: Workload) -> bool:
    """Tell whether the function exists already, and is an `async def`."""
    return workload.async_client and workload.source("async_client") is Source.MEASURED


def tiny(workload: Workload) -> bool:
    """Tell whether there is nothing to win: at most one task, or next to no work."""
    return workload.tasks <= 1 or workload.total_seconds <= TINY_SECONDS


def has_sub_interpreters(python: str) -> bool:
    """Tell whether a Python of that version has interpreters with a GIL of their own in threads."""
    return tuple(int(part) for part in python.split(".")[:2]) >= SUB_INTERPRETERS_SINCE


def in_flight(workload: Workload) -> int:
    """Return how many tasks could be in flight at once."""
    most = min(workload.tasks, workload.in_flight_at_rate)
    return min(most, workload.max_in_flight or most)


def nothing_to_win(workload: Workload, machine: Machine) -> str | None:
    if workload.tasks <= 1:
        return "there is only one task, so nothing can run beside it"
    if tiny(workload):
        return f"all of it takes {show_seconds(workload.total_seconds)}: do not parallelise"
    return None


def one_at_a_time(workload: Workload, machine: Machine) -> str | None:
    if workload.max_in_flight == 1 and not tiny(workload):
        return "only one task may be in flight at once"
    return None


def one_reaches_the_rate(workload: Workload, machine: Machine) -> str | None:
    rate = workload.rate_per_second
    if rate is None or workload.in_flight_at_rate > 1 or tiny(workload):
        return None
    return (
        f"{show_rate(rate)} allows a task to begin every {show_seconds(1 / rate)}, and a task takes"
        f" {show_seconds(workload.task_seconds)}: one at a time reaches the rate"
    )


def few_reach_the_rate(workload: Workload, machine: Machine) -> str | None:
    rate, needed = workload.rate_per_second, workload.in_flight_at_rate
    few = min(needed, in_flight(workload)) > 1 and needed <= MANY_THREADS
    if rate is None or computes(workload) or not few or tiny(workload):
        return None
    return (
        f"{show_rate(rate)} times {show_seconds(workload.task_seconds)} is {show_count(needed)} in"
        " flight: more would only wait for their turn"
    )


def memory_is_short(workload: Workload, machine: Machine) -> str | None:
    memory_left = machine.memory_left_bytes
    needed = workload.task_memory_bytes + workload.import_bytes
    if memory_left is None or not needed or tiny(workload):
        return None
    if machine.workers * needed <= memory_left:
        return None
    imports = " with what its worker imports" if workload.import_bytes else ""
    return (
        f"a task{imports} needs {show_bytes(needed)} and {show_bytes(memory_left)} are left: not"
        f" enough for one on each of {machine.workers} cores"
    )


def one_core(workload: Workload, machine: Machine) -> str | None:
    if machine.workers == 1 and computes(workload) and not tiny(workload):
        return (
            f"this process may use {machine.cores:.2g} core: computing side by side gains nothing"
        )
    return None


def computing_needs_processes(workload: Workload, machine: Machine) -> str | None:
    if computes(workload) and holds_gil(workload, machine) and _worth_cores(workload, machine):
        unknown = (
            workload.source("task_seconds") is Source.MEASURED
            and workload.source("gil_fraction") is Source.DEFAULT
        )
        holding = "may hold the GIL, which was not measured" if unknown else "hold the GIL"
        return f"tasks that compute and {holding}: processes use all {machine.cores:.3g} cores"
    return None


def gil_forbids_threads(workload: Workload, machine: Machine) -> str | None:
    if computes(workload) and holds_gil(workload, machine):
        return "the GIL lets one thread compute at a time"
    return None


def threads_compute(workload: Workload, machine: Machine) -> str | None:
    if computes(workload) and not machine.gil and _worth_cores(workload, machine):
        return f"without the GIL, threads compute on all {machine.cores:.3g} cores and share memory"
    return None


def native_code(workload: Workload, machine: Machine) -> str | None:
    releases = machine.gil and not holds_gil(workload, machine)
    if computes(workload) and releases and _worth_cores(workload, machine):
        return f"code that releases the GIL: threads compute on all {machine.cores:.3g} cores"
    return None


def waiting_needs_threads(workload: Workload, machine: Machine) -> str | None:
    side_by_side = waits(workload) and not tiny(workload) and in_flight(workload) > 1
    if is_coroutine(workload):
        return None
    if side_by_side and tasks_not_workers(workload, machine) is None:
        return "tasks that wait: threads wait at the same time, and ordinary code stays as it is"
    return None


def tasks_not_workers(workload: Workload, machine: Machine) -> str | None:
    many = in_flight(workload) > MANY_THREADS
    if waits(workload) and workload.async_client and many and not tiny(workload):
        return f"{show_count(in_flight(workload))} tasks that wait: too many for a thread each"
    return None


def steeper_curve(workload: Workload, machine: Machine) -> str | None:
    few = 1 < in_flight(workload) <= MANY_THREADS and not is_coroutine(workload)
    if waits(workload) and workload.async_client and few and not tiny(workload):
        count = show_count(in_flight(workload))
        return f"{count} at once fit into threads, which are easier to learn and to debug"
    return None


def loop_needs_async_client(workload: Workload, machine: Machine) -> str | None:
    if not workload.async_client and not computes(workload):
        return "without an async client every task would need a thread behind the event loop"
    return None


def loop_does_not_compute(workload: Workload, machine: Machine) -> str | None:
    if computes(workload):
        return "one thread runs the event loop: a task that computes stops all the others"
    return None


def processes_only_wait(workload: Workload, machine: Machine) -> str | None:
    if waits(workload):
        return (
            "processes would only wait: they cost memory and start-up, and have nothing to compute"
        )
    return None


def both(workload: Workload, machine: Machine) -> str | None:
    if waits(workload) or computes(workload) or in_flight(workload) <= 1 or tiny(workload):
        return None
    if holds_gil(workload, machine) and machine.workers > 1:
        return "tasks that wait and compute: every core computes while other tasks wait"
    return None


def coroutine_needs_loop(workload: Workload, machine: Machine) -> str | None:
    if is_coroutine(workload) and not (computes(workload) or tiny(workload)):
        return "an `async def` runs as it is on one event loop; each thread would need its own"
    return None


def dear_payload(workload: Workload, machine: Machine) -> str | None:
    carrying = workload.payload_bytes / PIPE_BYTES_PER_SECOND
    if tiny(workload) or carrying <= DEAR_SHARE * workload.task_seconds:
        return None
    size, seconds = show_bytes(workload.payload_bytes), show_seconds(carrying)
    return (
        f"{size} to pickle and carry: {seconds} for {show_seconds(workload.task_seconds)} of work"
    )


def sub_interpreters_load_little(workload: Workload, machine: Machine) -> str | None:
    if has_sub_interpreters(machine.python) and computing_needs_processes(workload, machine):
        return (
            f"sub-interpreters (Python {machine.python}) would do for pure Python, but NumPy and"
            " pyarrow do not load in them: processes"
        )
    return None


def _worth_cores(workload: Workload, machine: Machine) -> bool:
    return machine.workers > 1 and in_flight(workload) > 1 and not tiny(workload)
