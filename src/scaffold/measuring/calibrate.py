"""Measure this machine's costs, by running the engines on tasks that cost nothing themselves.

Every run is short and in a process of its own, as a user's is; all of them take about four seconds.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from scaffold.core.costs import DEFAULT_COSTS, HYBRID_IDLE, Costs, Start
from scaffold.core.domain import Model
from scaffold.measuring.lab import Laboratory, laboratory
from scaffold.measuring.target import Target

# Tasks per run: enough that starting does not count, few enough for a tenth of a second.
MANY, SOME, FEW = 10_000, 4000, 1000
THREADS, COROUTINES = 128, 1000
# How the engines start processes (templates/engines/processes.py), the usual way first.
ENGINES_START = ("fork", "forkserver") if sys.platform == "linux" else ("spawn",)
# Seconds that tasks sleep while workers start: longer than starting all of them takes.
SLEEP = 0.05
# Seconds of a wait so short that waking up from it is what counts.
NAP = 1e-4
# Bytes of the payload that the rates are measured with, and how often it is carried.
PAYLOAD, CARRIED = 1_000_000, 40
LIMIT = 5.0  # seconds for one run

Progress = Callable[[str], None]


def calibrate(progress: Progress = lambda _: None) -> Costs:
    """Return the costs of this machine and interpreter; `progress` is told each step."""
    with laboratory() as lab:
        bench = _Bench(lab)
        progress("threads")
        threads = bench.seconds("task", Model.THREADING, THREADS, [[SLEEP, 0, 0, 0]], THREADS)
        thread = bench.each("nothing", Model.THREADING, 32)
        thread_wake = bench.each("task", Model.THREADING, 32, [NAP, 0, 0, 0], FEW)
        progress("event loop")
        loop_start = bench.seconds("nothing_async", Model.ASYNCIO, 1, [0], 1)
        loop = bench.each("nothing_async", Model.ASYNCIO, COROUTINES)
        loop_wake = bench.each("task_async", Model.ASYNCIO, COROUTINES, [NAP, 0, 0, 0])
        coroutines = bench.seconds(
            "task_async", Model.ASYNCIO, COROUTINES, [[SLEEP, 0, 0, 0]], COROUTINES
        )
        call = bench.each("nothing", Model.SEQUENTIAL, 1)
        loop_call = bench.each("nothing_async", Model.SEQUENTIAL, 1, 0, FEW)
        progress("processes")
        measured = {method: bench.start(method) for method in ENGINES_START}
        start = measured[ENGINES_START[0]].pool + 2 * measured[ENGINES_START[0]].process
        many = bench.seconds("nothing", Model.MULTIPROCESSING, 2, [0], MANY)
        hybrid = bench.seconds("nothing", Model.HYBRID, 2 * 16, [0], MANY)
        hybrid_naps = bench.seconds("task", Model.HYBRID, 2 * 16, [[NAP, 0, 0, 0]], SOME)
        carried_each = (hybrid - start - HYBRID_IDLE) / MANY
        napping_each = (hybrid_naps - start - HYBRID_IDLE) / SOME
        progress("pickling and reading")
        carried = bench.seconds("echo", Model.MULTIPROCESSING, 2, ["x" * PAYLOAD], CARRIED)
        return DEFAULT_COSTS._replace(
            call=call,
            thread_start=_least(1e-6, (threads - SLEEP) / THREADS),
            thread_hand_over=thread,
            thread_wake=_least(1e-7, thread_wake - thread),
            loop_start=loop_start,
            loop_hand_over=loop,
            loop_wake=_least(1e-7, loop_wake - loop),
            coroutine_start=_least(1e-7, (coroutines - SLEEP) / COROUTINES - loop_wake),
            loop_call=_least(1e-7, loop_call - call),
            starts={**DEFAULT_COSTS.starts, **measured},
            process_hand_over=_least(1e-8, (many - start) / MANY),
            hybrid_hand_over=_least(1e-8, carried_each - thread / 2),
            hybrid_wake=_least(1e-7, 2 * (napping_each - carried_each)),
            pickle_rate=2 * PAYLOAD * CARRIED / _least(1e-3, carried - start),
            read_rate=PAYLOAD * CARRIED / _least(1e-3, bench.reading()),
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

    def each(
        self, load: str, model: Model, workers: int, value: Any = 0, tasks: int = MANY
    ) -> float:
        """Return the seconds per task of many."""
        return self.seconds(load, model, workers, [value], tasks) / tasks

    def reading(self) -> float:
        """Return the seconds that reading large items from a file takes."""
        file = self._lab.folder / "items.jsonl"
        line = json.dumps("x" * PAYLOAD) + "\n"
        file.write_text(line * CARRIED, encoding="utf-8")
        target = Target("scaffold.measuring.loads", "nothing", (), None)
        return self._lab.run(target, Model.SEQUENTIAL, 1, {"file": str(file)}, LIMIT).seconds

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
        target = Target("scaffold.measuring.loads", load, (), None)
        items = {"values": list(values), "repeat": repeat}
        return self._lab.run(
            target, model, workers, items, LIMIT, start_method=start_method
        ).seconds
