"""How the process of a run begins, is stopped by signals, and ends.

Programs that work() starts are not part of the run: they get the null device as standard input,
and the signal handlers of a new process. At the end idle threads are joined, exit functions run and
files are flushed, as Python does it; but what hangs is left behind.
"""

from __future__ import annotations

import atexit
import functools
import gc
import io
import os
import signal
import sys
import threading
import time
from _thread import interrupt_main, start_new_thread
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

from .prints import say
from .task import GRACE, Interrupted

LEAVING = 10.0  # seconds for threads and exit functions of the user's, once the work is done
OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130  # exit codes; the last is a shell's: 128 + SIGINT
MARGIN = 2.0  # seconds that an orderly end gets before it is forced
FLUSHING = 1.0  # seconds for files after that: a thread that hangs may hold a file's lock
# Ctrl-C, a polite end, and the Ctrl-Break of Windows.
SIGNALS = {
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
}


def begin() -> None:
    """Put the null device where standard streams are closed, and in the place of the input.

    sys.stdin still reads the input, for items or a debugger. Programs that work() starts do not.
    """
    null = os.open(os.devnull, os.O_RDWR)
    while null <= 2:  # a closed stream: else an output file could become some program's stderr
        os.set_inheritable(null, True)
        null = os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # what is printed would go to the other, or fail
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    if sys.stdin is not None:
        moved = os.dup(0)
        stdin = sys.stdin
        sys.stdin = open(moved, encoding=stdin.encoding, errors=stdin.errors, closefd=False)  # noqa: SIM115
    os.dup2(null, 0)
    os.close(null)
    new_signals_for_children()


@functools.cache  # once in a process, and in those that are forked from it
def new_signals_for_children() -> None:
    """Give forked processes the signal handlers of a new process; others have them anyway."""
    if sys.platform == "win32":
        return
    mask = threading.local()

    def block() -> None:  # or a signal just after the fork would find the old handler, and be lost
        mask.before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)

    def unblock() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask.before)

    def reset() -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        unblock()

    os.register_at_fork(before=block, after_in_parent=unblock, after_in_child=reset)


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """Give an event that the first of SIGNALS sets; the second raises Interrupted.

    A run that does not end by itself is ended, for work() can swallow exceptions or hang in C code:
    after the grace by an Interrupted, MARGIN later by os._exit (the results are on disk by then).
    """
    stop, over = threading.Event(), threading.Event()
    main = threading.main_thread().ident
    signals = 0

    def force_exit() -> None:  # whatever else happens: it is to stop at once
        time.sleep(MARGIN)
        os._exit(INTERRUPTED)

    def hurry() -> None:
        say(f"stopping: running tasks get {GRACE:g} s to finish; interrupt again to stop at once")
        if not over.wait(GRACE + MARGIN):
            if sys.platform == "win32" or main is None:
                interrupt_main()
            else:
                signal.pthread_kill(main, signal.SIGINT)
            force_exit()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        nonlocal signals
        signals += 1
        if signals > 2:  # it is being stopped: another exception would only disturb that
            return
        # Not a threading.Thread: the main thread may hold the lock that its start needs.
        with suppress(RuntimeError):  # no thread can be started
            start_new_thread(hurry if signals == 1 else force_exit, ())
        if signals == 2:
            raise Interrupted
        stop.set()  # by the first alone: a second that comes meanwhile would wait for its lock

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield stop
    finally:
        over.set()
        for number, handler in before.items():
            signal.signal(number, handler)


def leave(code: int) -> NoReturn:
    """End the process as Python does; but what hangs is left behind."""
    watch_the_end(code)
    sys.exit(code)


def watch_the_end(code: int) -> None:
    """Cut off exit functions, and threads that are no daemons, if they hang."""
    with suppress(RuntimeError):  # no thread can be started
        threading.Thread(target=_cut_off, args=(code,), daemon=True).start()


def _cut_off(code: int) -> None:
    threading.main_thread().join()  # it is done: now it joins threads and runs exit functions
    time.sleep(LEAVING)
    say(f"a thread or an exit function still runs after {LEAVING:g} s: it is left behind")
    with suppress(RuntimeError):
        timer = threading.Timer(FLUSHING, os._exit, (code,))
        timer.daemon = True
        timer.start()
    flush_files(close=True)
    os._exit(code)


def flush_files(*, close: bool = False) -> None:
    """Write out what open files hold back; with `close`, also what compressed files do."""
    base: type = io.IOBase.__base__ or object  # in C: a quick question, for every object is asked
    files: list[Any] = [held for held in gc.get_objects() if issubclass(type(held), base)]
    plain = io.BufferedWriter, io.BufferedRandom
    text = [file.flush for file in files if isinstance(file, io.TextIOWrapper)]
    buffered = [file for file in files if isinstance(file, io.BufferedIOBase)]
    others = *plain, io.BufferedReader  # a reading thread has its lock, in a fork for ever
    packed = [file.close for file in buffered if close and not isinstance(file, others)]
    for write_out in text + packed + [file.flush for file in buffered if isinstance(file, plain)]:
        with suppress(Exception):
            write_out()


atexit.register(flush_files)  # after the exit functions of work.py, which is imported later
