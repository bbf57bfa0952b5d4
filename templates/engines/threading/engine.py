"""Thread engine: work(item) on many threads, for blocking I/O.

    items ──▶ Backlog ──▶ todo (a queue) ──▶ N daemon threads ──▶ done (a queue) ──▶ outcomes
                 ▲                                                  │
                 └──────────────────── retries ◀────────────────────┘

Everything but work() and setup() happens in the caller's thread: pulling, timeouts, retries.
At most `window` tasks are queued, running or finished and not yet taken, so memory stays flat.
A thread cannot be killed. A thread that overruns `timeout` is abandoned and replaced, and its late
result is dropped; it is a daemon, so it never blocks the exit. If no further thread can be started,
those that started go on.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from typing import Any

from .adaptive import AdaptiveLimit
from .backlog import Backlog
from .daemons import JobThread, join_all
from .failures import Failure, timed_out
from .job import Call, Job
from .prints import say
from .task import CURRENT, TICK, Burst, Bursts, EngineError, Outcome, Task, Unavailable

MODEL = "threading"
AWAITS = "never"
ADAPTS = AdaptiveLimit  # --max-workers auto finds how many the other end takes
IN_THREADS = True  # workers compute in one process, and share its cores
WINDOW = 4  # tasks in the window per thread: enough that none waits for the caller
SMALLEST_WINDOW = 256  # few threads and tiny tasks: hand over in larger bursts
NOT_BEGUN = EngineError("a thread has handed it back")

Todo = SimpleQueue[Task | None]
Result = tuple[Task, Any, BaseException | None, float]
Done = SimpleQueue[Result | EngineError]  # of a thread: its setup() or teardown failed


def recall(todo: Todo) -> list[Task]:
    """Take back the tasks that no thread has begun."""
    tasks = []
    with contextlib.suppress(Empty):
        while (task := todo.get_nowait()) is not None:
            tasks.append(task)
        todo.put(None)  # it tells some thread to leave
    return tasks


class ThreadWorker(JobThread):
    """A thread of the pool. `claim` holds its task until that is over or given up."""

    def __init__(self, job: Job, todo: Todo, done: Done) -> None:
        self._todo, self._done = todo, done
        self.claim: list[tuple[Task, float]] = []
        super().__init__(job)

    def run(self) -> None:
        """Serve; tell the caller when setup() or the teardown fails."""
        super().run()
        if self.failure is not None:
            self._done.put(self.failure)

    def serve(self, call: Call) -> None:
        """Run tasks until None comes, or until the task at hand was given up."""
        get, put, perf_counter = self._todo.get, self._done.put, time.perf_counter
        while (task := get()) is not None:
            CURRENT.set(task[0])
            began = perf_counter()
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
            put((task, value, error, perf_counter() - began))
            if error is not None and Failure.of(error).refused:  # the other end may want a pause
                for queued in recall(self._todo):
                    put((queued, None, NOT_BEGUN, 0.0))

    def abandon(self, now: float, timeout: float) -> Task | None:
        """Give up a task that runs for longer than `timeout`, and return it; the thread ends."""
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
        self._job, self.size = job, size
        self._todo: Todo = SimpleQueue()
        self._done: Done = SimpleQueue()
        self._workers: list[ThreadWorker] = []
        self._failures: list[EngineError] = []
        self.pending = 0  # tasks given and not yet got back

    def give(self, task: Task) -> None:
        """Queue a task, and start a thread when all are busy."""
        self._todo.put(task)
        self.pending += 1
        if len(self._workers) < min(self.size, self.pending - self._done.qsize()):
            self._hire()

    def _hire(self) -> None:
        try:
            self._workers.append(ThreadWorker(self._job, self._todo, self._done))
        except Unavailable as exc:
            self._lose(exc)

    def heed_failures(self) -> None:
        """Raise the failure of a thread; a thread that cannot be started is no reason to end."""
        while self._failures:
            self._workers = [worker for worker in self._workers if worker.failure is None]
            self._lose(self._failures.pop())

    def _lose(self, exc: EngineError) -> None:
        if not (self._workers and isinstance(exc, Unavailable)):
            raise exc
        self.size = len(self._workers)
        if not self._job.quiet:
            say(f"{exc}: continuing with {self.size:,} at once")

    def collect(self, patience: float) -> list[Result]:
        """Return what has finished; wait up to `patience` seconds for the first."""
        get = self._done.get_nowait
        try:
            came = [self._done.get(timeout=patience)]
            came += [get() for _ in range(self._done.qsize())]
        except Empty:
            return []
        self._failures += [entry for entry in came if isinstance(entry, EngineError)]
        results = [entry for entry in came if not isinstance(entry, EngineError)]
        self.pending -= len(results)
        return results

    def abandon_overdue(self, timeout: float) -> Iterator[Task]:
        """Give up the tasks that run for too long, and replace their threads."""
        now = time.perf_counter()
        for worker in self._workers[:]:
            if (task := worker.abandon(now, timeout)) is not None:
                self._workers.remove(worker)
                self.pending -= 1
                yield task
                self._hire()

    def recall(self) -> list[Task]:
        """Take back the tasks that no thread has begun."""
        tasks = recall(self._todo)
        self.pending -= len(tasks)
        return tasks

    def leave(self) -> None:
        """Let idle threads end; those still in work() are left behind."""
        self.recall()
        for _ in self._workers:
            self._todo.put(None)
        join_all([worker for worker in self._workers if not worker.claim])


def in_one_process(max_workers: int) -> int:
    return max_workers


def run(job: Job, backlog: Backlog, *, timeout: float | None = None) -> Bursts:
    """Yield outcomes in bursts, as they complete; at most `backlog.max_workers` tasks at once."""
    pool = ThreadPool(job.for_attempts(backlog.may_repeat), backlog.max_workers)
    tick = min(TICK, timeout / 4) if timeout else TICK
    look = time.monotonic() + tick  # when to look for hung tasks next
    try:
        while not backlog.heed_stop():
            if backlog.stopping or backlog.paused:
                backlog.put_back(pool.recall())
            window = max(WINDOW * pool.size, SMALLEST_WINDOW)
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
                else:
                    burst += backlog.failed(task, Failure.of(error), seconds)
            backlog.put_back(back)
            if timeout and time.monotonic() > look:
                look = time.monotonic() + tick
                for task in pool.abandon_overdue(timeout):
                    burst += backlog.failed(task, timed_out(timeout), timeout)
            if burst:
                yield backlog.learn(burst)
            pool.heed_failures()
    finally:
        pool.leave()
    backlog.raise_failure()
