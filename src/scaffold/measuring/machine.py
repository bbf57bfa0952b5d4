"""Look at the machine: the cores, memory and limits that this process may really use.

Cheap enough for every command: it reads a few files and starts nothing.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from scaffold.core.domain import Machine
from scaffold.making.inventory import runner_module

# The very module by which projects count their cores and choose how processes start.
runner = runner_module("machine")
core_time: Callable[[], float] = runner.core_time
gil_enabled: Callable[[], bool] = runner.has_gil

# A v1 group without a memory limit says 2**63 less a page.
NO_MEMORY_LIMIT = 2**62


def inspect() -> Machine:
    """Return the facts of this machine and interpreter that the advice depends on."""
    return Machine(
        cores=core_time(),
        memory_bytes=usable_memory(),
        python=".".join(map(str, sys.version_info[:3])),
        gil=gil_enabled(),
        start_method=runner.FASTEST_START,  # if work() imports only the standard library
        open_files=open_file_limit(),
        platform=sys.platform,
        memory_left_bytes=memory_left(),
    )


def inspect_for(start_method: str, *, gil_enabled: bool) -> Machine:
    """Return the facts as a measured function finds them: what it imports decides."""
    facts = inspect()
    # An extension of its own may have switched the GIL on.
    return facts._replace(start_method=start_method, gil=facts.gil or gil_enabled)


def usable_memory(own: str = runner.CGROUPS, root: str = runner.CGROUP_ROOT) -> int | None:
    """Return the bytes of memory this process may use: the machine's, or its cgroup's limit."""
    limits = [
        int(text)
        for group in map(Path, runner.cgroups("memory", own, root))
        for name in ("memory.max", "memory.limit_in_bytes")
        if (text := _read(group / name)).isdigit() and int(text) < NO_MEMORY_LIMIT
    ]
    with suppress(AttributeError, ValueError, OSError):  # Windows has no sysconf
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min([*limits, *_windows_memory()[:1]], default=None)


def memory_left(
    own: str = runner.CGROUPS, root: str = runner.CGROUP_ROOT, proc: str = "/proc"
) -> int | None:
    """Return the bytes of free memory, as a project counts them."""
    unused = runner.memory_left(own, root, proc)
    return min([*filter(None, [unused]), *_windows_memory()[1:]], default=None)


def _windows_memory() -> list[int]:
    """Return the total and the free bytes of memory on Windows; an empty list elsewhere."""
    if sys.platform != "win32":
        return []
    import ctypes

    class Status(ctypes.Structure):
        """MEMORYSTATUSEX."""

        _fields_ = (
            ("length", ctypes.c_uint32),
            ("load", ctypes.c_uint32),
            ("total", ctypes.c_uint64),
            ("available", ctypes.c_uint64),
            ("others", ctypes.c_uint64 * 5),
        )

    status = Status(length=ctypes.sizeof(Status))
    if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return []
    return [status.total, status.available]


class Others:
    """What other programs use of this machine, from the creation of this object on."""

    def __init__(self) -> None:
        self._began, self._taken = time.perf_counter(), _taken_by_others()

    def share(self) -> float | None:
        """Return their share of its cores since then; None if the platform does not tell."""
        taken_now = _taken_by_others()
        if taken_now is None or self._taken is None:
            return None
        wall = max(1e-9, time.perf_counter() - self._began) * (os.cpu_count() or 1)
        return min(1.0, max(0.0, (taken_now - self._taken) / wall))


def _taken_by_others(stat: Path = Path("/proc/stat")) -> float | None:
    """Return the CPU seconds of all programs but this one and those that it has waited for."""
    try:
        user, nice, system = map(int, _read(stat).split()[1:4])
    except ValueError:  # no such file: not Linux
        return None
    return (user + nice + system) / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])


def open_file_limit() -> int | None:
    """Return the soft limit of open files and sockets, or None without a limit."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
