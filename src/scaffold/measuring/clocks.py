"""Clocks that separate the time of the function from the time that the machine gave to others."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def queueing() -> Iterator[Callable[[], float]]:
    """Give a function that tells how long this thread has waited for a core, in seconds.

    That is time lost to other programs, not to the GIL. Linux tells it; elsewhere it is always 0,
    and a busy machine shows in the controls instead.
    """
    try:
        file = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
    except OSError:
        yield lambda: 0.0
        return
    try:
        # Three numbers: nanoseconds on a core, nanoseconds waiting for one, turns.
        yield lambda: int(os.pread(file, 100, 0).split()[1]) / 1e9
    finally:
        os.close(file)


def cpu_seconds() -> float:
    """Return the CPU seconds of this process, and of the programs that it has waited for."""
    return time.process_time() + programs_seconds()


def programs_seconds() -> float:
    """Return the CPU seconds of the programs that this process has waited for."""
    try:
        import resource
    except ImportError:  # Windows tells of no children
        return 0.0
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime
