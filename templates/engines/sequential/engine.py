"""Sequential engine: work(item), one after the other. For little work, and to find bugs.

    items ──▶ Backlog ──▶ work(item) ──▶ outcomes
                 ▲             │
                 └── retries ◀─┘

With a timeout, items run in a daemon thread: if a call hangs, the thread is abandoned and replaced.
Without a timeout they run in the caller's thread, where a debugger finds them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from queue import Empty, SimpleQueue
from threading import TIMEOUT_MAX
from typing import Any

from .backlog import Backlog
from .daemons import DaemonPool
from .failures import Failure
from .job import Call, Job
from .task import CURRENT, Burst, Bursts, EngineError, Outcome, Task, is_interrupt

MODEL = "sequential"
AWAITS = "never"
ADAPTS = None  # --max-workers auto is decided before the run
IN_THREADS = False
BURST = 0.005  # seconds: outcomes of tiny tasks are handed over together


def in_one_process(max_workers: int) -> int:
    return 1


def run(job: Job, backlog: Backlog, *, timeout: float | None = None) -> Bursts:
    """Yield outcomes in bursts, as they complete; one task at a time, whatever `max_workers` is."""
    job = job.for_attempts(backlog.may_repeat)
    with job.open() if timeout is None else _impatient(job, timeout) as call:
        burst: Burst = []
        due = time.perf_counter() + BURST
        try:
            while not (backlog.heed_stop() or backlog.stopping or backlog.empty):
                tasks = backlog.take(1)
                for task in tasks:
                    burst += _attempt(call, task, backlog)
                CURRENT.set(None)  # what the caller logs between two tasks is of no task
                if burst and (not tasks or time.perf_counter() > due):
                    yield burst
                    burst, due = [], time.perf_counter() + BURST
                if not (tasks or backlog.empty):
                    time.sleep(backlog.patience)
        except (KeyboardInterrupt, EngineError):  # a Ctrl-C in work(), or a setup() that failed
            yield burst
            raise
        yield burst
    backlog.raise_failure()


def _attempt(call: Call, task: Task, backlog: Backlog) -> Burst:
    index, item, attempt = task
    CURRENT.set(index)
    began = time.perf_counter()
    try:
        value = call(item)
    except BaseException as exc:  # whatever it is, it costs this task only
        if isinstance(exc, EngineError) or is_interrupt(exc):
            raise
        return backlog.failed(task, Failure.of(exc), time.perf_counter() - began)
    return [Outcome(index, item, value, None, time.perf_counter() - began, attempt)]


@contextmanager
def _impatient(job: Job, timeout: float) -> Iterator[Call]:
    """A call that raises TimeoutError when work() takes longer than `timeout` seconds."""

    def call(item: Any) -> Any:
        reply: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        give_up = threads.submit(lambda work: work(item), lambda *outcome: reply.put(outcome))
        try:
            value, error = reply.get(timeout=min(timeout, TIMEOUT_MAX))
        except Empty:
            give_up()
            raise TimeoutError(f"timeout after {timeout:g} s") from None
        if error is not None:
            raise error
        return value

    with closing(DaemonPool(job)) as threads:
        yield call
