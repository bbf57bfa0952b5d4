"""What runs inside a process of the hybrid engine: the engine that fits work(), fed by a pipe.

requests ══pipe══▶ reader (a thread) ──▶ inbox ──▶ the asyncio or the thread engine
                                                              │
replies ◀══════════════════════pipe═══════════════════════════┘
"""

from __future__ import annotations

import os
import pickle
import sys
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from types import ModuleType
from typing import Any

from .backlog import Backlog
from .failures import Failure, describe
from .job import Job
from .processes import SharedConnection
from .task import CURRENT, Numbered, Outcome, Retry

LEFT = Retry(refusals=0, inner=True)  # to the parent
Request = tuple[int, bytes]  # position in the input, pickled item
Reply = tuple[int, bytes, Failure | None, float]  # position, pickled value, seconds in work()


def serve(
    conn: SharedConnection,
    clock: memoryview[float],
    job: Job,
    slots: int,
    timeout: float | None,
    core: int | None,
) -> None:
    """Run requests, `slots` at once, until an empty message comes."""
    conn.send_records(job, CURRENT.get)
    if sys.platform == "linux" and core is not None:
        os.sched_setaffinity(0, {core})
    backlog = Backlog(_inbox(conn, conn.read_ahead()), slots, retry=LEFT, stop=Pulse(clock))
    for burst in engine_for(job).run(job, backlog, timeout=timeout):
        conn.send_bytes(pickle.dumps([_reply(outcome) for outcome in burst]))


def engine_for(job: Job) -> ModuleType:
    """The engine for one process: the other one is not even imported."""
    if job.is_async:
        from . import coroutines

        return coroutines
    from . import threads

    return threads


def own_cores(job: Job, processes: int) -> list[int]:
    """A core for each process to stay on, or none where the scheduler knows better.

    Threads that compute under a GIL take turns. When the next in turn sits on a core where another
    process computes, it has to wait for that one, while its own core idles: a quarter of the time,
    measured. So each process keeps to a core, if there is exactly one process for each.
    """
    if sys.platform != "linux" or job.is_async or not _has_gil():
        return []
    cores = sorted(os.sched_getaffinity(0))
    return cores if len(cores) == processes else []


def _has_gil() -> bool:
    return sys.version_info < (3, 13) or sys._is_gil_enabled()


def _inbox(conn: SharedConnection, messages: SimpleQueue[bytes]) -> Iterator[Numbered | None]:
    """Items as they come; None while there is none; the end with an empty message."""
    while True:
        try:
            data = messages.get_nowait()
        except Empty:
            yield None
            continue
        if not data:
            return
        for index, item in pickle.loads(data):  # noqa: S301  # from our own process
            try:
                yield index, pickle.loads(item)  # noqa: S301  # from our own process
            except Exception as exc:
                error = f"item cannot be unpickled: {describe(exc)}"
                conn.send_bytes(pickle.dumps([(index, b"", Failure(error, final=True), 0.0)]))


def _reply(outcome: Outcome[Any, Any]) -> Reply:
    failure, value = outcome.failure, b""
    if failure is None:
        try:
            value = pickle.dumps(outcome.value, pickle.HIGHEST_PROTOCOL)
        except Exception as exc:
            failure = Failure(f"result cannot be pickled: {describe(exc)}", final=True)
    return outcome.id, value, failure, outcome.seconds


class Pulse:
    """A stop signal that never comes. Engines look at it every tick: that is the sign of life."""

    def __init__(self, clock: memoryview[float]) -> None:
        self._clock = clock

    def is_set(self) -> bool:
        """Leave the time of this look for the parent."""
        self._clock[0] = time.monotonic()
        return False
