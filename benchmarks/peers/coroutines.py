"""Ways to await many coroutines. Each returns the number of results."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

Work = Callable[[Any], Awaitable[Any]]


def semaphore(work: Work, items: Iterable[Any], n: int, workers: int) -> Iterator[Any]:
    """A semaphore and a TaskGroup, a task per item."""

    async def main() -> list[Any]:
        gate, results = asyncio.Semaphore(workers), []

        async def call(item: Any) -> None:
            async with gate:
                results.append(await work(item))

        async with asyncio.TaskGroup() as group:
            for item in items:
                group.create_task(call(item))
        return results

    yield from asyncio.run(main())


def gather(work: Work, items: Iterable[Any], n: int, workers: int) -> Iterator[Any]:
    """asyncio.gather over everything, unbounded."""

    async def main() -> list[Any]:
        return await asyncio.gather(*[work(item) for item in items])

    yield from asyncio.run(main())


def bare(work: Work, items: Iterable[Any], n: int, workers: int) -> Iterator[Any]:
    """N coroutines on one iterator: no timeouts, no errors, no bound."""

    async def main() -> list[Any]:
        source, results = iter(items), []

        async def serve() -> None:
            results.extend([await work(item) for item in source])

        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(serve())
        return results

    yield from asyncio.run(main())


def anyio(work: Work, items: Iterable[Any], n: int, workers: int) -> Iterator[Any]:
    """Anyio: a limiter and a task group."""
    import anyio

    async def main() -> list[Any]:
        gate, results = anyio.CapacityLimiter(workers), []

        async def call(item: Any) -> None:
            async with gate:
                results.append(await work(item))

        async with anyio.create_task_group() as group:
            for item in items:
                group.start_soon(call, item)
        return results

    yield from asyncio.run(main())


def aiometer(work: Work, items: Iterable[Any], n: int, workers: int) -> Iterator[Any]:
    """aiometer.amap."""
    import aiometer

    async def main() -> list[Any]:
        async with aiometer.amap(work, list(items), max_at_once=workers) as results:
            return [result async for result in results]

    yield from asyncio.run(main())
