"""Tasks that note when they wait and when they compute: what `concgen demo` runs.

Times are those of `perf_counter`, which all the processes of a machine share.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

# A round adds up the cubes of these numbers: some 50 us of pure Python.
NUMBERS = range(1000)
# Seconds between two notes: several turns of the GIL (5 ms each), and of the coarse clock by which
# Windows tells the time of a thread.
NOTED = 0.2 if sys.platform == "win32" else 0.02
# Rounds that are timed, and how often: the quickest time is the least disturbed.
TIMED, TIMES = 400, 5
# The clock for that: of this thread, which leaves out other programs, where it is fine enough.
CLOCK = time.perf_counter if sys.platform == "win32" else time.thread_time


def power(item: Sequence[int]) -> int:
    """Do what the article's example does: the square or the cube of a number."""
    number, exponent = item
    return int(number**exponent)


async def power_async(item: Sequence[int]) -> int:
    """Do the same, as a coroutine."""
    return power(item)


def task(item: Sequence[Any]) -> list[Any]:
    """Wait and compute as the item says (seconds, rounds); return who did what, and when."""
    wait, rounds = item
    began = time.perf_counter()
    if wait:  # sleep(0) would give the GIL away
        time.sleep(wait)
    return _note(began, rounds)


async def task_async(item: Sequence[Any]) -> list[Any]:
    """Do the same, but wait on the event loop."""
    wait, rounds = item
    began = time.perf_counter()
    if wait:
        await asyncio.sleep(wait)
    return _note(began, rounds)


def rounds_in(seconds: float) -> int:
    """Return how many rounds a thread with a core computes in `seconds` on this machine."""
    return max(1, round(TIMED * seconds / min(_timed() for _ in range(TIMES))))


def _timed() -> float:
    began = CLOCK()
    _compute(TIMED)
    return CLOCK() - began


def _note(began: float, rounds: int) -> list[Any]:
    computed = _compute(rounds)
    return [os.getpid(), threading.get_ident(), began, time.perf_counter(), computed]


def _compute(rounds: int) -> list[tuple[float, float, float]]:
    """Compute; return for each stretch its start, its end, and its seconds on a core."""
    notes = []
    since, used = time.perf_counter(), time.thread_time()
    for remaining in range(rounds - 1, -1, -1):
        sum(number * number * number for number in NUMBERS)
        now = time.perf_counter()
        if now - since >= NOTED or not remaining:
            on_core = time.thread_time()
            notes.append((since, now, on_core - used))
            since, used = now, on_core
    return notes
