"""The tasks that all competitors run; importable by their worker processes."""

from __future__ import annotations

import os
import time

LOOPS = int(os.environ.get("LOOPS", "60000"))  # rounds of the loop in compute(): 5 ms, calibrated


def noop(item: object) -> object:
    """Return at once."""
    return item


def compute(item: object, loops: int = LOOPS) -> int:
    """Pure Python that takes 5 ms."""
    total = 0
    for number in range(loops):
        total += number * number
    return total


def mixed_lengths(item: int) -> int:
    """One task in 20 takes 50 ms of CPU time, the others 0.1 ms."""
    end = time.thread_time() + (0.050 if item % 20 == 7 else 0.0001)
    while time.thread_time() < end:
        pass
    return item


def sleep(item: object) -> object:
    """Wait for 10 ms."""
    time.sleep(0.010)
    return item


def compute_twice(item: object) -> object:
    """Compute for 10 ms."""
    return compute(item, 2 * LOOPS)


def wait_and_compute(item: object) -> object:
    """Wait for 10 ms, then compute for 10 ms."""
    time.sleep(0.010)
    compute(item, 2 * LOOPS)
    return item
