"""How many cores this process may really use: its affinity, and its container's quota."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path


def usable_cores(
    proc: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")
) -> int:
    """Cores of this process: affinity (or PYTHON_CPU_COUNT) capped by every cgroup quota above it.

    os.cpu_count() and os.process_cpu_count() do not know the quota of a container
    (python/cpython#149452), and a pool sized by them fights for time that it does not get.
    """
    allowed: int | None
    if sys.version_info >= (3, 13):
        allowed = os.process_cpu_count()
    elif sys.platform == "linux":
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count()
    return max(1, math.ceil(min([allowed or 1, *_quotas(proc, root)])))


def _quotas(proc: Path, root: Path) -> Iterator[float]:
    """Cores that each cgroup of this process, and each one around it, allows."""
    try:
        lines = proc.read_text().splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":  # version 2
            tops = [root, root / "unified"]
        elif "cpu" in controllers.split(","):  # version 1
            tops = [root / controllers, root / "cpu"]
        else:
            continue
        group = Path(path.lstrip("/"))
        for place in [group, *group.parents]:
            for top in tops:
                yield from _limit(top / place)


def _limit(group: Path) -> Iterator[float]:
    try:
        if (group / "cpu.max").exists():
            quota, period = (group / "cpu.max").read_text().split()
        else:
            quota = (group / "cpu.cfs_quota_us").read_text()
            period = (group / "cpu.cfs_period_us").read_text()
        if quota != "max" and float(quota) > 0:  # -1: no limit, in version 1
            yield float(quota) / float(period)
    except (OSError, ValueError):
        return
