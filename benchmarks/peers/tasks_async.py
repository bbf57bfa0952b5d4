"""The tasks of the asyncio engines; apart, so that others need not import asyncio."""

from __future__ import annotations

import asyncio

from .tasks import LOOPS, compute


async def noop(item: object) -> object:
    """Return at once."""
    return item


async def sleep(item: object) -> object:
    """Wait for 100 ms."""
    await asyncio.sleep(0.100)
    return item


async def wait_and_compute(item: object) -> object:
    """Wait for 10 ms, then compute for 10 ms."""
    await asyncio.sleep(0.010)
    compute(item, 2 * LOOPS)
    return item
