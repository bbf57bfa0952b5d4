"""How a worker process begins and ends: like the process of the run, see lifecycle.py.

multiprocessing would skip what Python does at the end of a process.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import NoReturn

from .lifecycle import SIGNALS, flush_files, new_signals_for_children, watch_the_end
from .prints import whole_lines

_HOME = os.getpid()  # where this was imported: a forked worker is another process
_finishing = False  # this is a worker, and runs its exit functions


def stand_alone() -> None:
    """In a worker, before it runs anything of the user's: its parent decides what a signal means.

    A session of its own: no Ctrl-C reaches it, and no terminal stops it.
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
