"""This machine: cores and memory that this process may really use, how it starts others, files."""

from __future__ import annotations

import contextlib
import importlib
import math
import os
import sys
from collections.abc import Iterator

if sys.platform != "win32":
    import resource

# Limits on native threads, which numeric libraries read when they are imported: on those that each
# calling thread has for itself, and on those of a pool that all threads of a process share.
THREAD_LIMITS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
POOL_LIMITS = ("NUMEXPR_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS")
SPARE = 64  # files of the interpreter, the journal and clients, beside those of the tasks
OPEN_MAX = 10_240  # files that macOS grants where it says that there is no limit
CGROUPS, CGROUP_ROOT = "/proc/self/cgroup", "/sys/fs/cgroup"
NO_LIMIT = 2**62  # a group of version 1 without a memory limit says 2**63 less a page
INTERPRETER = 30 << 20  # bytes of a Python process, where the system does not tell
# How processes start fastest, where nothing speaks against it (see start_method() of children.py).
FASTEST_START = "fork" if sys.platform == "linux" else "spawn"


class NotReady(Exception):
    """The run cannot begin: what is missing, and what to do."""


def usable_cores() -> int:
    """How many processes can compute at once: a part of a core counts as one."""
    return max(1, math.ceil(core_time()))


def core_time() -> float:
    """Cores of this process: those it may run on, capped by every cgroup quota above it.

    os.cpu_count() and os.process_cpu_count() do not know the quota of a container
    (python/cpython#149452), and a pool sized by them fights for time that it does not get.
    """
    return min([allowed_cores(), *cpu_quotas()])


def allowed_cores() -> int:
    """Cores that this process may run on: by its affinity, or as PYTHON_CPU_COUNT says."""
    if sys.version_info >= (3, 13):
        return os.process_cpu_count() or 1
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def has_gil() -> bool:
    """Whether threads that compute take turns."""
    return sys.version_info < (3, 13) or sys._is_gil_enabled()


def share_cores(workers: int, *, threads: bool = False) -> None:
    """Limit numeric libraries to one worker's share of the cores, unless the user decided.

    Otherwise each worker starts as many native threads as there are cores, and they fight for them.
    Workers that are `threads` share the pool of a library that has one for the process, as polars
    does. Libraries that are imported already are told by threadpoolctl, where it is installed.
    """
    cores = max(1, usable_cores() // workers)
    decided = [name for name in THREAD_LIMITS if name in os.environ]
    for name in THREAD_LIMITS if threads else (*THREAD_LIMITS, *POOL_LIMITS):
        os.environ.setdefault(name, str(cores))
    if "numpy" in sys.modules and not decided:
        with contextlib.suppress(ImportError):
            importlib.import_module("threadpoolctl").threadpool_limits(cores)


def cpu_quotas(own: str = CGROUPS, root: str = CGROUP_ROOT) -> Iterator[float]:
    """Cores that each cgroup of this process, and each cgroup around it, allows."""
    for group in cgroups("cpu", own, root):
        yield from _quota(group)


def cgroups(controller: str, own: str = CGROUPS, root: str = CGROUP_ROOT) -> Iterator[str]:
    """Directories of this process's cgroups that may limit it: its own, and those around it.

    In a container the path may be the host's: the directories that exist are those that count.
    """
    for line in _read(own).splitlines():
        controllers, _, group = line.partition(":")[2].partition(":")
        if controllers == "":  # version 2
            tops = [root, f"{root}/unified"]
        elif controller in controllers.split(","):  # version 1
            tops = [f"{root}/{controllers}", f"{root}/{controller}"]
        else:
            continue
        while True:
            yield from (top + group.rstrip("/") for top in tops)
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


def make_room(workers: int, in_one_process: int, open_files: int) -> None:
    """Make sure that `workers` tasks in flight can have `open_files` files or sockets open each.

    `in_one_process` of them share the limit of a process. The soft limit is raised as far as
    needed, for this process and those it starts. Raises NotReady when the hard limit is lower: the
    surplus tasks would fail one by one.
    """
    if sys.platform == "win32":  # no limit to speak of
        return
    needed = in_one_process * open_files + SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or needed <= soft:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    except (ValueError, OSError):
        if hard == resource.RLIM_INFINITY:
            hard = OPEN_MAX
        most = (hard - SPARE) // open_files * max(1, workers // in_one_process)
        hint = f"use --max-workers {most}, or " if most > 0 else ""
        raise NotReady(
            f"{workers:,} tasks in flight need {needed:,} open files in a process, which may have "
            f"{hard:,}: {hint}raise the limit (ulimit -Hn {needed})"
        ) from None


def memory_left(own: str = CGROUPS, root: str = CGROUP_ROOT, proc: str = "/proc") -> int | None:
    """Bytes that nobody uses at present: the machine's, or less under a cgroup's limit.

    What a cgroup holds as cached files counts as left, for the kernel drops it before it kills.
    None where the system does not tell.
    """
    free = [
        max(0, limit - used + (statistic(f"{group}/memory.stat", "inactive_file") or 0))
        for group in cgroups("memory", own, root)
        for limit, used in _limit_and_use(group)
    ]
    if (available := statistic(f"{proc}/meminfo", "MemAvailable:")) is not None:  # in kB
        free.append(1024 * available)
    return min(free, default=None)


def memory_of_this_process() -> int:
    """Bytes that it took at most; a worker that imports the same takes about as much."""
    if sys.platform == "win32":
        return INTERPRETER
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _limit_and_use(group: str) -> Iterator[tuple[int, int]]:
    for limit, use in (
        ("memory.max", "memory.current"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        most, used = _read(f"{group}/{limit}").strip(), _read(f"{group}/{use}").strip()
        if most.isdigit() and used.isdigit() and int(most) < NO_LIMIT:
            yield int(most), int(used)


def statistic(path: str, name: str) -> int | None:
    """The number behind the name in a file of the kernel's."""
    for line in _read(path).splitlines():
        words = line.split()
        if words[:1] == [name] and words[1].isdigit():
            return int(words[1])
    return None
