"""Process engine: work(item) on N processes, for CPU-bound work.

    items ──▶ Backlog ──▶ batches of about 10 ms ══pipe══▶ worker 1..N: work(item) for each
                 ▲                                              │ clock (shared memory)
                 └── retries, crashed batches ◀══pipe══ replies ┴──▶ outcomes

Batches are sized by time: tiny tasks travel together, long ones alone, and a worker hands back what
it has not begun after 50 ms. In shared memory each worker notes which task it is at and since when:
so the parent knows which task hung or crashed, replaces the worker, blames only that task, and runs
the rest of the batch again (at least once for side effects, exactly once in the results).
"""

from __future__ import annotations

import contextlib
import pickle
import sys
import time
from collections import deque
from typing import Any

from .backlog import Backlog
from .failures import Failure, timed_out
from .job import Call, Job
from .messages import packed, unpacked
from .pool import ProcessPool
from .prints import say
from .processes import MOST, NEVER, SharedConnection, WorkerProcess
from .task import Bursts, Task, quick_outcome

MODEL = "multiprocessing"
AWAITS = "never"
ADAPTS = None  # --max-workers auto is decided before the run
IN_THREADS = False
OPTIONS = {"recycle": ("N", "a worker process is replaced after N tasks")}
TARGET = 0.010  # seconds of work that a batch aims at: handing it over costs about 1 % of that
BUDGET = 0.050  # seconds after which a worker hands back what it has not begun
LARGEST = 2000  # tasks in a batch: larger batches would save next to nothing
PIPE = 65_536  # bytes that a pipe surely takes while its reader is busy
WHOLE = -1  # "position" of a worker that reads or packs a batch

Failures = dict[int, Failure]  # by position in the batch


def serve(conn: SharedConnection, clock: memoryview[float], job: Job) -> None:
    """In the worker: run batches until an empty message comes. `clock`: position, since when."""
    conn.send_records(job, lambda: clock[0])
    # Records of setup() fill the pipe while the parent sends a large item: one side has to read.
    receive = conn.read_ahead().get if "logging" in sys.modules else conn.recv_bytes
    with job.open() as call:
        clock[0] = WHOLE  # ready
        while data := receive():
            clock[0], clock[1] = WHOLE, time.perf_counter()
            reply = _run_batch(call, data, clock)
            clock[1] = NEVER
            conn.send_bytes(reply)


def _run_batch(call: Call, data: bytes, clock: memoryview[float]) -> bytes:
    values: list[Any] = []
    failures: Failures = {}
    seconds: list[float] = []
    perf_counter = time.perf_counter  # monotonic ticks every 16 ms on Windows before Python 3.13
    items, failure = unpacked("item", data)
    if failure:
        return pickle.dumps(failure)
    now = perf_counter()
    end = now + BUDGET
    for position, item in enumerate(items):
        clock[0] = position
        clock[1] = before = now
        try:
            values.append(call(item))
        except BaseException as exc:  # whatever it is, it costs this task only
            failures[position] = Failure.of(exc)
            values.append(None)
            if failures[position].refused:  # the other tasks have to wait too
                end = 0.0
        now = perf_counter()
        seconds.append(now - before)
        if now > end:
            break
    clock[0], clock[1] = WHOLE, now
    try:
        return pickle.dumps((values, failures, seconds), pickle.HIGHEST_PROTOCOL)
    except Exception:
        for position, value in enumerate(values):
            if failure := packed("result", value)[1]:
                values[position], failures[position] = None, failure
        return pickle.dumps((values, failures, seconds), pickle.HIGHEST_PROTOCOL)


class BatchWorker(WorkerProcess):
    """A worker with the batches that it has not answered, oldest first, and their bytes."""

    def __init__(self, pool: BatchPool) -> None:
        self.batches: deque[tuple[list[Task], int]] = deque()
        super().__init__(serve, pool.job, share=pool.processes, method=pool.method)

    def tasks(self) -> list[Task]:
        return [task for batch, _ in self.batches for task in batch]

    def position_of(self, place: float) -> int | None:
        """`place` is the task's place in the oldest batch."""
        tasks = self.batches[0][0] if self.batches else []
        return tasks[int(place)][0] if 0 <= place < len(tasks) else None


