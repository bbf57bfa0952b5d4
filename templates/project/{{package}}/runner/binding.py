"""What a run was bound by, told at its end: a rate, the other end, memory, cores, or how many tasks
were in flight; and what would help. Nothing is told where the figures do not show it.
"""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

from .pacing import Pacer

BOUND = 0.85  # share of what there is that has to be used up: starting and ending take some
SECONDS = 1.0  # of shorter runs, most is starting and ending
TASKS = 20  # of fewer, the last ones weigh too much


class Usage(NamedTuple):
    """What a run has used, and what it had."""

    seconds: float
    tasks: int
    busy: float  # seconds that tasks took, all together
    cpu: float  # seconds of this process and of those that it has started and that have ended
    workers: int  # tasks in flight at most; 0 where nobody here knows
    cores: int
    model: str
    pacer: Pacer | None = None

    @property
    def in_flight(self) -> float:
        """Tasks, on average."""
        return self.busy / self.seconds

    @property
    def in_processes(self) -> bool:
        """Workers are processes, not threads or coroutines."""
        return self.model in ("multiprocessing", "hybrid", "dask")


def cpu_seconds() -> float:
    """Of this process, and of those that it has started and that have ended."""
    return sum(os.times()[:4])


def what_bound(usage: Usage) -> str | None:
    """In words, with what would help; None where it is not clear."""
    if usage.seconds < SECONDS or usage.tasks < TASKS:
        return None
    return _pace(usage) or _cores(usage) or _in_flight(usage)


def _pace(usage: Usage) -> str | None:
    pacer = usage.pacer
    if pacer is None:
        return None
    if rate := pacer.used_up(BOUND * usage.seconds):
        return f"the rate of {rate}: more workers would not help"
    return None if pacer.limit is None else pacer.limit.bound_by(usage.in_flight)


def _cores(usage: Usage) -> str | None:
    used = usage.cpu / usage.seconds
    if used >= BOUND * usage.cores:
        return f"{_several(usage.cores, 'core')}: quicker code, or more cores, would help"
    if used >= BOUND and not usage.in_processes and _has_gil():
        return (
            f"one core of {usage.cores}: Python code in one process takes turns; "
            "concgen switch multiprocessing, or hybrid where tasks wait too"
        )
    return None


def _in_flight(usage: Usage) -> str | None:
    if not usage.workers or usage.in_flight < BOUND * usage.workers:
        return None
    if usage.model == "sequential":
        return "one task at a time, which waits: concgen switch threading"
    if usage.in_processes and sys.platform == "win32":  # it does not tell what processes have used
        return None
    more = f"--max-workers {2 * usage.workers}, if the other end takes as many"
    return f"{_several(usage.workers, 'task')} in flight: {more}"


def _several(count: int, noun: str) -> str:
    return f"one {noun}" if count == 1 else f"{count:,} {noun}s"


def _has_gil() -> bool:
    return sys.version_info < (3, 13) or sys._is_gil_enabled()
