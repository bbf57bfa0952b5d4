"""The same sample of items, first one after the other, then with the engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from . import engine
from .daemons import DaemonWorker
from .job import Job
from .pacing import Pacer
from .task import EngineError, Numbered


class Measured(NamedTuple):
    """One way to run the sample."""

    model: str
    max_workers: int
    items: int  # how many were finished
    failed: int
    seconds: float


def compare(
    job: Job,
    items: Iterator[Numbered | None],
    max_workers: int,
    timeout: float | None,
    budget: float,
    pacer: Pacer | None,
    **options: Any,
) -> tuple[Measured, Measured]:
    """Measure a plain loop for up to `budget` seconds, then the engine on the items it finished."""
    sample: list[Numbered] = []
    plain = _sequentially(job, items, budget, pacer, sample)
    began = time.perf_counter()
    outcomes = []
    stop = threading.Event()
    for burst in engine.run(
        job,
        sample,
        max_workers=max_workers,
        timeout=timeout or budget,
        stop=stop,
        pacer=pacer,
        **options,
    ):
        outcomes += burst
        if time.perf_counter() - began > budget:
            stop.set()
    seconds = time.perf_counter() - began
    failed = sum(outcome.error is not None for outcome in outcomes)
    return plain, Measured(engine.MODEL, max_workers, len(outcomes), failed, seconds)


def _sequentially(
    job: Job,
    items: Iterator[Numbered | None],
    budget: float,
    pacer: Pacer | None,
    sample: list[Numbered],
) -> Measured:
    """In a daemon thread, so that an item that hangs ends the sample and not the program."""
    worker = DaemonWorker(job)
    reply: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
    failed = 0
    began = finished = time.perf_counter()
    for numbered in items:
        if numbered is None:
            continue
        if pacer is not None:
            time.sleep(max(0.0, pacer.due() - time.perf_counter()))
            pacer.begin(time.perf_counter(), numbered[1])
        worker.submit(numbered[1], lambda value, error: reply.put((value, error)))
        try:
            _, error = reply.get(timeout=max(0.0, began + budget - time.perf_counter()))
        except Empty:
            break
        if isinstance(error, EngineError):
            raise error
        finished = time.perf_counter()
        failed += error is not None
        sample.append(numbered)
    worker.leave()
    if not sample:
        raise EngineError(f"no item was finished in {budget:g} s: give it more with --seconds")
    return Measured("sequential", 1, len(sample), failed, finished - began)