class BatchPool(ProcessPool[BatchWorker]):
    """A pool that sends batches of tasks, and learns how large they may be."""

    batch = 1  # tasks in the next batch
    cost = TARGET  # seconds that a task takes, about
    item_bytes = 0.0  # of an item in the last batch

    def start(self) -> BatchWorker:
        return BatchWorker(self)

    def dispatch(self) -> None:
        """A batch for each worker, and one ahead while tasks are short and need not be paced."""
        paced = self.backlog.paced
        short = not paced and self.item_bytes <= PIPE and self.cost * self.batch < 2 * TARGET
        for depth in (1, 2) if short else (1,):
            for worker in self.ready() if paced else self.workers:
                if len(worker.batches) < depth and worker.open:
                    self._give(worker, self._take(self.left(worker)))

    def _take(self, most: int) -> list[Task]:
        if self.backlog.paced:
            busy = sum(bool(worker.batches) for worker in self.workers)
            return self.suspects.take() or self.backlog.take(min(1, most), busy)
        return self.suspects.take() or self.backlog.take(min(self.batch, most))

    def _give(self, worker: BatchWorker, tasks: list[Task]) -> None:
        if not tasks:
            return
        data, failure = packed("item", [item for _, item, _ in tasks])
        if failure:
            self.accuse(tasks, failure)
            return
        self.item_bytes = len(data) / len(tasks)
        if worker.batches and len(data) > PIPE:  # never wait for a busy worker
            self.backlog.put_back(tasks)
            return
        worker.batches.append((tasks, len(data)))
        worker.assigned += len(tasks)
        with contextlib.suppress(OSError):  # it died: its pipe tells
            worker.conn.send_bytes(data)

    def receive(self, worker: BatchWorker, data: bytes) -> None:
        """Outcomes of a batch; what the worker did not begin goes back."""
        tasks, sent = worker.batches.popleft()
        reply, failure = unpacked("result", data)
        if failure or isinstance(reply, Failure):
            self.accuse(tasks, failure or reply)
            return
        values, failures, seconds = reply
        done = len(values)
        self.backlog.put_back(tasks[done:])
        worker.assigned -= len(tasks) - done
        outcomes = [
            quick_outcome(index, item, value, spent, attempt)
            for (index, item, attempt), value, spent in zip(tasks, values, seconds, strict=False)
        ]
        if failures:
            outcomes = [good for n, good in enumerate(outcomes) if n not in failures]
        self.outcomes += outcomes
        for n, failure in failures.items():
            self.fail(tasks[n], failure, seconds[n])
        self._learn(sum(seconds) / done, max(sent / len(tasks), len(data) / done))

    def _learn(self, cost: float, weight: float) -> None:
        """Size the next batch by time, and so that it fits in the pipe of a busy worker."""
        self.cost += (cost - self.cost) / 2
        fit = min(TARGET / (self.cost + 1e-9), PIPE / weight)
        self.batch = max(1, min(2 * self.batch, LARGEST, int(fit)))

    def blame(self, worker: BatchWorker, reason: Failure) -> None:
        """Fail the task that the worker was at, as the clock tells; put back the others."""
        (tasks, _), *ahead = worker.batches
        position, since = int(worker.clock[0]), worker.clock[1]
        for batch, _ in ahead:
            self.backlog.put_back(batch)
        if position == WHOLE or since == NEVER:  # at no task: it reads, packs or answers a batch
            self.accuse(tasks, reason)
        else:
            self.fail(tasks.pop(position), reason, time.perf_counter() - since)
            self.backlog.put_back(tasks)

    def overdue(self, worker: BatchWorker, timeout: float) -> Failure | None:
        """A timeout if its task runs for too long, else None."""
        late = time.perf_counter() - worker.clock[1] > timeout
        return timed_out(timeout) if late else None


def in_one_process(max_workers: int) -> int:
    return 1


def run(
    job: Job,
    backlog: Backlog,
    *,
    timeout: float | None = None,
    start_method: str | None = None,
    recycle: int | None = None,
) -> Bursts:
    """Yield outcomes in bursts, as they complete; at most `backlog.max_workers` tasks at once."""
    if backlog.max_workers > MOST:
        say(f"Windows and this Python wait for {MOST} processes at most: {MOST} at once")
    yield from BatchPool(job, backlog, MOST, timeout, start_method, recycle).run()
