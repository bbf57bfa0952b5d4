"""A child process that measures never outlives its parent, however that ends.

The parent keeps one end of a pipe open and never writes. When the parent is gone the pipe ends, and
the child's whole process group with it. On Linux the kernel itself sends the signal, so the group
ends even while C code holds the GIL.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading


def die_with_parent(end: int) -> None:
    """End this process group when the pipe with this reading `end` is closed."""
    if sys.platform == "linux":
        import fcntl

        signal.signal(signal.SIGIO, signal.SIG_DFL)  # its default action is to terminate
        fcntl.fcntl(end, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(end, fcntl.F_SETFL, fcntl.fcntl(end, fcntl.F_GETFL) | os.O_ASYNC)
        if select.select([end], [], [], 0)[0]:  # it was gone already
            os.killpg(0, signal.SIGKILL)
    elif sys.platform != "win32":
        threading.Thread(target=_wait, args=(end,), daemon=True).start()


def _wait(end: int) -> None:
    os.read(end, 1)
    if sys.platform != "win32":
        os.killpg(0, signal.SIGKILL)
