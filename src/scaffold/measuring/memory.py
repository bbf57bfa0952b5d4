"""What running tasks add to the memory of this process, at its peak."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc/self")
# What makes Linux forget the peak so far (proc(5)).
FORGET_PEAK = "5"


class Peak:
    """Memory from now on: where it stands, and the most that it reaches."""

    def __init__(self) -> None:
        with suppress(OSError):
            (PROC / "clear_refs").write_text(FORGET_PEAK, encoding="ascii")
        self._before = _status("VmRSS:") or total() or 0

    def added(self) -> int | None:
        """Return by how many bytes the peak since then is above that; None where nobody tells."""
        peak = _status("VmHWM:") or total()
        return None if peak is None else max(0, peak - self._before)


def total() -> int | None:
    """Return the peak bytes of this process since it began, or None where nobody tells."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _status(name: str) -> int | None:
    """Return a figure of /proc/self/status in bytes, or None where there is none."""
    try:
        lines = (PROC / "status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    fields = next((line.split() for line in lines if line.startswith(name)), None)
    return int(fields[1]) * 1024 if fields else None
