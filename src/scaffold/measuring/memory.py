"""What running tasks add to the memory of this process, at its peak."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

if sys.platform == "win32":
    resource = None
else:
    import resource

PROC = Path("/proc/self")
# Written to clear_refs, it makes Linux forget the peak so far (proc(5)).
FORGET_PEAK = "5"


class Peak:
    """Memory from now on: where it stands, and the most that it reaches.

    The largest program that the tasks started and waited for comes on top, as far as the kernel
    tells it: it counts what a program took only from the size of the process that started it.
    """

    def __init__(self) -> None:
        with suppress(OSError):
            (PROC / "clear_refs").write_text(FORGET_PEAK, encoding="ascii")
        self._before = resident() or total() or 0
        self._programs = _largest_program()

    def added(self) -> int | None:
        """Return by how many bytes the peak since then exceeds the start; None if not known."""
        peak = _status("VmHWM:") or total()
        if peak is None:
            return None
        program = _largest_program()
        program = program if program > max(peak, self._programs) else 0
        return max(0, peak - self._before) + program


def total() -> int | None:
    """Return the peak bytes of this process since it began, or None if not known."""
    return None if resource is None else _most(resource.RUSAGE_SELF)


def resident() -> int | None:
    """Return the bytes that this process has at present, or None if not known."""
    return _status("VmRSS:")


def _largest_program() -> int:
    """Return the peak of the largest program that was waited for, or of this process before it."""
    return 0 if resource is None else _most(resource.RUSAGE_CHILDREN)


def _most(usage_of: int) -> int:
    peak = resource.getrusage(usage_of).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _status(name: str) -> int | None:
    """Return a figure of /proc/self/status in bytes, or None if there is no such figure."""
    try:
        lines = (PROC / "status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    fields = next((line.split() for line in lines if line.startswith(name)), None)
    return int(fields[1]) * 1024 if fields else None
