"""The parent's side of a pool of worker processes: the loop, deaths and the end.

dispatch ──▶ collect ──▶ kill what is overdue ──▶ hand over outcomes ──▶ and again
(engine)        │
                ├─ a reply ──▶ receive (engine)
                └─ the end of a pipe: the worker is dead ──▶ blame (engine)
"""

from __future__ import annotations

import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from multiprocessing.connection import wait
from typing import Generic, TypeVar

from .backlog import Backlog
from .children import exit_reason, kills_for_memory
from .failures import Failure
from .job import Job
from .lifecycle import FLUSHING
from .lifecycle import LEAVING as EXITING
from .prints import say
from .processes import CAUSE, LAST_WORDS, RECORD, WorkerProcess
from .task import IDLE, TEARDOWN, TICK, UNGUARDED, Burst, EngineError, Task, Unavailable
from .workers import Suspects

KILLED = -9  # exit code after SIGKILL, which the system sends when memory runs out
KILLS = 2  # workers killed like that, after which the pool has one worker less
STILLBORN = 3  # workers that may die as they start; each further one makes the pool smaller

W = TypeVar("W", bound=WorkerProcess)


class ProcessPool(ABC, Generic[W]):
    """Workers that come and go while the backlog lasts. Engines say what travels in the pipes."""

    def __init__(
        self,
        job: Job,
        backlog: Backlog,
        processes: int,
        timeout: float | None,
        method: str | None,
        recycle: int | None,
    ) -> None:
        self.job, self.backlog, self.size = job.pack(), backlog, backlog.max_workers
        self.processes = min(self.size, processes)  # as many as the system has room for
        self.timeout, self.method, self.recycle = timeout, method, recycle
        self.workers: list[W] = []
        self._leaving: list[W] = []  # they are replaced already
        self.suspects = Suspects(backlog)
        self.outcomes: Burst = []  # not yet handed over
        self._quiet = job.quiet
        self._stillborn = self._killed = 0
        self._kills = kills_for_memory()
        self._failure = ""  # why the run cannot go on

    @abstractmethod
    def start(self) -> W:
        """Start a worker."""

    @abstractmethod
    def dispatch(self) -> None:
        """Give tasks to the workers."""

    @abstractmethod
    def receive(self, worker: W, data: bytes) -> None:
        """Take a reply apart."""

    @abstractmethod
    def blame(self, worker: W, reason: Failure) -> None:
        """The worker died while it had tasks: fail the one to blame, put back the others."""

    @abstractmethod
    def overdue(self, worker: W, timeout: float) -> Failure | None:
        """Return why the worker has to be killed, or None."""

    def left(self, worker: W) -> int:
        """How many more tasks the worker may be given before it is replaced."""
        return sys.maxsize if self.recycle is None else max(0, self.recycle - worker.assigned)

    def _retire(self) -> None:
        """Let workers leave that have done as many tasks as they may; others replace them."""
        self._leaving = [w for w in self._leaving if w.process.exitcode is None]
        for worker in self.workers:
            if worker.open and not (self.left(worker) or worker.tasks()):
                worker.retire()

    def ready(self) -> list[W]:
        """The workers that can begin a task at once: the others are starting."""
        return [worker for worker in self.workers if worker.began]

    def _staff(self) -> None:
        """Start workers for tasks that wait, beyond those that idle workers can take."""
        if len(self.workers) == self.processes:
            return
        idle = sum(worker.open and not worker.tasks() for worker in self.workers)
        waiting = len(self.suspects) + self.backlog.waiting(self.processes)
        try:
            for _ in range(min(waiting - idle, self.processes - len(self.workers))):
                self.workers.append(self.start())
        except Unavailable as exc:
            self._shrink(len(self.workers), str(exc))

    def _shrink(self, processes: int, reason: str) -> None:
        self.processes = processes
        if not processes:
            raise EngineError(reason)
        if not self._quiet:
            say(f"{reason}: continuing with fewer workers, {processes:,}")

    def accuse(self, tasks: list[Task], failure: Failure) -> None:
        """One of the tasks is to blame: find out which."""
        if len(tasks) > 1:
            self.suspects.add(tasks)
        else:
            self.fail(tasks[0], failure)

    def fail(self, task: Task, failure: Failure, seconds: float = 0.0) -> None:
        """Retry the task, or hand over its failure."""
        self.outcomes += self.backlog.failed(task, failure, seconds)

    def run(self) -> Iterator[Burst]:
        """Work until nothing is left; yield outcomes in bursts, as they complete."""
        tick = min(TICK, self.timeout / 4) if self.timeout else TICK
        try:
            while not self.backlog.heed_stop():
                self._staff()
                self.dispatch()
                busy = any(worker.tasks() for worker in self.workers)
                if self.backlog.empty and not self.suspects and not busy:
                    break
                starting = self.backlog.paced and len(self.ready()) < len(self.workers)
                self._collect(min(tick, self.backlog.patience, IDLE if starting else TICK))
                self._kill_overdue()
                self._retire()
                if self.outcomes:
                    burst, self.outcomes = self.outcomes, []
                    yield self.backlog.learn(burst)
                if self._failure:
                    raise EngineError(self._failure)
            if self.outcomes:
                yield self.outcomes
        finally:
            self._dismiss()
        if self._failure:
            raise EngineError(self._failure)
        self.backlog.raise_failure()

    def _dismiss(self) -> None:
        """Let idle workers tear down and leave, kill busy ones; return when all are gone."""
        recycled, self._leaving = self._leaving, []
        busy = [worker for worker in self.workers if worker.tasks()]
        self.workers = [worker for worker in self.workers if worker not in busy]
        for worker in self.workers:
            worker.retire()
        for worker in busy:
            worker.kill()
        end = time.monotonic() + TEARDOWN
        while self.workers and time.monotonic() < end:
            self._collect(TICK)
        for worker in self.workers:
            worker.kill()
            self._fail_run(f"the teardown after setup() took {TEARDOWN:g} s: it was cut off")
        end = time.monotonic() + EXITING + 2 * FLUSHING  # now their exit functions run
        for worker in self._leaving + recycled + busy + self.workers:
            worker.process.join(max(0.0, end - time.monotonic()))
            if worker in self._leaving and (code := worker.process.exitcode):
                self._fail_run(f"a worker died as it left: {exit_reason(code)}")
            worker.kill()
            worker.process.join()
            worker.conn.close()

    def _fail_run(self, reason: str) -> None:
        self._failure = self._failure or reason

    def _collect(self, patience: float) -> None:
        """Receive the replies that are there; wait up to `patience` seconds for the first."""
        ready = set(wait([worker.conn for worker in self.workers], patience))
        for worker in self.workers[:]:
            if worker.conn in ready:
                self._hear(worker)
            elif not ready and worker.process.exitcode is not None:
                self._bury(worker)  # a process that work() started keeps its pipe open

    def _hear(self, worker: W) -> None:
        try:
            data = worker.conn.recv_bytes()
        except (EOFError, OSError):
            self._bury(worker)
            return
        if not data and worker.tasks():  # an error ended it in the middle of its tasks
            self._bury(worker)
        elif not data:  # it has torn down what setup() made, and runs its exit functions
            self._see_off(worker)
        elif data.startswith(RECORD):
            worker.show(data)
        elif data.startswith(LAST_WORDS) or (worker.retired and data.startswith(CAUSE)):
            self._fail_run(data[1:].decode())
        elif data.startswith(CAUSE):
            worker.verdict = worker.verdict or Failure(data[1:].decode())
            self._bury(worker)
        else:
            self.receive(worker, data)

    def _see_off(self, worker: W) -> None:
        self.workers.remove(worker)
        self._leaving.append(worker)

    def _bury(self, worker: W) -> None:
        if worker.retired:  # _dismiss() looks at its exit code
            self._see_off(worker)
            return
        self.workers.remove(worker)
        code = worker.bury()
        if code == UNGUARDED:
            raise EngineError(
                "run() is called where a worker imports the script: put what starts the work under "
                '`if __name__ == "__main__":`'
            ) from None
        reason = worker.verdict or Failure(f"worker died: {self._exit_reason(code)}")
        if worker.began:
            if worker.tasks():
                self.blame(worker, reason)
            return
        self.backlog.put_back(worker.tasks())
        self._stillborn += 1
        if self._stillborn > STILLBORN:
            self._shrink(self.processes - 1, f"workers die as they start: {reason.error}")

    def _exit_reason(self, code: int | None) -> str:
        """An exit code in words; a pool whose workers are killed for memory gets smaller."""
        if code != KILLED:
            return exit_reason(code)
        known, self._kills = self._kills, kills_for_memory()
        self._killed += 1
        if self._killed % KILLS == 0 and self.processes > 1:
            self.size -= self.size // self.processes
            self._shrink(self.processes - 1, f"{KILLS} workers were killed, it seems for memory")
        if known is not None and self._kills is not None and self._kills > known:
            return "out of memory, and the system killed it"
        return exit_reason(code)

    def _kill_overdue(self) -> None:
        if self.timeout:
            for worker in self.workers:
                if not worker.verdict and (verdict := self.overdue(worker, self.timeout)):
                    worker.verdict = verdict
                    worker.kill()
