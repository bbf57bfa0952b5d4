"""Dask engine: work(item) on the workers of a cluster, for more than one machine does in time.

    items ──▶ Backlog ──▶ batches of about 0.25 s ══scheduler══▶ workers 1..N: an executor on each
                 ▲                                                     │ threads: work(item)
                 ├── retries ◀────────────── rows of a batch ◀══scheduler══┴──▶ outcomes
                 └── suspects ◀── batches of a worker that is gone at the roll call

With an address it runs on that cluster, and sends the package along; without one it starts a
cluster on this machine. Dask carries, watches and restarts; which worker gets which batch is
decided here. So the engine knows what a worker ran when it died: those tasks are suspects.

    tasks ──▶ a batch for each slot, and one ahead ──▶ rows ──▶ outcomes, retries
                                   │ the worker died
                                   ├── behind its slots ──▶ back to the backlog, unblamed
    fewer suspects, alone on ◀─────┴── in its slots: suspects, halved
    a worker, until one is left

A task that outlives too many workers, the last of them alone, has failed.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
import time
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from .backlog import Backlog
from .cluster import ANSWERING, IMPORTING, LEAVING, connect, within
from .failures import Failure, describe
from .job import Job
from .machine import NotReady, usable_cores
from .messages import packed, settled, show_record
from .prints import say
from .task import PACKAGE, TEARDOWN, Burst, Bursts, EngineError, Task
from .workers import Suspects

if TYPE_CHECKING:  # the import takes half a second, and `--help` does without
    from distributed import Client, Future

    from .executor import Row

MODEL = "dask"
AWAITS = "never"
ADAPTS = None  # --max-workers auto is decided before the run
IN_THREADS = False
ADDRESS = "DASK_SCHEDULER_ADDRESS"  # in the environment, where Dask itself looks for it
OPTIONS = {
    "scheduler": ("ADDRESS", f"the cluster, such as tcp://host:8786 [${ADDRESS}, or one here]")
}
ALL = 0  # as max_workers: as many as the cluster has
TARGET = 0.25  # seconds of work that a batch aims at: its way there and back costs about 4 ms
LARGEST = 2000  # tasks in a batch
HEAVIEST = 1 << 22  # bytes in a batch: schedulers do not like large messages, and warn from 10 MB
BARREN = 20  # workers that die in a row, without one reply, before the run ends
DEATHS = 3  # of workers under a task that runs alone: Dask's own `allowed-failures`
REFRESH = 0.5  # seconds between two looks at which workers there are
POLL = 0.005  # seconds between two looks at what is done


@dataclass
class ClusterWorker:
    """A worker, with the batches that it has not answered, oldest first."""

    address: str
    slots: int  # batches that run at once on it; what it has beyond them waits there
    batches: dict[Future[Any], list[Task]] = field(default_factory=dict)
    alone: bool = False  # it runs suspects, and nothing may join them


class Roster:
    """The workers that this run uses, with `size` slots at most; 0 is as many as they have."""

    def __init__(self, client: Client, size: int, quiet: bool) -> None:
        self._client, self._size = client, size or sys.maxsize
        self._workers: dict[str, ClusterWorker] = {}
        self._seen: Collection[str] | None = None  # who was there at the last look
        self._next = 0.0  # when the next look is due
        self._told = quiet  # whether it was said that it waits for workers

    def __iter__(self) -> Iterator[ClusterWorker]:
        return iter(self._workers.values())

    def busy(self) -> list[ClusterWorker]:
        """The workers that have batches."""
        return [worker for worker in self if worker.batches]

    def refresh(self) -> list[ClusterWorker]:
        """From time to time add the workers that came, and return those that are gone.

        A new worker is used from the next look on: a worker that is killed before its nanny knows
        that it runs may not be started again.
        """
        if time.monotonic() < self._next:
            return []
        present: dict[str, int] = self._client.nthreads(callback_timeout=ANSWERING)
        seen = present.keys() if self._seen is None else self._seen
        gone = [self._workers.pop(name) for name in self._workers.keys() - present.keys()]
        free = self._size - sum(worker.slots for worker in self)
        for address, threads in present.items():
            if free > 0 and address in seen and address not in self._workers:
                self._workers[address] = ClusterWorker(address, min(threads, free))
                free -= threads
        if not present and not self._told:
            self._told = True
            say("the cluster has no workers at present: waiting for some")
        self._seen, self._next = present.keys(), time.monotonic() + REFRESH
        return gone


class Dispatcher:
    """Hands batches to the workers, and takes in their replies."""

    def __init__(
        self,
        client: Client,
        backlog: Backlog,
        timeout: float | None,
        plugin: str,
        quiet: bool,
    ) -> None:
        from distributed import as_completed

        from .plugin import delivery

        self._client, self._backlog, self._timeout = client, backlog, timeout
        self._plugin, self._deliver = plugin, delivery(plugin)
        self._roster = Roster(client, backlog.max_workers, quiet)
        self._done = as_completed(loop=client.loop, with_results=True, raise_errors=False)
        self._outcomes: Burst = []  # not yet handed over
        self._suspects = Suspects(backlog)
        self._deaths: dict[int, int] = {}  # suspect: how many workers died with it
        self._sent = 0  # batches, so far
        self._batch = 1  # tasks in the next batch
        self._cost = TARGET  # seconds that a task takes, about
        self._weight = 1.0  # bytes that an item takes, in the last batch
        self._barren = 0  # workers that died since the last reply

    def run(self) -> Iterator[Burst]:
        """Work until nothing is left; yield outcomes in bursts, as they complete."""
        while not self._backlog.heed_stop():
            for worker in self._roster.refresh():
                self._bury(worker)
            self._dispatch()
            if self._backlog.empty and not self._suspects and not self._roster.busy():
                break
            self._collect()
            if self._outcomes:
                burst, self._outcomes = self._outcomes, []
                yield self._backlog.learn(burst)
        if self._outcomes:
            yield self._outcomes

    def dismiss(self) -> list[str]:
        """Cancel all batches; return the addresses of the workers that had any."""
        busy = self._roster.busy()
        batches = [future for worker in busy for future in worker.batches]
        with contextlib.suppress(Exception):  # the scheduler is gone, and the batches with it
            within(LEAVING, self._client.cancel, batches)
        return [worker.address for worker in busy]

    def _dispatch(self) -> None:
        """A batch for every slot, then one ahead for every worker while tasks are short."""
        for worker in self._roster:
            worker.alone = worker.alone and bool(worker.batches)
            if not worker.batches and (suspects := self._suspects.take()):
                worker.alone = True
                self._give(worker, suspects)
        paced = self._backlog.paced
        for ahead in (0, 1) if self._cost < TARGET and not paced else (0,):
            for worker in self._roster:
                # While there are suspects, workers run dry: the next suspects find one empty.
                closed = worker.alone or (self._deaths and worker.batches)
                for _ in range(0 if closed else worker.slots + ahead - len(worker.batches)):
                    busy = sum(len(peer.batches) for peer in self._roster) if paced else 0
                    self._give(worker, self._backlog.take(1 if paced else self._batch, busy))

    def _give(self, worker: ClusterWorker, tasks: list[Task]) -> None:
        items, sent = [], []
        for task in tasks:
            item, failure = packed("item", task[1])
            if failure:
                self._fail(task, failure)
            else:
                items.append((task[0], item))
                sent.append(task)
        if not sent:
            return
        self._sent += 1
        data = pickle.dumps(items)
        self._weight = len(data) / len(sent)
        future = self._client.submit(
            self._deliver,
            data,
            self._timeout,
            key=f"{self._plugin}-{self._sent}",
            workers=[worker.address],
            fifo_timeout=0,  # a worker takes batches in the order in which they were sent
        )
        worker.batches[future] = sent
        self._done.add(future)

    def _collect(self) -> None:
        """Take in the replies that are there; pause where there is none."""
        ready = self._done.next_batch(block=False)
        if not ready:
            time.sleep(min(POLL, self._backlog.patience))  # as long as no task is due
        for future, reply in ready:
            for worker in self._roster.busy():
                if future in worker.batches:
                    self._settle(worker, future, reply)

    def _settle(self, worker: ClusterWorker, future: Future[Any], reply: Any) -> None:
        from distributed import KilledWorker

        tasks = worker.batches.pop(future)
        if future.status == "finished":
            rows: list[Row] | str = pickle.loads(reply)  # noqa: S301  # from our own cluster
            if isinstance(rows, str):
                raise EngineError(rows)
            if rows:
                self._learn(
                    sum(seconds for _, _, seconds in rows) / len(rows), len(reply) / len(rows)
                )
            self._receive(tasks, rows)
        elif future.status == "error":
            if not isinstance(reply[1], KilledWorker):
                raise EngineError(f"a worker failed: {describe(reply[1])}")
            self._accuse(tasks, alone=worker.alone)
        else:  # somebody restarted the cluster
            self._backlog.put_back(tasks)

    def _receive(self, tasks: list[Task], rows: list[Row]) -> None:
        """Outcomes of a batch; what was not begun goes back."""
        self._barren = 0
        self._backlog.put_back(tasks[len(rows) :])
        for task, (result, failure, seconds) in zip(tasks, rows, strict=False):
            self._deaths.pop(task[0], None)
            self._outcomes += settled(self._backlog, task, result, failure, seconds)

    def _learn(self, seconds: float, weight: float) -> None:
        """Size the next batch by the time and the bytes of a task."""
        self._cost += (seconds - self._cost) / 2
        fit = min(TARGET / (self._cost + 1e-9), HEAVIEST / max(weight, self._weight))
        self._batch = max(1, min(2 * self._batch, LARGEST, int(fit)))

    def _bury(self, worker: ClusterWorker) -> None:
        """The worker is gone: what it ran is suspect, what waited behind that goes back."""
        batches = list(worker.batches.values())
        self._barren += bool(batches)
        if self._barren > BARREN:
            raise EngineError(f"{BARREN} workers died one after the other, and none gave a reply")
        for future in worker.batches:
            future.cancel()  # or Dask would wait for the worker to come back
        for tasks in reversed(batches[worker.slots :]):
            self._backlog.put_back(tasks)
        for tasks in batches[: worker.slots]:
            self._accuse(tasks, alone=worker.alone or worker.slots == 1)

    def _accuse(self, tasks: list[Task], *, alone: bool) -> None:
        """Their worker died: try them in halves, and a task that is alone some more times."""
        deaths = 1 + max(self._deaths.get(index, 0) for index, _, _ in tasks)
        if alone and len(tasks) == 1 and deaths > DEATHS:
            self._deaths.pop(tasks[0][0], None)
            error = f"worker died: {deaths} of them, one after the other"
            self._fail(tasks[0], Failure(error))
            return
        self._deaths.update(dict.fromkeys((index for index, _, _ in tasks), deaths))
        self._suspects.add(tasks)

    def _fail(self, task: Task, failure: Failure) -> None:
        self._outcomes += self._backlog.failed(task, failure, 0.0)


def default_workers(scheduler: str | None = None) -> int:
    """One process per core of this machine; on a cluster, ALL that it has.

    Raises NotReady where Dask is not installed: before a run has touched anything.
    """
    if find_spec("distributed") is None:
        raise NotReady("the module distributed is not installed: pip install -e .")
    return ALL if scheduler or os.environ.get(ADDRESS) else usable_cores()


def in_one_process(max_workers: int) -> int:
    return 1


def run(
    job: Job, backlog: Backlog, *, timeout: float | None = None, scheduler: str | None = None
) -> Bursts:
    """Yield outcomes in bursts, as they complete; at most `backlog.max_workers` tasks run at once.

    They run on the cluster with that address, or with the address in the environment. Without an
    address, as many processes are started here.
    """
    from .plugin import JobPlugin, pack

    if not backlog.waiting(1) and backlog.empty:  # there is nothing to start a cluster for
        backlog.raise_failure()
        return
    job_bytes = job.pack()
    name = f"{PACKAGE}-{uuid.uuid4().hex}"
    address = scheduler or os.environ.get(ADDRESS)
    with connect(address, backlog.max_workers) as (client, kill):
        if not job.quiet:
            say(f"dashboard of the cluster: {client.dashboard_link}")
        with contextlib.suppress(OSError):  # of a worker that dies just now: the next ones get it
            client.subscribe_topic(name, lambda event: show_record(event[1], int))
            plugin = JobPlugin(name, PACKAGE, pack(PACKAGE) if address else None, job_bytes)
            within(IMPORTING, client.register_plugin, plugin)
        dispatcher = Dispatcher(client, backlog, timeout, name, job.quiet)
        try:
            yield from dispatcher.run()
        except OSError as exc:
            raise EngineError(f"lost the scheduler: {describe(exc)}") from None
        finally:
            kill(dispatcher.dismiss())
            problem = _tear_down(client, name)
        if problem:
            raise EngineError(problem)
    backlog.raise_failure()


def _tear_down(client: Client, name: str) -> str:
    """Let the workers tear down what setup() made. Return what was wrong with that."""
    try:
        within(TEARDOWN + LEAVING, client.unregister_worker_plugin, name)
    except EngineError as exc:
        return str(exc)
    except TimeoutError:
        return f"the teardown after setup() still runs after {TEARDOWN:g} s: it is cut off"
    except Exception:  # of a cluster that is gone
        return ""
    return ""
