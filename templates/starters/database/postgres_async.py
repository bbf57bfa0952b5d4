"""PostgreSQL for one event loop: a pool that the tasks in flight share."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from .conninfo import CONNECT_TIMEOUT, conninfo
from .database import Parameters, Row, bounded

# It repeats, for every connection and every attempt, what the errors of the tasks say.
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)

Pool = AsyncConnectionPool[psycopg.AsyncConnection[DictRow]]


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
async def server(url: str, size: int) -> AsyncIterator[Server]:
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
