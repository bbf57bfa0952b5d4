"""Memory: what is left to this process, and what it takes itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from .machine import CGROUP_ROOT, CGROUPS, cgroups

if sys.platform != "win32":
    import resource

NO_LIMIT = 2**62  # a group of version 1 without a limit says 2**63 less a page
INTERPRETER = 30 << 20  # bytes of a Python process, where the system does not tell


def memory_left(own: str = CGROUPS, root: str = CGROUP_ROOT, proc: str = "/proc") -> int | None:
    """Bytes that nobody uses at present: the machine's, or less under a cgroup's limit.

    What a cgroup holds as cached files counts as left, for the kernel drops it before it kills.
    None where the system does not tell.
    """
    left = [
        max(0, limit - used + (_statistic(f"{group}/memory.stat", "inactive_file") or 0))
        for group in cgroups("memory", own, root)
        for limit, used in _limit_and_use(group)
    ]
    if (available := _statistic(f"{proc}/meminfo", "MemAvailable:")) is not None:  # in kB
        left.append(1024 * available)
    return min(left, default=None)


def memory_of_this_process() -> int:
    """Bytes that it took at most; a worker that imports the same takes about as much."""
    if sys.platform == "win32":
        return INTERPRETER
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def kills_for_memory(proc: str = "/proc") -> int | None:
    """How many processes the kernel has killed for memory so far; None where it does not tell."""
    return _statistic(f"{proc}/vmstat", "oom_kill")


def _limit_and_use(group: str) -> Iterator[tuple[int, int]]:
    for limit, use in (
        ("memory.max", "memory.current"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        most, used = _read(f"{group}/{limit}").strip(), _read(f"{group}/{use}").strip()
        if most.isdigit() and used.isdigit() and int(most) < NO_LIMIT:
            yield int(most), int(used)


def _statistic(path: str, name: str) -> int | None:
    """The number behind the name in a file of the kernel's."""
    for line in _read(path).splitlines():
        words = line.split()
        if words[:1] == [name] and words[1].isdigit():
            return int(words[1])
    return None


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""
