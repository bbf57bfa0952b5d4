"""Tasks whose cost is known: what calibration and the benchmarks run.

An item is (wait seconds, GIL-holding CPU seconds, GIL-free CPU seconds, result bytes), and after
them, where it matters, some padding and the bytes that one GIL-free call digests. The CPU parts
burn time of their own thread, so that they cost the same however busy the machine is.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from typing import Any

# What hashlib digests without the GIL, GRAIN bytes a call unless the item says otherwise: 0.1 ms.
BLOCK = memoryview(bytes(1 << 21))
GRAIN = 1 << 17


def nothing(item: Any) -> None:
    """Cost only what the engine does."""


async def nothing_async(item: Any) -> None:
    """Cost only what the engine does, as a coroutine."""


def echo(item: Any) -> Any:
    """Return the item: what it costs is carrying it, twice."""
    return item


def task(item: Sequence[Any]) -> bytes:
    """Wait and compute as the item says, and return as many bytes."""
    if item[0]:  # sleep(0) would give the GIL away
        time.sleep(item[0])
    return _compute(item)


async def task_async(item: Sequence[Any]) -> bytes:
    """Do the same, but wait on the event loop."""
    if item[0]:
        await asyncio.sleep(item[0])
    return _compute(item)


def _compute(item: Sequence[Any]) -> bytes:
    _, holding, free, result_bytes, *options = item
    burn_holding(holding)
    burn_free(free, options[1] if options else GRAIN)
    return bytes(result_bytes)


def burn_holding(seconds: float) -> None:
    """Compute in Python code, which holds the GIL, for `seconds` of this thread's time."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        for _ in range(50):
            pass


def burn_free(seconds: float, grain: int = GRAIN) -> None:
    """Compute in native code that releases the GIL, for `seconds` of this thread's time."""
    block = BLOCK[:grain]
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        hashlib.sha256(block).digest()
