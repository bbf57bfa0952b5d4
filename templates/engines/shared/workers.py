"""How a worker process begins and ends, and which tasks are suspected when it breaks.

A worker ends like the process of the run (lifecycle.py): multiprocessing by itself would skip what
Python does at the end.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

from .lifecycle import SIGNALS, flush_files, new_signals_for_children, watch_the_end
from .prints import whole_lines

if TYPE_CHECKING:
    from .backlog import Backlog
    from .task import Task

_HOME = os.getpid()  # where this was imported: a forked worker is another process
_finishing = False  # this is a worker, and runs its exit functions


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Block signals while a worker starts; the worker inherits that until stand_alone().

    Before that, neither side could handle a Ctrl-C.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def stand_alone() -> None:
    """Detach a worker, before it runs the user's code: its parent decides what a signal means.

    It gets a session of its own: no Ctrl-C reaches it, and no terminal stops it.
    """
    for number in SIGNALS:
        signal.signal(number, lambda *_: None)
    new_signals_for_children()
    whole_lines()
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.close(null)
    if sys.platform != "win32":
        with suppress(PermissionError):  # it leads one already
            os.setsid()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def end_worker() -> NoReturn:
    """Join threads and finish, as Python does; but what hangs is left behind."""
    watch_the_end(0)
    threading._shutdown()  # type: ignore[attr-defined]  # joins them; multiprocessing calls it too
    finish()
    os._exit(0)


def finish() -> None:
    """Run the exit functions of a worker, and write out what files hold back."""
    global _finishing
    _finishing = True
    atexit._run_exitfuncs()
    flush_files(close=True)


@atexit.register
def _last_exit_function() -> None:
    """Runs after those of work.py, which is imported later.

    A forked worker ends here: what was registered earlier is its parent's.
    """
    if _finishing:
        flush_files(close=True)
        if os.getpid() != _HOME:
            os._exit(0)


class Suspects:
    """Tasks of which one has broken its worker: tried in halves, each half apart from other tasks.

    They wait here, not in the backlog; but while the backlog is paced, each needs its permit.
    """

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog
        self._groups: deque[list[Task]] = deque()

    def __len__(self) -> int:
        return len(self._groups)

    def add(self, tasks: list[Task]) -> None:
        """Try each half by itself."""
        half = len(tasks) // 2
        self._groups += filter(None, (tasks[:half], tasks[half:]))

    def take(self) -> list[Task]:
        """Return a group that may begin now, or none; only its first task while paced."""
        if self._backlog.stopping:
            self._groups.clear()
        if not (self._groups and self._backlog.permits(self._groups[0][0])):
            return []
        tasks = self._groups.popleft()
        if self._backlog.paced and tasks[1:]:
            self._groups.appendleft(tasks[1:])
            return tasks[:1]
        return tasks
