"""How many cores this process may really use: its affinity, and its container's quota."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator


def usable_cores(proc: str = "/proc/self/cgroup", root: str = "/sys/fs/cgroup") -> int:
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


def _quotas(proc: str, root: str) -> Iterator[float]:
    """Cores that each cgroup of this process, and each one around it, allows."""
    for line in _read(proc).splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers == "":  # version 2
            tops = [root, f"{root}/unified"]
        elif "cpu" in controllers.split(","):  # version 1
            tops = [f"{root}/{controllers}", f"{root}/cpu"]
        else:
            continue
        while True:
            for top in tops:
                yield from _quota(top + group.rstrip("/"))
            if group in ("", "/"):
                break
            group = os.path.dirname(group)


def _quota(group: str) -> Iterator[float]:
    limits = _read(f"{group}/cpu.max").split()
    if not limits:
        limits = [_read(f"{group}/cpu.cfs_{name}_us") for name in ("quota", "period")]
    try:
        quota, period = map(float, limits)
    except ValueError:  # no such file, or "max"
        return
    if quota > 0:  # -1: no limit, in version 1
        yield quota / period


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""
