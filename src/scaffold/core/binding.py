"""What limits a predicted time, found by easing each limit by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from scaffold.core.domain import Machine, Workload
from scaffold.core.flips import Chooser
from scaffold.core.units import show_count, show_rate

# A limit binds when easing it (removing, doubling, halving) saves at least this share of the time.
BINDS = 0.1


def binding(work: Workload, machine: Machine, choose: Chooser) -> str:
    """Return in words what limits the time of the choice, or an empty text."""
    now = choose(work, machine).seconds
    eased = [
        (choose(other_work, other_machine).seconds, words)
        for words, other_work, other_machine in _easings(work, machine)
    ]
    seconds, words = min(eased, default=(now, ""))
    return words if seconds <= (1 - BINDS) * now else ""


def _easings(work: Workload, machine: Machine) -> Iterator[tuple[str, Workload, Machine]]:
    """Yield each limit in words, with a workload and a machine on which it is eased."""
    if work.rate_per_second is not None:
        eased = replace(work, rate_per_second=2 * work.rate_per_second)
        yield f"the rate of {show_rate(work.rate_per_second)}", eased, machine
    if work.max_in_flight is not None:
        eased = replace(work, max_in_flight=2 * work.max_in_flight)
        yield f"the limit of {show_count(work.max_in_flight)} in flight", eased, machine
    if machine.memory_left_bytes is not None:
        yield "memory", work, machine._replace(memory_left_bytes=2 * machine.memory_left_bytes)
    if work.payload_bytes:
        yield "carrying data", replace(work, payload_bytes=0), machine
    if machine.gil and work.gil_seconds:
        yield "the GIL", replace(work, gil_fraction=0.0), machine
    if work.is_saturated:
        per_process = work.in_flight_per_process
        words = "what its tasks share in a process" if per_process else "the other end"
        yield words, replace(work, in_flight_gain=float(work.in_flight_tried)), machine
    if work.cpu_seconds:
        yield "cores", work, machine._replace(cores=2 * machine.cores)
    if work.wait_seconds:
        wait = work.wait_seconds / 2
        seconds = work.cpu_seconds + wait
        share = work.cpu_seconds / seconds if seconds else 0.0
        eased = replace(work, task_seconds=seconds, cpu_fraction=share)
        yield "waiting", eased, machine
