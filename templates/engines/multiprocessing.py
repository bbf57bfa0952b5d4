"""Process engine: work(item) on N processes, for CPU-bound work.

    items ──▶ Backlog ──▶ batches of about 10 ms ══pipe══▶ worker 1..N: work(item) for each
                 ▲                                              │ clock (shared memory)
                 └── retries, crashed batches ◀══pipe══ replies ┴──▶ outcomes

Batches are sized by time: tiny tasks travel together, long ones alone, and a worker hands back what
it has not begun after 50 ms. In shared memory each worker notes which task it is at and since when:
so the parent knows which one hung or crashed, kills and replaces that worker, blames that one task,
and runs the rest of the batch again (at least once for side effects, exactly once in the results).
"""

from __future__ import annotations

import contextlib
import pickle
import time
from collections import deque
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import repeat
from multiprocessing.connection import Connection, wait
from multiprocessing.heap import BufferWrapper
from typing import Any

from .job import Job
from .lanes import Call
from .processes import Worker, dismiss, exit_reason, pack
from .task import TICK, Backlog, EngineError, Numbered, Outcome, Retry, Stop, Task, describe

MODEL = "multiprocessing"
TARGET = 0.010  # seconds of work that a batch aims at: handing it over costs about 1 % of that
BUDGET = 0.050  # seconds after which a worker hands back what it has not begun
LARGEST = 1000  # tasks in a batch
PIPE = 65_536  # bytes that a pipe surely takes while its reader is busy
STILLBORN = 3  # workers in a row that die before they run anything, and the run ends
NEVER = float("inf")
WHOLE = -1  # position of a worker that reads or packs a batch

Reply = tuple[list[Any], dict[int, tuple[str, bool]], list[float]]  # values, errors, seconds
outcome_of = partial(tuple.__new__, Outcome)  # at a third of the cost of Outcome(...)


def serve(conn: Connection, job: Job, shared: BufferWrapper) -> None:
    """In the worker: run batches until an empty message comes."""
    clock = shared.create_memoryview().cast("d")
    with job.open() as call:
        while data := conn.recv_bytes():
            clock[0], clock[1] = WHOLE, time.monotonic()
            reply = _run_batch(call, data, clock)
            clock[1] = NEVER
            conn.send_bytes(reply)


def _run_batch(call: Call, data: bytes, clock: memoryview) -> bytes:
    values: list[Any] = []
    errors: dict[int, tuple[str, bool]] = {}  # text, and whether a retry is pointless
    seconds: list[float] = []
    monotonic = time.monotonic
    try:
        items = pickle.loads(data)
    except Exception as exc:
        return pickle.dumps(([], {WHOLE: (f"item cannot be unpickled: {describe(exc)}", True)}, []))
    begun = now = monotonic()
    for position, item in enumerate(items):
        clock[0] = position
        clock[1] = before = now
        try:
            values.append(call(item))
        except BaseException as exc:
            errors[position] = describe(exc), False
            values.append(None)
        now = monotonic()
        seconds.append(now - before)
        if now - begun > BUDGET:
            break
    clock[0], clock[1] = WHOLE, now
    return _pack(values, errors, seconds)


def _pack(values: list[Any], errors: dict[int, tuple[str, bool]], seconds: list[float]) -> bytes:
    """The reply; a result that cannot be pickled becomes the error of its task."""
    try:
        return pickle.dumps((values, errors, seconds), pickle.HIGHEST_PROTOCOL)
    except Exception:
        for position, value in enumerate(values):
            try:
                pickle.dumps(value)
            except Exception as exc:
                errors[position] = f"result cannot be pickled: {describe(exc)}", True
                values[position] = None
        return pickle.dumps((values, errors, seconds), pickle.HIGHEST_PROTOCOL)


class BatchWorker(Worker):
    """A worker process with its clock, and the batches that it has not answered, oldest first."""

    def __init__(self, job: bytes, share: int, method: str | None) -> None:
        self._shared = BufferWrapper(16)  # kept, for its memory is used again once it is dropped
        self.clock = self._shared.create_memoryview().cast("d")  # position in its batch, since when
        self.clock[0], self.clock[1] = WHOLE, NEVER
        self.batches: deque[tuple[list[Task], int]] = deque()  # tasks, bytes sent
        self.used = False
        self.late = ""  # why it was killed
        super().__init__(serve, job, self._shared, share=share, method=method)


