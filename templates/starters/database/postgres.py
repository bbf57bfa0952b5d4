"""PostgreSQL for one worker."""

import psycopg

from .conninfo import conninfo, escaped, limited, show_as_text
from .database import Parameters, Row, named


class Server:
    """One connection to PostgreSQL. If it is lost, its task fails, and the next task opens another.

    Every statement is a transaction by itself. An item with several statements takes
    `with connection.transaction():` around them, and two more round trips.
    """

    def __init__(self, url: str) -> None:
        self._conninfo = conninfo(url)
        self._connection = self._connect()

    def read(self, query: str, parameters: Parameters) -> list[Row]:
        """Run a SELECT and return its rows."""
        return self.write(limited(query), parameters)

    def write(self, query: str, parameters: Parameters) -> list[Row]:
        """Run the statement, which is committed when it returns."""
        if self._connection.closed:
            self._connection = self._connect()
        with self._connection.execute(escaped(query), parameters, prepare=True) as cursor:
            columns = [column.name for column in cursor.description or ()]
            return named(columns, cursor.fetchall()) if columns else []

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _connect(self) -> psycopg.Connection:
        connection = psycopg.connect(self._conninfo, autocommit=True)
        show_as_text(connection)
        return connection
