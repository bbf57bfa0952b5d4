"""Connections of one event loop, shared by the tasks in flight in it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from .database import CONNECT_TIMEOUT, POSTGRES, Parameters, Row, address, bounded, conninfo
from .sqlite import Sqlite

# It repeats, for every connection and every attempt, what the errors of the tasks say.
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)

Pool = AsyncConnectionPool[psycopg.AsyncConnection[DictRow]]


class Database(Protocol):
    """What work() needs. Rows come as they fit in JSON, at most MAX_ROWS."""

    async def fetch(self, query: str, parameters: Parameters) -> list[Row]:
        """Run one statement as one transaction; return its rows, none where it has none."""


def connect(size: int) -> AbstractAsyncContextManager[Database]:
    """Open what `size` tasks need of the database that DATABASE_URL names."""
    url = address()
    return _server(url, size) if url.startswith(POSTGRES) else _embedded(url)


@asynccontextmanager
async def _server(url: str, size: int) -> AsyncIterator[Database]:
    """A pool with one connection for each task: none waits for another to give one back."""
    where = conninfo(url)
    async with await psycopg.AsyncConnection.connect(where):
        pass  # says what is wrong, where the pool would only say that nothing came
    async with Pool(
        where,
        connection_class=psycopg.AsyncConnection[DictRow],
        kwargs={"autocommit": True, "row_factory": dict_row},
        min_size=size,
        max_size=size,
        timeout=CONNECT_TIMEOUT,  # of a task, for a connection, while the server is away
        open=False,
    ) as pool:
        try:
            await pool.wait(CONNECT_TIMEOUT)
        except PoolTimeout:
            raise ConnectionError(
                f"the server does not give {size:,} connections: lower --max-workers, or raise "
                "its max_connections"
            ) from None
        yield Server(pool)


class Server:
    """A pool of connections to PostgreSQL. It replaces one that is lost; that task has failed.

    Every statement is a transaction by itself. An item of several takes
    `async with connection.transaction():` around them, and two more round trips.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def fetch(self, query: str, parameters: Parameters) -> list[Row]:
        """Run the statement, which is committed when it returns."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query, parameters)
            return bounded(await cursor.fetchall()) if cursor.description else []


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

    async def fetch(self, query: str, parameters: Parameters) -> list[Row]:
        """Run one statement as one transaction and return its rows."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._database.fetch, query, parameters)
