"""`bench`: the same sample of items, first one after the other, then with the engine."""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

from . import engine
from .items import Items
from .lifecycle import OK
from .limits import Ready, prepare
from .prints import answering, say, show_records
from .task import EngineError, Numbered


class Measured(NamedTuple):
    """One way to run the sample."""

    model: str
    max_workers: int
    items: int  # how many were finished
    failed: int
    seconds: float


def bench(args: argparse.Namespace) -> int:
    """run a sample one after the other and with the engine, and compare"""
    ready = prepare(args.max_workers, args.rate, vars(args))
    show_records()
    with closing(Items(args.items, args.key, say)) as items:
        plain, sample = _one_by_one(ready, items.pending(limit=args.limit), args.seconds)
        measured = _with_engine(ready, sample, args.timeout, args.seconds)
    speedup = measured.items / measured.seconds * plain.seconds / plain.items
    several = f"{ready.workers:,}" if ready.workers else "all workers"
    with answering():
        if args.json:
            results = [plain._asdict(), measured._asdict()]
            print(json.dumps({"schema": 1, "results": results, "speedup": round(speedup, 3)}))
        else:
            print(_row(plain), _row(measured), sep="\n")
            print(f"speedup {speedup:.2f}x with {several} at once")
    return OK


def _one_by_one(
    ready: Ready, items: Iterator[Numbered | None], budget: float
) -> tuple[Measured, list[Numbered]]:
    """Measure a plain loop for up to `budget` seconds. Return the items that it finished, too.

    It runs in a thread: an item that hangs ends the sample and not the program.
    """
    stop = threading.Event()
    finished: list[tuple[Numbered, bool, float]] = []  # item, whether it failed, when
    failures: list[BaseException] = []  # of the input, or of setup()

    def loop() -> None:
        try:
            with ready.job.open() as call:
                for numbered in filter(None, items):
                    time.sleep(max(0.0, ready.pacer.due() - time.monotonic()))
                    ready.pacer.begin(time.monotonic(), numbered[1])
                    if stop.is_set():
                        return
                    failed = False
                    try:
                        call(numbered[1])
                    except BaseException:
                        failed = True
                    finished.append((numbered, failed, time.perf_counter()))
        except BaseException as exc:
            failures.append(exc)

    thread = threading.Thread(target=ready.job.context.copy().run, args=(loop,), daemon=True)
    began = time.perf_counter()
    thread.start()
    thread.join(budget)
    stop.set()
    for failure in failures:
        raise failure
    if not (sample := finished[:]):
        raise EngineError(f"no item was finished in {budget:g} s: give it more with --seconds")
    failed, seconds = sum(failed for _, failed, _ in sample), sample[-1][2] - began
    plain = Measured("sequential", 1, len(sample), failed, seconds)
    return plain, [numbered for numbered, _, _ in sample]


def _with_engine(
    ready: Ready, sample: list[Numbered], timeout: float | None, budget: float
) -> Measured:
    """Measure the engine on the same items, for up to `budget` seconds."""
    stop = threading.Event()
    outcomes = []
    began = time.perf_counter()
    for burst in ready.start(sample, timeout=timeout or budget, stop=stop):
        outcomes += burst
        if time.perf_counter() - began > budget:
            stop.set()
    seconds = time.perf_counter() - began
    failed = sum(outcome.error is not None for outcome in outcomes)
    return Measured(engine.MODEL, ready.workers, len(outcomes), failed, seconds)


def _row(measured: Measured) -> str:
    model, _, items, failed, seconds = measured
    row = f"{model:16}{items:>8,} items{seconds:>10.3f} s{items / seconds:>12,.1f}/s"
    return f"{row}   {failed:,} failed" if failed else row
