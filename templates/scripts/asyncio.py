import asyncio
from collections.abc import Iterable
from typing import Any

from .blank_async import work
from .common import Report, stop

MAX_IN_FLIGHT = 100  # coroutines: while one awaits, the others run, all in one thread
END = object()


async def run(items: Iterable[Any], gap: float, report: Report) -> None:
    """Feed the workers, one item at a time: the file is read as they need it."""
    queue: asyncio.Queue[Any] = asyncio.Queue(maxsize=1)
    async with asyncio.TaskGroup() as group:
        for _ in range(MAX_IN_FLIGHT):
            group.create_task(serve(queue, report))
        for item in items:
            if stop.is_set():
                break
            await queue.put(item)
            await asyncio.sleep(gap)
        for _ in range(MAX_IN_FLIGHT):
            await queue.put(END)


async def serve(queue: asyncio.Queue[Any], report: Report) -> None:
    """One task after the other; MAX_IN_FLIGHT of these run at once."""
    while (item := await queue.get()) is not END:
        value, error = None, None
        try:
            value = await work(item)
        except Exception as exc:  # it costs this item only
            error = exc
        report(item, value, error)
