"""Ctrl-C, SIGTERM and Ctrl-Break: the first lets running tasks finish, the second stops at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from _thread import interrupt_main, start_new_thread
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from .lifecycle import SIGNALS
from .task import GRACE, Interrupted, say

INTERRUPTED = 130  # exit code of a run that was interrupted: 128 + SIGINT, as in a shell
MARGIN = 2.0  # seconds that an orderly end gets before it is forced


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """Give an event that the first of SIGNALS sets; the second raises Interrupted.

    What does not end by itself is ended, for work() can swallow exceptions or hang in C code: after
    the grace by an Interrupted, MARGIN later by os._exit (the results are on disk by then).
    """
    stop, over = threading.Event(), threading.Event()
    main = threading.main_thread().ident
    signals = 0

    def force_exit() -> None:  # whatever else happens: it is to stop at once
        time.sleep(MARGIN)
        os._exit(INTERRUPTED)

    def hurry() -> None:
        say(f"stopping: running tasks get {GRACE:g} s to finish; once more to stop at once")
        if not over.wait(GRACE + MARGIN):
            if sys.platform == "win32" or main is None:
                interrupt_main()
            else:
                signal.pthread_kill(main, signal.SIGINT)
            force_exit()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        nonlocal signals
        signals += 1
        stop.set()
        if signals > 2:  # it is being stopped: another exception would only disturb that
            return
        # Not a threading.Thread: the main thread may hold the lock that its start needs.
        with suppress(RuntimeError):  # no thread can be had
            start_new_thread(hurry if signals == 1 else force_exit, ())
        if signals == 2:
            raise Interrupted

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield stop
    finally:
        over.set()
        for number, handler in before.items():
            signal.signal(number, handler)