class Pool:
    """The workers, the size of the next batch, and the outcomes not yet handed over."""

    def __init__(self, job: Job, backlog: Backlog, size: int, method: str | None) -> None:
        self._job, self._backlog, self._size, self._method = pack(job), backlog, size, method
        self._workers: list[BatchWorker] = []
        self._batch, self._cost = 1, TARGET  # tasks in the next batch, seconds a task
        self._stillborn = 0
        self.outcomes: list[Outcome] = []

    @property
    def busy(self) -> bool:
        """Some worker has a batch."""
        return any(worker.batches for worker in self._workers)

    def dispatch(self) -> None:
        """A batch for each idle worker, then for new workers, then one ahead if tasks are short."""
        for depth in (1, 2) if self._cost * self._batch < 2 * TARGET else (1,):
            for worker in self._workers:
                if len(worker.batches) < depth and not worker.late:
                    self._give(worker, self._backlog.take(self._batch))
            while len(self._workers) < self._size and (tasks := self._backlog.take(self._batch)):
                self._workers.append(BatchWorker(self._job, self._size, self._method))
                self._give(self._workers[-1], tasks)

    def _give(self, worker: BatchWorker, tasks: list[Task]) -> None:
        if not tasks:
            return
        try:
            data = pickle.dumps([item for _, item, _ in tasks], pickle.HIGHEST_PROTOCOL)
        except Exception as exc:
            self._fail_batch(tasks, f"item cannot be pickled: {describe(exc)}")
            return
        if worker.batches and len(data) > PIPE:  # never wait for a busy worker
            self._backlog.put_back(tasks)
            return
        worker.batches.append((tasks, len(data)))
        with contextlib.suppress(OSError):  # it died: its pipe tells
            worker.conn.send_bytes(data)

    def collect(self, patience: float) -> None:
        """Take the replies that are there; wait up to `patience` seconds for the first."""
        ready = set(wait([worker.conn for worker in self._workers], patience))
        for worker in [worker for worker in self._workers if worker.conn in ready]:
            try:
                data = worker.conn.recv_bytes()
            except (EOFError, OSError):
                self._replace(worker)
            else:
                self._receive(worker, data)

    def _receive(self, worker: BatchWorker, data: bytes) -> None:
        tasks, sent = worker.batches.popleft()
        try:
            reply = pickle.loads(data)
        except Exception as exc:
            self._fail_batch(tasks, f"result cannot be unpickled: {describe(exc)}")
            return
        if isinstance(reply, str):
            raise EngineError(reply)
        values, errors, seconds = reply
        if WHOLE in errors:
            self._fail_batch(tasks, errors[WHOLE][0])
            return
        done = len(values)
        self._backlog.put_back(tasks[done:])
        worker.used, self._stillborn = True, 0
        self._cost += (sum(seconds) / done - self._cost) / 2
        weight = max(sent / len(tasks), len(data) / done)
        fit = min(TARGET / (self._cost + 1e-9), PIPE / weight)
        self._batch = max(1, min(2 * self._batch, LARGEST, int(fit)))
        indices, items, attempts = zip(*tasks[:done])
        outcomes = map(outcome_of, zip(indices, items, values, repeat(None), seconds, attempts))
        if not errors:
            self.outcomes += outcomes
            return
        for position, outcome in enumerate(outcomes):
            if position in errors:
                error, final = errors[position]
                self._fail(tasks[position], error, seconds[position], final=final)
            else:
                self.outcomes.append(outcome)

    def _replace(self, worker: BatchWorker) -> None:
        """Its pipe has ended: blame the task that it was at, run the others again."""
        code = worker.bury()
        self._workers.remove(worker)
        position, since = int(worker.clock[0]), worker.clock[1]
        error = worker.late or f"worker died: {exit_reason(code)}"
        if since == NEVER:  # between two batches, or before the first
            self._stillborn += not worker.used
            if self._stillborn > self._size + STILLBORN:
                raise EngineError(f"workers die before they run anything: {exit_reason(code)}")
        elif worker.batches:
            tasks, _ = worker.batches.popleft()
            if position == WHOLE:
                self._fail_batch(tasks, error)
            else:
                self._fail(tasks.pop(position), error, time.monotonic() - since)
                self._backlog.put_back(tasks)
        for tasks, _ in worker.batches:
            self._backlog.put_back(tasks)

    def _fail(self, task: Task, error: str, seconds: float, *, final: bool = False) -> None:
        self.outcomes += self._backlog.failed(task, error, seconds, final=final)

    def _fail_batch(self, tasks: list[Task], error: str) -> None:
        """Some task of these is to blame: find it by running each alone."""
        if len(tasks) > 1:
            self._backlog.put_back(tasks, alone=True)
        else:
            self._fail(tasks[0], error, 0.0, final=True)

    def kill_overdue(self, timeout: float) -> None:
        """Kill the workers whose task runs for too long; their pipes then end."""
        now = time.monotonic()
        for worker in self._workers:
            if now - worker.clock[1] > timeout and not worker.late:
                worker.late = f"timeout after {timeout:g} s"
                worker.kill()

    def close(self) -> None:
        """Let idle workers leave, kill the others."""
        busy = [worker for worker in self._workers if worker.batches]
        dismiss([worker for worker in self._workers if not worker.batches], busy)


def run(
    job: Job,
    items: Iterable[Numbered | None],
    *,
    max_workers: int,
    timeout: float | None = None,
    retry: Retry = Retry(),
    stop: Stop | None = None,
    start_method: str | None = None,
) -> Iterator[list[Outcome]]:
    """Yield outcomes in bursts, as they complete; at most `max_workers` tasks run at once."""
    backlog = Backlog(items, retry, stop)
    pool = Pool(job, backlog, max_workers, start_method)
    tick = min(TICK, timeout / 4) if timeout else TICK
    try:
        while not backlog.overdue():
            pool.dispatch()
            if backlog.empty and not pool.busy:
                break
            pool.collect(min(tick, backlog.patience))
            if timeout:
                pool.kill_overdue(timeout)
            if pool.outcomes:
                burst, pool.outcomes = pool.outcomes, []
                yield burst
        if pool.outcomes:
            yield pool.outcomes
    finally:
        pool.close()
    backlog.check()
