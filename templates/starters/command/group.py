"""A program with the processes that it starts: they end together, or with this process."""

import contextlib
import glob
import os
import signal
import subprocess
import sys
from typing import Any, Self

if sys.platform == "linux":
    import fcntl


class Group:
    """The processes of one program. Leaving the `with` block kills those that are left.

    On Linux the kernel kills them too when this process ends, even by kill -9: the program inherits
    the read end of a pipe, and its group gets SIGKILL when the write end closes, which only this
    process has. That holds from the moment when the program is adopted, just after its start.
    """

    def __init__(self) -> None:
        self._pid: int | None = None
        self._lifeline: tuple[int, ...] = os.pipe() if sys.platform == "linux" else ()

    @property
    def options(self) -> dict[str, Any]:
        """Options for Popen: a group of its own, and no terminal to ask for a password on."""
        if sys.platform == "win32":
            return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        return {"start_new_session": True, "pass_fds": self._lifeline[:1]}

    def adopt(self, pid: int) -> None:
        """Take in the program, which was started with `options`."""
        self._pid = pid
        if sys.platform == "linux":
            end = self._lifeline[0]
            with contextlib.suppress(ProcessLookupError):  # it has ended already
                fcntl.fcntl(end, fcntl.F_SETOWN, -pid)
            fcntl.fcntl(end, fcntl.F_SETSIG, signal.SIGKILL)
            fcntl.fcntl(end, fcntl.F_SETFL, fcntl.fcntl(end, fcntl.F_GETFL) | os.O_ASYNC)

    def kill(self) -> None:
        """Kill the program and what it has started, now; the second time does nothing."""
        pid, self._pid = self._pid, None
        if pid is None:
            return
        if sys.platform == "win32":
            command = ["taskkill", "/F", "/T", "/PID", str(pid)]
            subprocess.run(command, capture_output=True, check=False)  # noqa: S603  # a list, no shell
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # nothing is left
                os.killpg(pid, signal.SIGKILL)

    def _kill_unknown(self) -> None:
        """Kill a program whose start was interrupted before its process id was known."""
        for lifeline in self._lifeline[:1]:
            pipe = os.readlink(f"/proc/self/fd/{lifeline}")
            for link in glob.glob("/proc/[0-9]*/fd/*"):
                pid = int(link.split("/")[2])
                with contextlib.suppress(OSError):  # it has ended, or is somebody else's
                    if pid != os.getpid() and os.readlink(link) == pipe:
                        os.kill(pid, signal.SIGKILL)
                        os.killpg(pid, signal.SIGKILL)  # and what it has started

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.kill()
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            self._kill_unknown()
        for end in self._lifeline:
            os.close(end)
