"""Measure this machine's costs, by running the engines on tasks that cost nothing themselves.

Every run is short and in a process of its own, as a user's is; all of them take about two seconds.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from typing import Any

from scaffold.costs import DEFAULT_COSTS, Costs, Start
from scaffold.domain import Model
from scaffold.lab import Laboratory, laboratory
from scaffold.target import Target

# Tasks per run: enough that starting does not count, few enough for a tenth of a second.
MANY = 10_000
THREADS = 128
# Seconds that tasks sleep while workers start: longer than starting all of them takes.
SLEEP = 0.05
# Bytes of the payload that the pickle rate is measured with, and how often it is carried.
PAYLOAD, CARRIED = 1_000_000, 40
LIMIT = 5.0  # seconds for one run

Progress = Callable[[str], None]


def calibrate(progress: Progress = lambda _: None) -> Costs:
    """Return the costs of this machine and interpreter; `progress` is told each step."""
    with laboratory() as lab:
        bench = _Bench(lab)
        progress("threads")
        threads = bench.seconds("task", Model.THREADING, THREADS, [[SLEEP, 0, 0, 0]], THREADS)
        hand_over = bench.each("nothing", Model.THREADING, 32)
        progress("event loop")
        loop = bench.seconds("nothing_async", Model.ASYNCIO, 1, [0], 1)
        loop_hand_over = bench.each("nothing_async", Model.ASYNCIO, 100)
        progress("processes")
        starts = {method: bench.start(method) for method in multiprocessing.get_all_start_methods()}
        start = bench.seconds("task", Model.MULTIPROCESSING, 2, [[SLEEP, 0, 0, 0]], 2) - SLEEP
        many = bench.seconds("nothing", Model.MULTIPROCESSING, 2, [0], MANY)
        progress("pickling")
        carried = bench.seconds("echo", Model.MULTIPROCESSING, 2, ["x" * PAYLOAD], CARRIED)
        return DEFAULT_COSTS._replace(
            call=bench.each("nothing", Model.SEQUENTIAL, 1),
            thread_start=_least(1e-6, (threads - SLEEP) / THREADS),
            thread_hand_over=hand_over,
            loop_start=loop,
            loop_hand_over=loop_hand_over,
            starts=starts,
            process_hand_over=_least(1e-8, (many - start) / MANY),
            pickle_rate=2 * PAYLOAD * CARRIED / _least(1e-3, carried - start),
        )


def _least(floor: float, value: float) -> float:
    """Keep a difference of two noisy times above zero."""
    return max(floor, value)


class _Bench:
    """Runs one engine on one load and tells how long it took."""

    def __init__(self, lab: Laboratory) -> None:
        self._lab = lab

    def start(self, method: str) -> Start:
        """Return what starting a pool with `method` costs: once, and per process."""
        one, two = (
            self.seconds("task", Model.MULTIPROCESSING, n, [[SLEEP, 0, 0, 0]], n, method) - SLEEP
            for n in (1, 2)
        )
        each = _least(1e-4, two - one)
        return Start(pool=_least(1e-4, one - each), process=each)

    def each(self, load: str, model: Model, workers: int) -> float:
        """Return the seconds per task of many."""
        return self.seconds(load, model, workers, [0], MANY) / MANY

    def seconds(
        self,
        load: str,
        model: Model,
        workers: int,
        values: Sequence[Any],
        repeat: int,
        start_method: str | None = None,
    ) -> float:
        """Return the makespan of `repeat` tasks, in seconds."""
        target = Target("scaffold.loads", load, (), None)
        items = {"values": list(values), "repeat": repeat}
        return self._lab.run(
            target, model, workers, items, LIMIT, start_method=start_method
        ).seconds
