"""What one writes by hand to fetch URLs: http_clients.py NAME URL N WORKERS."""

from __future__ import annotations

import sys
from collections.abc import Callable


def aiohttp_loop(url: str, n: int, workers: int) -> int:
    """Coroutines that share one iterator and one session, no journal."""
    import asyncio

    import aiohttp

    async def work(session: aiohttp.ClientSession) -> int:
        size = 0
        for address in urls:
            async with session.get(address) as response:
                response.raise_for_status()
                size += len(await response.read())
        return size

    async def main() -> int:
        connector = aiohttp.TCPConnector(limit=workers)
        async with aiohttp.ClientSession(connector=connector) as session:
            return sum(await asyncio.gather(*(work(session) for _ in range(workers))))

    urls = (f"{url}/{number}" for number in range(n))
    return asyncio.run(main())


def urllib3_threads(url: str, n: int, workers: int) -> int:
    """One pool of connections, as many as threads."""
    from concurrent.futures import ThreadPoolExecutor

    import urllib3

    pool = urllib3.PoolManager(maxsize=workers, block=True)

    def work(number: int) -> int:
        response = pool.request("GET", f"{url}/{number}", timeout=30)
        if response.status != 200:
            raise RuntimeError(f"status {response.status}")
        return len(response.data)

    with ThreadPoolExecutor(workers) as threads:
        return sum(threads.map(work, range(n)))


def requests_threads(url: str, n: int, workers: int) -> int:
    """The usual script: requests.get and executor.map."""
    from concurrent.futures import ThreadPoolExecutor

    import requests

    def work(number: int) -> int:
        response = requests.get(f"{url}/{number}", timeout=30)
        response.raise_for_status()
        return len(response.content)

    with ThreadPoolExecutor(workers) as threads:
        return sum(threads.map(work, range(n)))


CLIENTS: dict[str, Callable[[str, int, int], int]] = {
    "aiohttp": aiohttp_loop,
    "urllib3": urllib3_threads,
    "requests": requests_threads,
}

if __name__ == "__main__":
    name, address, *counts = sys.argv[1:]
    n, workers = map(int, counts)
    if (size := CLIENTS[name](address, n, workers)) != 1000 * n:
        raise RuntimeError(f"{size:,} bytes of {1000 * n:,}")
