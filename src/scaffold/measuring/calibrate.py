"""Measure this machine's costs, by running the engines on tasks that cost nothing themselves.

The runs are short, and share a process if one does not disturb the next, because starting processes
takes most of the time. All of it takes about two seconds.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from scaffold.asking.target import Target
from scaffold.core.costs import DEFAULT_COSTS, Costs, Start
from scaffold.core.domain import Model
from scaffold.core.makespans import HYBRID_IDLE
from scaffold.measuring.lab import Laboratory, Trial, laboratory

# Tasks per run: enough that starting does not count, few enough for a tenth of a second.
MANY, SOME, FEW = 10_000, 4000, 1000
THREADS, COROUTINES = 128, 1000
# How the engines start processes (start_method() of their children.py), the usual way first.
ENGINES_START = ("fork", "forkserver") if sys.platform == "linux" else ("spawn",)
# A task that sleeps while workers start, in seconds: longer than starting all of them takes.
SLEEP = 0.05
ASLEEP = [SLEEP, 0, 0, 0]
# A wait so short that waking up from it is what counts.
NAP = [1e-4, 0, 0, 0]
# Bytes of the payload that the rates are measured with, and how often it is carried.
PAYLOAD, CARRIED = 1_000_000, 20
LIMIT = 5.0  # seconds for one run

Progress = Callable[[str], None]


def calibrate(progress: Progress = lambda _: None) -> Costs:
    """Return the costs of this machine and interpreter; `progress` is told each step."""
    with laboratory() as lab:
        progress("threads")
        threads = _threads(lab)
        progress("event loop")
        loop = _loop(lab)
        progress("processes")
        starts = {method: _start(lab, method) for method in ENGINES_START}
        processes = _processes(lab, starts[ENGINES_START[0]], threads["thread_hand_over"])
        costs = DEFAULT_COSTS._replace(starts={**DEFAULT_COSTS.starts, **starts})
        return costs._replace(**threads, **loop, **processes)


def _threads(lab: Laboratory) -> dict[str, Any]:
    start, hand_over, nap = _seconds(
        lab,
        _trial("task", Model.THREADING, THREADS, ASLEEP, THREADS),
        _trial("nothing", Model.THREADING, 32, 0, MANY),
        _trial("task", Model.THREADING, 32, NAP, FEW),
    )
    return {
        "thread_start": _least(1e-6, (start - SLEEP) / THREADS),
        "thread_hand_over": hand_over / MANY,
        "thread_wake": _least(1e-7, nap / FEW - hand_over / MANY),
    }


def _loop(lab: Laboratory) -> dict[str, Any]:
    start, hand_over, nap, sleep, call, loop_call = _seconds(
        lab,
        _trial("nothing_async", Model.ASYNCIO, 1, 0, 1),
        _trial("nothing_async", Model.ASYNCIO, COROUTINES, 0, MANY),
        _trial("task_async", Model.ASYNCIO, COROUTINES, NAP, SOME),
        _trial("task_async", Model.ASYNCIO, COROUTINES, ASLEEP, COROUTINES),
        _trial("nothing", Model.SEQUENTIAL, 1, 0, MANY),
        _trial("nothing_async", Model.SEQUENTIAL, 1, 0, FEW),
    )
    wake = _least(1e-7, nap / SOME - hand_over / MANY)
    return {
        "loop_start": start,
        "loop_hand_over": hand_over / MANY,
        "loop_wake": wake,
        "coroutine_start": _least(1e-7, (sleep - SLEEP) / COROUTINES - wake),
        "call": call / MANY,
        "loop_call": _least(1e-7, loop_call / FEW - call / MANY),
    }


def _start(lab: Laboratory, method: str) -> Start:
    """Return what starting a pool with `method` costs: once, and per process.

    If the method has a server that forks workers, only the first pool starts it.
    """
    first, one_process, two_processes = (
        seconds - SLEEP
        for seconds in _seconds(
            lab,
            *(_trial("task", Model.MULTIPROCESSING, n, ASLEEP, n, method) for n in (1, 1, 2)),
        )
    )
    per_process = _least(1e-4, two_processes - one_process)
    return Start(pool=_least(1e-4, first - per_process), process=per_process)


def _processes(lab: Laboratory, start: Start, thread_hand_over: float) -> dict[str, Any]:
    """Return what process models cost per task and byte; `start` is taken from every run."""
    many, carried, hybrid, naps, reading = _seconds(
        lab,
        _trial("nothing", Model.MULTIPROCESSING, 2, 0, MANY, ENGINES_START[0]),
        _trial("echo", Model.MULTIPROCESSING, 2, "x" * PAYLOAD, CARRIED, ENGINES_START[0]),
        _trial("nothing", Model.HYBRID, 2 * 16, 0, MANY, ENGINES_START[0]),
        _trial("task", Model.HYBRID, 2 * 16, NAP, SOME, ENGINES_START[0]),
        _reading(lab),
    )
    started = start.pool + 2 * start.process
    hybrid_each = (hybrid - started - HYBRID_IDLE) / MANY
    nap_each = (naps - started - HYBRID_IDLE) / SOME
    return {
        "process_hand_over": _least(1e-8, (many - started) / MANY),
        "hybrid_hand_over": _least(1e-8, hybrid_each - thread_hand_over / 2),
        "hybrid_wake": _least(1e-7, 2 * (nap_each - hybrid_each)),
        "pickle_rate": 2 * PAYLOAD * CARRIED / _least(1e-3, carried - started),
        "read_rate": PAYLOAD * CARRIED / _least(1e-3, reading),
    }


def _reading(lab: Laboratory) -> Trial:
    """Return a run whose time goes into reading large items from a file."""
    file = lab.folder / "items.jsonl"
    file.write_text((json.dumps("x" * PAYLOAD) + "\n") * CARRIED, encoding="utf-8")
    return _trial("nothing", Model.SEQUENTIAL, 1, 0, 0)._replace(items={"file": str(file)})


def _trial(
    load: str, model: Model, workers: int, value: Any, tasks: int, start_method: str | None = None
) -> Trial:
    """Return a run of `tasks` tasks that all get `value`."""
    target = Target("scaffold.measuring.loads", load, (), None)
    return Trial(target, model, workers, {"values": [value], "repeat": tasks}, start_method)


def _seconds(lab: Laboratory, *trials: Trial) -> list[float]:
    """Return the makespan of each trial, all of them run in one process."""
    return [ran.seconds for ran in lab.run_all(trials, LIMIT)]


def _least(floor: float, value: float) -> float:
    """Keep a difference of two noisy times above zero."""
    return max(floor, value)
