"""Tasks whose cost is known: what calibration and the benchmarks run.

An item is (wait seconds, GIL-holding CPU seconds, GIL-free CPU seconds, result bytes, padding). The
CPU parts burn time of their own thread, so that they cost the same however busy the machine is.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from typing import Any

# A block that hashlib digests without the GIL in about 0.1 ms: the grain of the GIL-free part.
BLOCK = bytes(1 << 17)


def nothing(item: Any) -> None:
    """Cost only what the engine does."""


async def nothing_async(item: Any) -> None:
    """Cost only what the engine does, as a coroutine."""


def echo(item: Any) -> Any:
    """Return the item: what it costs is carrying it, twice."""
    return item


def task(item: Sequence[Any]) -> bytes:
    """Wait and compute as the item says, and return as many bytes."""
    time.sleep(item[0])
    return _compute(item)


async def task_async(item: Sequence[Any]) -> bytes:
    """Do the same, but wait on the event loop."""
    await asyncio.sleep(item[0])
    return _compute(item)


def _compute(item: Sequence[Any]) -> bytes:
    _, holding, free, result_bytes, *_ = item
    burn_holding(holding)
    burn_free(free)
    return bytes(result_bytes)


def burn_holding(seconds: float) -> None:
    """Compute in Python code, which holds the GIL, for `seconds` of this thread's time."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        for _ in range(50):
            pass


def burn_free(seconds: float) -> None:
    """Compute in native code that releases the GIL, for `seconds` of this thread's time."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        hashlib.sha256(BLOCK).digest()
