"""A worker process from within: deaf to Ctrl-C, gone with its parent, careful with the cores."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.heap import BufferWrapper
from multiprocessing.process import BaseProcess
from typing import Any, cast

from .cores import usable_cores
from .job import Job
from .task import EngineError, describe

if sys.platform == "linux":
    import fcntl

Serve = Callable[..., None]  # a top-level function: serve(conn, clock, job, *arguments)
LAST_WORDS = b"!"  # begins a reply that tells why the run cannot go on; a pickle begins otherwise
SIGNALS = {signal.SIGINT, signal.SIGTERM}  # the parent decides what becomes of them
THREAD_LIMITS = (  # of numeric libraries, which read them when they are imported
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def main(
    serve: Serve, share: int, conn: Connection, shared: BufferWrapper, job: bytes, *arguments: Any
) -> None:
    """Run serve(conn, clock, job, *arguments) in this process, then end it."""
    _stand_alone()
    for name in THREAD_LIMITS:
        os.environ.setdefault(name, str(max(1, usable_cores() // share)))
    clock = shared.create_memoryview().cast("d")
    with contextlib.suppress(EOFError, OSError):  # the parent is gone
        try:
            serve(conn, clock, _unpack(job), *arguments)
        except EngineError as exc:
            conn.send_bytes(LAST_WORDS + str(exc).encode())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # however it was started, and whatever threads work() has left


def _unpack(job: bytes) -> Job:
    try:
        return cast("Job", pickle.loads(job))  # noqa: S301  # from our own process
    except Exception as exc:
        raise EngineError(f"a worker cannot import work(): {describe(exc)}") from None


def _stand_alone() -> None:
    """Signals and process group of a worker, before it runs anything of the user's."""
    for number in SIGNALS:  # a function: a program that work() starts gets the default back
        signal.signal(number, lambda *_: None)
    if sys.platform != "win32":
        os.setpgid(0, 0)
    parent = cast("BaseProcess", multiprocessing.parent_process())
    if sys.platform == "linux":
        # The kernel kills the group when the pipe from the parent ends, even in C code that holds
        # the GIL: SIGIO, whose default action is to terminate.
        signal.signal(signal.SIGIO, signal.SIG_DFL)
        fcntl.fcntl(parent.sentinel, fcntl.F_SETOWN, -os.getpgrp())
        flags = fcntl.fcntl(parent.sentinel, fcntl.F_GETFL)
        fcntl.fcntl(parent.sentinel, fcntl.F_SETFL, flags | os.O_ASYNC)
        if wait([parent.sentinel], 0):
            os._exit(1)
    else:
        threading.Thread(target=_outlive, args=(parent,), daemon=True).start()
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def _outlive(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
