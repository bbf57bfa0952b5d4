"""Thread engine: work(item) on many threads, for blocking I/O.

    items ──▶ Backlog ──▶ todo (a queue) ──▶ N daemon threads ──▶ done (a queue) ──▶ outcomes
                 ▲                                                  │
                 └──────────────────── retries ◀────────────────────┘

Everything but work() and setup() happens in the caller's thread: pulling, timeouts, retries.
At most `window` tasks are queued, running or finished and not yet taken, so memory stays flat.
A thread cannot be killed. One that overruns `timeout` is abandoned and replaced, its late result
dropped; it is a daemon, so it never blocks the exit.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import Any

from .job import Job
from .pacing import Pacer
from .task import (
    NO_RETRY,
    TICK,
    Backlog,
    Burst,
    EngineError,
    Failure,
    Numbered,
    Outcome,
    Retry,
    Stop,
    Task,
    timed_out,
)

MODEL = "threading"
AWAITS = "never"
WINDOW = 4  # tasks in the window per thread: enough that none waits for the caller
SMALLEST_WINDOW = 256  # few threads and tiny tasks: hand over in larger bursts
NOT_BEGUN = EngineError("a thread has handed it back")
LEAVING = 1.0  # seconds that idle threads get for the teardown after setup()

Todo = SimpleQueue[Task | None]
Done = SimpleQueue[tuple[Task, Any, BaseException | None, float]]


class ThreadWorker(threading.Thread):
    """A thread with its own setup(). `claim` holds its task until that is over or given up."""

    def __init__(self, job: Job, todo: Todo, done: Done) -> None:
        super().__init__(daemon=True)
        self._job, self._todo, self._done = job, todo, done
        self.claim: list[tuple[Task, float]] = []
        self.start()

    def run(self) -> None:
        """Serve until None comes, or until the task at hand was given up."""
        get, put, monotonic = self._todo.get, self._done.put, time.monotonic
        try:
            with self._job.open() as call:
                while (task := get()) is not None:
                    began = monotonic()
                    self.claim = claim = [(task, began)]
                    value, error = None, None
                    try:
                        value = call(task[1])
                    except BaseException as exc:
                        error = exc
                    try:
                        claim.pop()  # atomic: either this thread or `abandon` gets the task
                    except IndexError:
                        return
                    put((task, value, error, monotonic() - began))
                    if error is not None and Failure.of(error).refused:
                        self._hand_back()
        except EngineError as exc:  # setup() failed: the caller ends the run
            put(((0, None, 0), None, exc, 0.0))

    def _hand_back(self) -> None:
        """What is queued: the other end has too much to do, and asked for a pause perhaps."""
        with contextlib.suppress(Empty):
            while (task := self._todo.get_nowait()) is not None:
                self._done.put((task, None, NOT_BEGUN, 0.0))
            self._todo.put(None)  # it was for some thread to leave

    def abandon(self, now: float, timeout: float) -> Task | None:
        """The task, if it has run for longer than `timeout`; this thread then ends by itself."""
        claim = self.claim
        for task, began in claim[:]:
            if now - began > timeout:
                with contextlib.suppress(IndexError):  # it finished just now
                    claim.pop()
                    return task
        return None


class ThreadPool:
    """The threads and the two queues around them."""

    def __init__(self, job: Job, size: int) -> None:
        self._job, self._size = job, size
        self._todo: Todo = SimpleQueue()
        self._done: Done = SimpleQueue()
        self._workers: list[ThreadWorker] = []
        self.pending = 0  # tasks given and not yet got back

    def give(self, task: Task) -> None:
        """Queue a task, and start a thread when all are busy."""
        self._todo.put(task)
        self.pending += 1
        if len(self._workers) < min(self._size, self.pending - self._done.qsize()):
            self._workers.append(ThreadWorker(self._job, self._todo, self._done))

    def collect(self, patience: float) -> list[tuple[Task, Any, BaseException | None, float]]:
        """What has finished; waits up to `patience` seconds for the first."""
        get = self._done.get_nowait
        try:
            results = [self._done.get(timeout=patience)]
            results += [get() for _ in range(self._done.qsize())]
        except Empty:
            return []
        self.pending -= len(results)
        return results

    def abandon_overdue(self, timeout: float) -> Iterator[Task]:
        """Give up the tasks that run for too long, and replace their threads."""
        now = time.monotonic()
        for n, worker in enumerate(self._workers):
            if (task := worker.abandon(now, timeout)) is not None:
                self._workers[n] = ThreadWorker(self._job, self._todo, self._done)
                self.pending -= 1
                yield task

    def recall(self) -> list[Task]:
        """Take back the tasks that no thread has begun."""
        tasks = []
        with contextlib.suppress(Empty):
            while task := self._todo.get_nowait():
                tasks.append(task)
        self.pending -= len(tasks)
        return tasks

    def leave(self) -> None:
        """Let idle threads end; those still in work() are left behind."""
        self.recall()
        for _ in self._workers:
            self._todo.put(None)
        if self._job.setup is None:  # there is no teardown to wait for
            return
        end = time.monotonic() + LEAVING
        for worker in self._workers:
            if not worker.claim:
                worker.join(max(0.0, end - time.monotonic()))


def in_one_process(max_workers: int) -> int:
    """Tasks in flight that share the limits of one process, such as that of open files."""
    return max_workers


def run(
    job: Job,
    items: Iterable[Numbered | None],
    *,
    max_workers: int,
    timeout: float | None = None,
    retry: Retry = NO_RETRY,
    stop: Stop | None = None,
    pacer: Pacer | None = None,
) -> Iterator[Burst]:
    """Yield outcomes in bursts, as they complete; at most `max_workers` tasks run at once."""
    backlog = Backlog(items, retry, stop, pacer, max_workers)
    pool = ThreadPool(job, max_workers)
    window = max(WINDOW * max_workers, SMALLEST_WINDOW)
    tick = min(TICK, timeout / 4) if timeout else TICK
    look = time.monotonic() + tick  # when to look for hung tasks next
    try:
        while not backlog.heed_stop():
            if backlog.stopping or backlog.paused:
                backlog.put_back(pool.recall())
            for task in backlog.take(window - pool.pending, pool.pending):
                pool.give(task)
            if backlog.empty and not pool.pending:
                break
            burst: Burst = []
            back: list[Task] = []
            patience = 0.0 if backlog.empty and not pool.pending else min(tick, backlog.patience)
            for task, value, error, seconds in pool.collect(patience):
                if error is None:
                    burst.append(Outcome(task[0], task[1], value, None, seconds, task[2]))
                elif error is NOT_BEGUN:
                    back.append(task)
                elif isinstance(error, EngineError):
                    raise error
                else:
                    burst += backlog.failed(task, Failure.of(error), seconds)
            backlog.put_back(back)
            if timeout and time.monotonic() > look:
                look = time.monotonic() + tick
                for task in pool.abandon_overdue(timeout):
                    burst += backlog.failed(task, timed_out(timeout), timeout)
            if burst:
                yield backlog.learn(burst)
    finally:
        pool.leave()
    backlog.raise_failure()
