"""Ctrl-C and SIGTERM: the first lets running tasks finish, the second stops at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from .task import GRACE, say

INTERRUPTED = 130  # exit code of a run that was interrupted: 128 + SIGINT, as in a shell
MARGIN = 2.0  # seconds that an orderly end gets before it is forced


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """Give an event that the first SIGINT or SIGTERM sets; the second raises KeyboardInterrupt.

    What does not end by itself is ended, for work() can swallow exceptions or hang in C code: after
    the grace by a KeyboardInterrupt, MARGIN later by os._exit (the results are on disk by then).
    """
    stop, over = threading.Event(), threading.Event()
    main = threading.main_thread().ident

    def force_exit() -> None:
        if not over.wait(MARGIN):
            os._exit(INTERRUPTED)

    def hurry() -> None:
        if not over.wait(GRACE + MARGIN):
            if hasattr(signal, "pthread_kill") and main is not None:
                signal.pthread_kill(main, signal.SIGINT)
            force_exit()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        threading.Thread(target=force_exit if stop.is_set() else hurry, daemon=True).start()
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        say(f"stopping: running tasks get {GRACE:g} s to finish; once more to stop at once")

    names = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(name, handle) for name in names]
    try:
        yield stop
    finally:
        over.set()
        for name, handler in zip(names, before, strict=True):
            signal.signal(name, handler)


def leave(code: int) -> None:
    """End the process with this exit code, even if a hung thread would not let it."""
    if all(thread.daemon or thread is threading.main_thread() for thread in threading.enumerate()):
        sys.exit(code)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
