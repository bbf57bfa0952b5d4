"""The parent's side of a pool of worker processes: the loop, deaths and the end.

dispatch ──▶ collect ──▶ kill what is overdue ──▶ hand over outcomes ──▶ and again
(engine)        │
                ├─ a reply ──▶ receive (engine)
                └─ the end of a pipe: the worker is dead ──▶ blame (engine)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from multiprocessing.connection import wait
from typing import Generic, TypeVar

from .job import Job
from .processes import LAST_WORDS, WorkerProcess, dismiss, exit_reason
from .task import IDLE, TICK, UNGUARDED, Backlog, Burst, EngineError, Failure, Task

STILLBORN = 3  # more workers than the pool has, in a row, that die as they start: the run ends


class PoolWorker(WorkerProcess, ABC):
    """A worker with what it was given."""

    @abstractmethod
    def tasks(self) -> list[Task]:
        """What it has not answered, oldest first."""


W = TypeVar("W", bound=PoolWorker)


class ProcessPool(ABC, Generic[W]):
    """Workers that come and go while the backlog lasts. Engines say what travels in the pipes."""

    def __init__(
        self, job: Job, backlog: Backlog, size: int, timeout: float | None, method: str | None
    ) -> None:
        self.job, self.backlog, self.size = job.pack(), backlog, size
        self.timeout, self.method = timeout, method
        self.workers: list[W] = []
        self.outcomes: Burst = []  # not yet handed over
        self._stillborn = 0

    @abstractmethod
    def dispatch(self) -> None:
        """Give tasks to the workers; start workers while there are tasks for them."""

    @abstractmethod
    def receive(self, worker: W, data: bytes) -> None:
        """Take a reply apart."""

    @abstractmethod
    def blame(self, worker: W, reason: Failure) -> None:
        """The worker died while it had tasks: fail the one to blame, put back the others."""

    @abstractmethod
    def overdue(self, worker: W, timeout: float) -> Failure | None:
        """Why the worker has to be killed, if it has to."""

    def ready(self) -> list[W]:
        """The workers that begin a task as soon as they get it: the others are starting."""
        return [worker for worker in self.workers if worker.began]

    def fail(self, task: Task, failure: Failure, seconds: float = 0.0) -> None:
        """Retry the task, or hand over its failure."""
        self.outcomes += self.backlog.failed(task, failure, seconds)

    def run(self) -> Iterator[Burst]:
        """Work until nothing is left; yield outcomes in bursts, as they complete."""
        tick = min(TICK, self.timeout / 4) if self.timeout else TICK
        try:
            while not self.backlog.heed_stop():
                self.dispatch()
                if self.backlog.empty and not any(worker.tasks() for worker in self.workers):
                    break
                starting = self.backlog.paced and len(self.ready()) < len(self.workers)
                self._collect(min(tick, self.backlog.patience, IDLE if starting else TICK))
                self._kill_overdue()
                if self.outcomes:
                    burst, self.outcomes = self.outcomes, []
                    yield self.backlog.learn(burst)
            if self.outcomes:
                yield self.outcomes
        finally:
            dismiss(self.workers, lambda worker: bool(worker.tasks()))
        self.backlog.raise_failure()

    def _collect(self, patience: float) -> None:
        """Receive the replies that are there; wait up to `patience` seconds for the first."""
        ready = set(wait([worker.conn for worker in self.workers], patience))
        for worker in [worker for worker in self.workers if worker.conn in ready]:
            try:
                data = worker.conn.recv_bytes()
            except (EOFError, OSError):
                self._bury(worker)
            else:
                if data.startswith(LAST_WORDS):
                    raise EngineError(data.removeprefix(LAST_WORDS).decode())
                self._stillborn = 0
                self.receive(worker, data)

    def _bury(self, worker: W) -> None:
        self.workers.remove(worker)
        code = worker.bury()
        if code == UNGUARDED:
            raise EngineError(
                "run() is called where a worker imports the script: put what starts the work under "
                '`if __name__ == "__main__":`'
            ) from None
        died = f"worker died: {exit_reason(code)}"
        reason = worker.verdict or Failure(died)
        if not worker.began:
            self._stillborn += 1
            if self._stillborn > self.size + STILLBORN:
                raise EngineError(f"workers die as they start: {reason.error}")
            self.backlog.put_back(worker.tasks())
        elif worker.tasks():
            self.blame(worker, reason)

    def _kill_overdue(self) -> None:
        if self.timeout:
            for worker in self.workers:
                if not worker.verdict and (verdict := self.overdue(worker, self.timeout)):
                    worker.verdict = verdict
                    worker.kill()
