"""Before a run: is everything there that it needs?"""

from __future__ import annotations

import sys
from types import ModuleType

from .cores import usable_cores

if sys.platform != "win32":
    import resource

SPARE = 64  # files that the interpreter, the journal and a client's own needs take beside the tasks


class NotReady(Exception):
    """The run cannot begin: what is missing, and what to do."""


def load_work() -> ModuleType:
    """Import work.py; raise NotReady, by name, for a dependency that is not installed."""
    try:
        from . import work
    except ModuleNotFoundError as exc:
        raise NotReady(
            f"work.py needs the module {exc.name}, which is not installed: pip install -e ."
        ) from None
    return work


def make_room(model: str, workers: int, open_files: int) -> None:
    """Let `workers` tasks in flight have `open_files` files or sockets open each.

    The soft limit is raised as far as that takes, for this process and those it starts. Raises
    NotReady when the hard limit is lower: the surplus tasks would fail one by one.
    """
    if sys.platform == "win32":  # no limit to speak of
        return
    in_one_process = {
        "threading": workers,
        "asyncio": workers,
        "hybrid": -(-workers // usable_cores()),  # rounded up
    }.get(model, 1)
    needed = in_one_process * open_files + SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or needed <= soft:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    except (ValueError, OSError):
        most = max(1, (hard - SPARE) // open_files * (workers // in_one_process))
        raise NotReady(
            f"{workers:,} tasks in flight need {needed:,} open files in a process, which may have "
            f"{hard:,}: use --max-workers {most}, or raise the limit (ulimit -Hn)"
        ) from None
