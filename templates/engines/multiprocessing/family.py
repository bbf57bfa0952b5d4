"""A process and the programs that it starts, ended together: a process group, or a job of Windows.

On Windows the job ends too when this process does, however that ends: it has the only handle.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    KILL_ON_CLOSE, EXTENDED_LIMITS = 0x2000, 9
    TERMINATE_AND_SET_QUOTA = 0x0101  # the rights that joining a job takes

    class _Limits(ctypes.Structure):
        """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

        _fields_ = (
            ("times", ctypes.c_int64 * 2),
            ("flags", wintypes.DWORD),
            ("sizes", ctypes.c_size_t * 2),
            ("processes", wintypes.DWORD),
            ("affinity", ctypes.c_size_t),
            ("classes", wintypes.DWORD * 2),
            ("transfers", ctypes.c_uint64 * 6),
            ("memory", ctypes.c_size_t * 4),
        )

    _kernel = ctypes.WinDLL("kernel32")
    _kernel.CreateJobObjectW.restype = _kernel.OpenProcess.restype = wintypes.HANDLE

    class Family:
        """A child process and whatever it starts."""

        def __init__(self, pid: int) -> None:
            """Take in a child that has just been started, and has started nothing."""
            self._job = wintypes.HANDLE(_kernel.CreateJobObjectW(None, None))
            limits = _Limits(flags=KILL_ON_CLOSE)
            _kernel.SetInformationJobObject(
                self._job, EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits)
            )
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
        """A child process that leads a process group, and whatever it starts."""

        def __init__(self, pid: int) -> None:
            self._pid = pid

        def kill(self) -> None:
            """End all of it, now."""
            # It does not lead its group yet; or (macOS) nothing but its remains is in it.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)
