"""Hybrid engine: processes with several tasks in flight each, for work that waits and computes.

    items ──▶ Backlog ──▶ tasks ══pipe══▶ process 1..P: the asyncio engine for `async def work`,
                 ▲                             the thread engine for `def work`, as they are
                 └── retries, suspects ◀══pipe══ outcomes ──▶

Every core computes while the other tasks of its process wait, and there is nothing to split. The
inner engine handles timeouts; a process that no longer gives a sign of life is killed. When
a process dies, any of its tasks may be to blame: they run again in halves, each half alone in a
process, until the one that kills is found. The others lose nothing but time.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from types import ModuleType
from typing import Any

from .adaptive import AdaptiveLimit
from .backlog import Backlog
from .failures import Failure, timed_out
from .job import Job
from .machine import has_gil, usable_cores
from .messages import packed, settled, unpacked
from .pool import ProcessPool
from .processes import MOST, NEVER, SharedConnection, WorkerProcess
from .task import CURRENT, Bursts, Numbered, Outcome, Retry, Task

MODEL = "hybrid"
AWAITS = "with an async client"
ADAPTS = AdaptiveLimit  # --max-workers auto finds how many the other end takes
IN_THREADS = False
OPTIONS = {"recycle": ("N", "a worker process is replaced after N tasks")}
# Seconds of work sent ahead. Where every thread of a process computes, its engine gets a turn after
# all of them, one switch interval each: with less, they run out of tasks meanwhile.
AHEAD = 0.2
LARGEST = 1000  # tasks sent ahead at most, for each process
HEAVIEST = 1 << 22  # bytes of items sent ahead at most, in all: memory stays flat
MEMORY = 32  # answers in the mean time of a task, about
PATIENCE = 1.0  # seconds beyond the timeout that a process may take to give a sign of life
LEFT = Retry(refusals=0, inner=True)  # retries are left to the parent
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
    """The engine for one process: the other engine is not even imported."""
    if job.is_async:
        from . import coroutines

        return coroutines
    from . import threads

    return threads


def own_cores(job: Job, processes: int) -> list[int]:
    """A core for each process to stay on, or none where the scheduler knows better.

    Threads that compute under a GIL take turns. When the next thread sits on a core where another
    process computes, it waits for that process while its own core idles: a quarter of the time,
    measured. So each process keeps to a core, if there is exactly one process for each core.
    """
    if sys.platform != "linux" or job.is_async or not has_gil():
        return []
    cores = sorted(os.sched_getaffinity(0))
    return cores if len(cores) == processes else []


def _inbox(conn: SharedConnection, messages: SimpleQueue[bytes]) -> Iterator[Numbered | None]:
    """Yield items as they come, None while there is none; an empty message is the end."""
    while True:
        try:
            data = messages.get_nowait()
        except Empty:
            yield None
            continue
        if not data:
            return
        for index, item in pickle.loads(data):  # noqa: S301  # from our own process
            value, failure = unpacked("item", item)
            if failure:
                conn.send_bytes(pickle.dumps([(index, b"", failure, 0.0)]))
            else:
                yield index, value


def _reply(outcome: Outcome[Any, Any]) -> Reply:
    data, failure = packed("result", outcome.value)
    return outcome.id, data, outcome.failure or failure, outcome.seconds


class Pulse:
    """A stop signal that never comes. Engines look at it every tick: that is the sign of life."""

    def __init__(self, clock: memoryview[float]) -> None:
        self._clock = clock

    def is_set(self) -> bool:
        """Note the time of this look for the parent."""
        self._clock[0] = time.monotonic()
        return False


class HybridWorker(WorkerProcess):
    """A process with the tasks that it has not answered."""

    def __init__(self, pool: HybridPool, slots: int, core: int | None) -> None:
        self.slots = slots  # tasks in flight in it
        self.core = core  # the core that it stays on, if any
        self.given: dict[int, Task] = {}
        self.quarantined = False  # it runs suspects, and nothing may join them
        self._seen = NEVER, 0.0  # its last sign of life, and when it was seen first
        arguments = pool.job, slots, pool.timeout, core
        super().__init__(serve, *arguments, share=pool.processes, method=pool.method)

    def tasks(self) -> list[Task]:
        return list(self.given.values())

    def silence(self) -> float:
        """Seconds since its last sign of life was seen first."""
        now = time.monotonic()
        if self._seen[0] != self.clock[0]:
            self._seen = self.clock[0], now
        return now - self._seen[1]


class HybridPool(ProcessPool[HybridWorker]):
    """A pool of processes, as many as cores, that share `size` slots for tasks in flight."""

    def __init__(
        self,
        job: Job,
        backlog: Backlog,
        timeout: float | None,
        method: str | None,
        recycle: int | None,
    ) -> None:
        super().__init__(job, backlog, min(usable_cores(), MOST), timeout, method, recycle)
        engine_for(job)  # imported here, a forked process has it already
        self._cores = own_cores(job, self.processes)
        self._seconds = 2 * AHEAD  # of a task, about: until it is known, little is sent ahead
        self._answers = 0
        self._bytes = 1.0  # of an item, about

    def dispatch(self) -> None:
        """Send suspects to processes of their own, other tasks to the process with the fewest."""
        for worker in self.workers:
            worker.quarantined = worker.quarantined and bool(worker.given)
            if worker.open and not worker.given and (suspects := self.suspects.take()):
                worker.quarantined = True
                self._give(worker, suspects)
        paced = self.backlog.paced
        free = [worker for worker in (self.ready() if paced else self.workers) if worker.open]
        free = [worker for worker in free if self.left(worker) and not worker.quarantined]
        if free:
            slots = self.size - sum(worker.slots for worker in self.workers if worker not in free)
            busy = sum(len(worker.given) for worker in free)
            ahead = 0 if paced else self._ahead(slots)
            most = min(max(0, slots + ahead - busy), sum(map(self._room, free)))
            self._deal(free, self.backlog.take(most, busy))

    def _room(self, worker: HybridWorker) -> int:
        """How many more tasks it may get now. Paced tasks begin at once."""
        left = self.left(worker)
        if not self.backlog.paced:
            return left
        return max(0, min(left, worker.slots - len(worker.given)))

    def _ahead(self, slots: int) -> int:
        """How many tasks to send beyond those in flight; at first no more than were answered."""
        enough = slots * AHEAD / (self._seconds + 1e-9)
        most = min(self._answers, self.processes * LARGEST)
        return max(1, int(min(enough, most, HEAVIEST / self._bytes)))

    def _deal(self, free: list[HybridWorker], tasks: list[Task]) -> None:
        """Level the loads. Workers above the level come first: the others share what is left."""
        given = sum(len(worker.given) for worker in free)
        free.sort(key=lambda worker: len(worker.given), reverse=True)
        for n, worker in enumerate(free):
            load = len(worker.given)
            share = (given + len(tasks)) // (len(free) - n) - load
            share = max(0, min(share, self._room(worker)))
            given -= load
            self._give(worker, tasks[:share])
            tasks = tasks[share:]
        for worker in free:  # tasks that others had no room for: those are soon replaced
            room = self._room(worker)
            self._give(worker, tasks[:room])
            tasks = tasks[room:]

    def start(self) -> HybridWorker:
        """Start a process with its share of the slots."""
        slots = self.size - sum(worker.slots for worker in self.workers)
        share = -(-slots // (self.processes - len(self.workers)))  # rounded up
        occupied = {worker.core for worker in self.workers}
        core = next((core for core in self._cores if core not in occupied), None)
        return HybridWorker(self, share, core)

    def _give(self, worker: HybridWorker, tasks: list[Task]) -> None:
        message: list[Request] = []
        for task in tasks:
            data, failure = packed("item", task[1])
            if failure:
                self.fail(task, failure)
                continue
            message.append((task[0], data))
            self._bytes += (len(data) - self._bytes) / 8
            worker.given[task[0]] = task
            worker.assigned += 1
        if message:
            with contextlib.suppress(OSError):  # it died: its pipe tells
                worker.conn.send_bytes(pickle.dumps(message))

    def receive(self, worker: HybridWorker, data: bytes) -> None:
        """Outcomes, in the order in which the process finished them."""
        answers: list[Reply] = pickle.loads(data)  # noqa: S301  # from our own process
        for index, result, failure, seconds in answers:
            task = worker.given.pop(index)
            self._answers += 1
            self._seconds += (seconds - self._seconds) / min(self._answers, MEMORY)
            self.outcomes += settled(self.backlog, task, result, failure, seconds)

    def blame(self, worker: HybridWorker, reason: Failure) -> None:
        """Any of its tasks may have killed it."""
        self.accuse(worker.tasks(), reason)

    def overdue(self, worker: HybridWorker, timeout: float) -> Failure | None:
        """A timeout if it is stuck in code that gives no other task a turn, else None."""
        stuck = worker.began and worker.given and worker.silence() > timeout + PATIENCE
        return timed_out(timeout, ", and its process was stuck") if stuck else None


def in_one_process(max_workers: int) -> int:
    return -(-max_workers // usable_cores())  # rounded up


def run(
    job: Job,
    backlog: Backlog,
    *,
    timeout: float | None = None,
    start_method: str | None = None,
    recycle: int | None = None,
) -> Bursts:
    """Yield outcomes in bursts, as they complete; at most `backlog.max_workers` tasks at once."""
    yield from HybridPool(job, backlog, timeout, start_method, recycle).run()
