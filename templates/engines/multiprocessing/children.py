"""Child processes, as the system has them: how they start, and how they end.

It imports little: concgen uses it to end its own children, and to ask how workers would start.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from importlib.machinery import EXTENSION_SUFFIXES

from .machine import FASTEST_START, statistic

if sys.platform == "win32":
    import ctypes
    import struct
    from ctypes import wintypes

# Packages with native code that may be forked: they keep no threads, sockets or random numbers.
HARMLESS = {"PIL", "_yaml", "bcrypt", "charset_normalizer", "lxml", "markupsafe", "orjson", "yaml"}


def exit_reason(code: int | None) -> str:
    """An exit code in words."""
    if not code:
        return "it lost its pipe to the parent"
    if code > 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"{name} (out of memory?)" if name == "SIGKILL" else name


def start_method(threads: int = 1) -> str:
    """Return fork where it is safe, for it starts in a third of the time; else a clean process.

    It is safe on Linux, if this process has one thread (a lock that another thread holds stays
    locked in the child) or the `threads` that are known, and no extension module is loaded but
    Python's own and those known to be harmless (NumPy would give each child the same random
    numbers, others keep threads and sockets).
    """
    if FASTEST_START != "fork":
        return FASTEST_START
    foreign = (
        name
        for name, module in list(sys.modules.items())
        if str(getattr(module, "__file__", "")).endswith(tuple(EXTENSION_SUFFIXES))
        and name.partition(".")[0] not in sys.stdlib_module_names | HARMLESS
    )
    alone = len(os.listdir("/proc/self/task")) <= threads
    return "fork" if alone and next(foreign, None) is None else "forkserver"


def kills_for_memory(proc: str = "/proc") -> int | None:
    """How many processes the kernel has killed for memory so far; None where it does not tell."""
    return statistic(f"{proc}/vmstat", "oom_kill")


if sys.platform == "win32":
    _kernel = ctypes.WinDLL("kernel32")
    _kernel.CreateJobObjectW.restype = _kernel.OpenProcess.restype = wintypes.HANDLE
    KILL_ON_CLOSE = 0x2000  # the job ends with this process, which has the handle
    EXTENDED_LIMITS = 9  # JOBOBJECT_EXTENDED_LIMIT_INFORMATION; its fields, where its flags are:
    FIELDS, FLAGS_AT = "2q I 2N I N 2I 6Q 4N", 16
    TERMINATE_AND_SET_QUOTA = 0x0101  # the rights that joining a job takes

    class Family:
        """A child process and the programs that it starts, ended together: a job of Windows."""

        def __init__(self, pid: int) -> None:
            """Take in a child that has just been started, and has started nothing."""
            self._job = wintypes.HANDLE(_kernel.CreateJobObjectW(None, None))
            limits = bytearray(struct.calcsize(FIELDS))
            struct.pack_into("I", limits, FLAGS_AT, KILL_ON_CLOSE)
            _kernel.SetInformationJobObject(self._job, EXTENDED_LIMITS, bytes(limits), len(limits))
            process = wintypes.HANDLE(_kernel.OpenProcess(TERMINATE_AND_SET_QUOTA, False, pid))
            _kernel.AssignProcessToJobObject(self._job, process)
            _kernel.CloseHandle(process)

        def kill(self) -> None:
            """End all of it, now."""
            _kernel.TerminateJobObject(self._job, 1)

        def __del__(self) -> None:
            _kernel.CloseHandle(self._job)

else:

    class Family:
        """A child process that leads a process group, and the programs that it starts."""

        def __init__(self, pid: int) -> None:
            self._pid = pid

        def kill(self) -> None:
            """End all of it, now."""
            # The child does not lead its group yet; or (macOS) only its zombie is in the group.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)
