"""The workers of a cluster, as they come and go, and what each of them is at."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .cluster import ANSWERING
from .prints import say
from .task import Task

if TYPE_CHECKING:  # the import takes half a second, and `--help` does without
    from distributed import Client, Future

REFRESH = 0.5  # seconds between two looks at which workers there are


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
        self._next = 0.0  # when the next one is due
        self._told = quiet  # that it waits for workers

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
