"""The job on one worker of a cluster: a daemon thread that runs batches for each of its threads.

A batch runs in a daemon thread with the job opened in it, while the worker's own thread waits for
it. So a task that hangs costs a thread, and the slot is free after the timeout. The thread itself
cannot be stopped: it lives on until the task returns, or the worker ends.
"""

from __future__ import annotations

import logging
import pickle
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from logging.handlers import QueueHandler
from queue import Empty, SimpleQueue
from typing import Any, cast

from .daemons import DaemonPool
from .failures import Failure, timed_out
from .job import Call, Job
from .logs import inherited
from .messages import Outbox, forward, packed, unpacked
from .task import CURRENT

BUDGET = 1.0  # seconds after which a batch hands back what it has not begun
FOREVER = 1e6  # seconds that a task may take where there is no timeout: 11 days

Row = tuple[bytes, Failure | None, float]  # pickled value, failure, seconds


class BatchExecutor:
    """Threads that are kept from batch to batch. Several threads call serve() at once."""

    def __init__(self, job: Job, send: Callable[[bytes], object], *, shared: bool) -> None:
        """`send` takes what is logged to whoever started the run; others use a `shared` worker."""
        self._threads = DaemonPool(job)
        self._stop_sending = ExitStack()
        if shared:
            _forward_tasks(send, job.log_levels, self._stop_sending)
        else:
            forward(send, CURRENT.get, job.log_levels)
        self._waiting: set[SimpleQueue[BaseException | None]] = set()

    def serve(self, data: bytes, timeout: float | None) -> bytes:
        """Run a pickled list of positions and pickled items.

        Return a pickled list of rows, one for each item that was begun, or, as a pickled text, why
        the run cannot go on.
        """
        batch = Batch(pickle.loads(data), timeout or FOREVER)  # noqa: S301  # from our own cluster
        over: SimpleQueue[BaseException | None] = SimpleQueue()
        self._waiting.add(over)
        give_up = self._threads.submit(batch.run, lambda _, error: over.put(error))
        failure = None
        while not batch.over:
            try:
                failure = over.get(timeout=batch.left())
                break
            except Empty:
                batch.time_out()
        self._waiting.discard(over)
        if batch.over:
            give_up()
        return pickle.dumps(batch.rows if failure is None else str(failure))

    def close(self) -> None:
        """Tear down what setup() made in each thread; a batch that still runs is not waited for.

        The run is over, or was stopped: nobody wants its results.
        """
        for over in list(self._waiting):
            over.put(None)
        try:
            self._threads.close()
        finally:
            self._stop_sending.close()


def _forward_tasks(
    send: Callable[[bytes], object], levels: Mapping[str, int] | None, stack: ExitStack
) -> None:
    """In a worker that others share: send what tasks log; its handlers and Dask's levels stay."""
    sender = QueueHandler(cast("Any", Outbox(send, CURRENT.get)))
    sender.addFilter(lambda _: CURRENT.get() is not None)
    logging.root.addHandler(sender)
    stack.callback(logging.root.removeHandler, sender)
    for name, number in inherited(levels).items():
        if not name.startswith("distributed"):
            logger = logging.getLogger(name)
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(number)


class Batch:
    """Items that run one after another, and what became of them so far."""

    def __init__(self, items: list[tuple[int, bytes]], timeout: float) -> None:
        self.rows: list[Row] = []
        self.over = False  # a task timed out, and nobody waits for the worker any more
        self._items, self._timeout = items, timeout
        self._since = float("inf")  # when the present item began
        self._lock = threading.Lock()

    def run(self, call: Call) -> None:
        """In the worker: run the items, for about BUDGET seconds."""
        began = self._since = time.monotonic()
        for position, item in self._items:
            CURRENT.set(position)
            value, failure = _attempt(call, item)
            with self._lock:
                if self.over:
                    return
                before, self._since = self._since, time.monotonic()
                self.rows.append((value, failure, self._since - before))
                if self._since - began > BUDGET or (failure and failure.refused):
                    return

    def left(self) -> float:
        """Seconds to wait before the present item may be overdue."""
        return max(0.001, min(self._timeout, self._since + self._timeout - time.monotonic()))

    def time_out(self) -> None:
        """If the present item is overdue, that is its outcome, and the batch is over."""
        with self._lock:
            seconds = time.monotonic() - self._since
            if seconds >= self._timeout:
                self.rows.append((b"", timed_out(self._timeout), seconds))
                self.over = True


def _attempt(call: Call, item: bytes) -> tuple[bytes, Failure | None]:
    """The pickled value, or the failure."""
    value, failure = unpacked("item", item)
    if failure:
        return b"", failure
    try:
        return packed("result", call(value))
    except BaseException as exc:  # whatever it is, it costs this task only
        return b"", Failure.of(exc)
