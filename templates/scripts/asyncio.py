import asyncio
from typing import Any

from .blank_async import work
from .common import Results

MAX_IN_FLIGHT = 100  # coroutines: while one awaits, the others run, all in one thread
END = object()


async def run(results: Results, gap: float) -> None:
    """Feed MAX_IN_FLIGHT workers, one item at a time: the file is read as they need it."""
    queue: asyncio.Queue[Any] = asyncio.Queue(maxsize=1)

    async def serve() -> None:
        while (item := await queue.get()) is not END:
            try:
                results.report(item, await work(item), None)
            except Exception as exc:  # it costs this item only
                results.report(item, None, exc)

    async with asyncio.TaskGroup() as group:
        workers = [group.create_task(serve()) for _ in range(MAX_IN_FLIGHT)]
        for item in results.pending():
            await queue.put(item)
            await asyncio.sleep(gap)
        for _ in workers:
            await queue.put(END)
