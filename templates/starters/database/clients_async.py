"""Connections of one event loop, shared by the tasks in flight in it."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from .database import POSTGRES, Parameters, Row, address
from .sqlite import Sqlite


class Database(Protocol):
    """What work() needs. Rows come as they fit in JSON, at most MAX_ROWS."""

    async def read(self, query: str, parameters: Parameters) -> list[Row]:
        """Run a SELECT and return its rows."""

    async def write(self, query: str, parameters: Parameters) -> list[Row]:
        """Run a statement as one transaction; return its rows, none where it has none."""


def connect(size: int) -> AbstractAsyncContextManager[Database]:
    """Open what `size` tasks need of the database that DATABASE_URL names."""
    url = address()
    if url.startswith(POSTGRES):
        from .postgres import server  # importing psycopg takes half a second: not for SQLite

        return server(url, size)
    return _embedded(url)


@asynccontextmanager
async def _embedded(url: str) -> AsyncIterator[Database]:
    loop = asyncio.get_running_loop()
    thread = ThreadPoolExecutor(max_workers=1)
    try:
        database = await loop.run_in_executor(thread, Sqlite, url)
        try:
            yield Embedded(database, thread)
        finally:
            await loop.run_in_executor(thread, database.close)
    finally:
        thread.shutdown(wait=False)


class Embedded:
    """SQLite in a thread of its own, one statement after the other: its calls block.

    They wait for no server, so that there is little to gain from several at once.
    """

    def __init__(self, database: Sqlite, thread: ThreadPoolExecutor) -> None:
        self._database, self._thread = database, thread

    async def write(self, query: str, parameters: Parameters) -> list[Row]:
        """Run one statement as one transaction and return its rows."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._database.write, query, parameters)

    read = write
