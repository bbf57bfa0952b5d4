"""Connections of one worker, which no other thread or process shares."""

from typing import Protocol

from .database import POSTGRES, Parameters, Row, address
from .sqlite import Sqlite


class Database(Protocol):
    """What work() needs. Rows come as they fit in JSON, at most MAX_ROWS."""

    def read(self, query: str, parameters: Parameters) -> list[Row]:
        """Run a SELECT and return its rows."""

    def write(self, query: str, parameters: Parameters) -> list[Row]:
        """Run a statement as one transaction; return its rows, none where it has none."""

    def close(self) -> None:
        """Close the connection."""


def connect() -> Database:
    """Open a connection to the database that DATABASE_URL names."""
    url = address()
    if url.startswith(POSTGRES):
        from .postgres import Server  # importing psycopg takes half a second: not for SQLite

        return Server(url)
    return Sqlite(url)
