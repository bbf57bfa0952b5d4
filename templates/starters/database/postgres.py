"""PostgreSQL for one worker."""

import psycopg
from psycopg.rows import DictRow, dict_row

from .conninfo import conninfo
from .database import Parameters, Row, bounded


class Server:
    """One connection to PostgreSQL. When it is lost, that task has failed; the next opens another.

    Every statement is a transaction by itself. An item of several takes
    `with connection.transaction():` around them, and two more round trips.
    """

    def __init__(self, url: str) -> None:
        self._conninfo = conninfo(url)
        self._connection = self._connect()

    def fetch(self, query: str, parameters: Parameters) -> list[Row]:
        """Run the statement, which is committed when it returns."""
        if self._connection.closed:
            self._connection = self._connect()
        with self._connection.execute(query, parameters) as cursor:
            return bounded(cursor.fetchall()) if cursor.description else []

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _connect(self) -> psycopg.Connection[DictRow]:
        return psycopg.connect(self._conninfo, autocommit=True, row_factory=dict_row)
