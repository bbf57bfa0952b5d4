"""Look at the machine: the cores, memory and limits that this process may really use.

Cheap enough for every command: it reads a few files and starts nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from scaffold.core.domain import Machine

# Where Linux mounts control groups; a v1 group without a memory limit says 2**63 less a page.
CGROUP_ROOT = Path("/sys/fs/cgroup")
NO_MEMORY_LIMIT = 2**62


def inspect() -> Machine:
    """Return the facts of this machine and interpreter that the advice depends on."""
    return Machine(
        cores=usable_cores(),
        memory_bytes=usable_memory(),
        python=".".join(map(str, sys.version_info[:3])),
        gil=gil_enabled(),
        start_method=start_method(),
        open_files=open_file_limit(),
        platform=sys.platform,
        memory_left_bytes=memory_left(),
    )


def usable_cores() -> float:
    """Return the cores that affinity and the cgroup quota leave to this process, such as 1.5."""
    return min([float(affinity_cores()), *cpu_quotas()])


def affinity_cores() -> int:
    """Return how many cores this process may be scheduled on."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows have no affinity to ask for
        return os.cpu_count() or 1


def cpu_quotas(root: Path = CGROUP_ROOT, own: Path = Path("/proc/self/cgroup")) -> list[float]:
    """Return every CPU quota, in cores, on the way from this process's cgroup up to the root.

    Reads `cpu.max` (v2) and `cpu.cfs_quota_us` (v1) of each level, as the smallest one counts.
    """
    quotas = []
    for group in _groups(root, own, "cpu"):
        quota, period = _read(group / "cpu.max").partition(" ")[::2]
        if not quota:
            quota = _read(group / "cpu.cfs_quota_us")
            period = _read(group / "cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit() and int(period):
            quotas.append(int(quota) / int(period))
    return [quota for quota in quotas if quota > 0]


def usable_memory(root: Path = CGROUP_ROOT, own: Path = Path("/proc/self/cgroup")) -> int | None:
    """Return the bytes of memory this process may use: the machine's, or its cgroup's limit."""
    limits = [
        int(text)
        for group in _groups(root, own, "memory")
        for name in ("memory.max", "memory.limit_in_bytes")
        if (text := _read(group / name)).isdigit() and int(text) < NO_MEMORY_LIMIT
    ]
    with suppress(AttributeError, ValueError, OSError):  # Windows has no sysconf
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min(limits, default=None)


def memory_left(
    root: Path = CGROUP_ROOT, own: Path = Path("/proc/self/cgroup"), proc: Path = Path("/proc")
) -> int | None:
    """Return the bytes that nobody uses at present: the machine's, or less under a cgroup's limit.

    What a cgroup holds as cached files counts as left, for the kernel drops it before it kills.
    """
    left = [
        max(0, limit - used + _statistic(group / "memory.stat", "inactive_file"))
        for group in _groups(root, own, "memory")
        for limit, used in _limits_and_use(group)
    ]
    available = _statistic(proc / "meminfo", "MemAvailable:") * 1024
    return min([*left, *filter(None, [available])], default=None)


def _limits_and_use(group: Path) -> Iterator[tuple[int, int]]:
    for limit, use in (
        ("memory.max", "memory.current"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        most, used = _read(group / limit), _read(group / use)
        if most.isdigit() and used.isdigit() and int(most) < NO_MEMORY_LIMIT:
            yield int(most), int(used)


def _statistic(path: Path, name: str) -> int:
    """Return the number behind `name` in a file of the kernel's; 0 where there is none."""
    for line in _read(path).splitlines():
        words = line.split()
        if words[:1] == [name] and words[1].isdigit():
            return int(words[1])
    return 0


def gil_enabled() -> bool:
    """Say whether threads of this interpreter take turns (always, before Python 3.13)."""
    return getattr(sys, "_is_gil_enabled", lambda: True)()


def start_method() -> str:
    """Return how the engines start processes here, while work() brings only Python's own modules.

    With extension modules of others, NumPy for one, it is `forkserver` on Linux.
    """
    return "fork" if sys.platform == "linux" else "spawn"


def open_file_limit() -> int | None:
    """Return the soft limit of open files and sockets, or None where there is none."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def _groups(root: Path, own: Path, controller: str) -> Iterator[Path]:
    """Yield the directories of this process's cgroup for `controller` and of all above it.

    A line of /proc/self/cgroup is `0::/path` (v2) or `4:cpu,cpuacct:/path` (v1). In a container the
    path may be the host's and not exist here: the levels that do exist are the ones that count.
    """
    for line in _read(own).splitlines():
        hierarchy, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if hierarchy == "0" and not controllers:
            mounts = [root, root / "unified"]
        elif controller in controllers.split(","):
            mounts = [root / controllers, root / controller]
        else:
            continue
        for mount in mounts:
            group = mount / path.lstrip("/")
            yield from (level for level in (group, *group.parents) if level.is_relative_to(mount))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
