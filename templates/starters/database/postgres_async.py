"""PostgreSQL for one event loop: a pool that the tasks in flight share."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from .conninfo import CONNECT_TIMEOUT, conninfo, escaped, limited, show_as_text
from .database import Parameters, Row, named

# The pool repeats, for every connection and every attempt, what the errors of the tasks say.
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)

Pool = AsyncConnectionPool[psycopg.AsyncConnection]


class Server:
    """A pool of connections to PostgreSQL. It replaces a connection that is lost; its task fails.

    Every statement is a transaction by itself. An item with several statements takes
    `async with connection.transaction():` around them, and two more round trips.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def read(self, query: str, parameters: Parameters) -> list[Row]:
        """Run a SELECT and return its rows."""
        return await self.write(limited(query), parameters)

    async def write(self, query: str, parameters: Parameters) -> list[Row]:
        """Run the statement, which is committed when it returns."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(escaped(query), parameters, prepare=True)
            columns = [column.name for column in cursor.description or ()]
            return named(columns, await cursor.fetchall()) if columns else []


async def prepare(connection: psycopg.AsyncConnection) -> None:
    """Make a new connection of the pool ready."""
    show_as_text(connection)


@asynccontextmanager
async def server(url: str, size: int) -> AsyncIterator[Server]:
    """A pool with one connection for each task: none waits for another to give one back."""
    where = conninfo(url)
    async with await psycopg.AsyncConnection.connect(where):
        pass  # says what is wrong, where the pool would only say that nothing came
    async with Pool(
        where,
        kwargs={"autocommit": True},
        configure=prepare,
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
