"""SQLite: a file, opened by each worker for itself, and the sample to begin with."""

import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from .database import (
    MAX_ROWS,
    PLACEHOLDER,
    SAMPLE,
    SQLITE,
    STATEMENT_TIMEOUT,
    Parameters,
    Row,
    named,
)

STEPS = 10_000  # of SQLite's machine between two looks at the clock: about 0.1 ms
SCHEMA = """
    CREATE TABLE measurement (
        sensor text NOT NULL, day date NOT NULL, celsius numeric NOT NULL, PRIMARY KEY (sensor, day)
    )
"""


class Sqlite:
    """A connection to the file that `url` names, for the thread that opens it.

    Raises FileNotFoundError when there is no such file: SQLite would make an empty file.
    """

    def __init__(self, url: str) -> None:
        path = Path(url.removeprefix(SQLITE))
        if url == SAMPLE and not path.exists():
            _make_sample(path)
        if not path.is_file():
            raise FileNotFoundError(f"no SQLite file {str(path)!r}")
        # IMMEDIATE: a transaction that will write waits for its turn before it has read anything.
        self._connection = sqlite3.connect(
            path, timeout=STATEMENT_TIMEOUT, isolation_level="IMMEDIATE"
        )

    def write(self, query: str, parameters: Parameters) -> list[Row]:
        """Run one statement as one transaction and return its rows.

        Raises TimeoutError when it takes longer than STATEMENT_TIMEOUT, which includes the wait
        for another writer.
        """
        end = time.monotonic() + STATEMENT_TIMEOUT
        self._connection.set_progress_handler(lambda: time.monotonic() > end, STEPS)
        text = PLACEHOLDER.sub(r":\1", query)
        try:
            with self._connection, closing(self._connection.execute(text, parameters)) as cursor:
                columns = [column[0] for column in cursor.description or ()]
                return named(columns, cursor.fetchmany(MAX_ROWS + 1))
        except sqlite3.OperationalError as exc:
            if time.monotonic() < end:
                raise
            raise TimeoutError(f"{exc} after {STATEMENT_TIMEOUT:g} s") from None

    read = write  # SQLite computes a row when it is asked for, and is not asked for too many

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _make_sample(path: Path) -> None:
    """Make a file with a week of three sensors. Of workers that start together, the first wins."""
    week = [(f"s{n}", f"2026-01-{day:02}", n + day / 10) for n in (1, 2, 3) for day in range(1, 8)]
    with TemporaryDirectory(dir=path.parent) as folder:
        new = Path(folder) / path.name
        with closing(sqlite3.connect(new)) as connection, connection:
            connection.execute("PRAGMA journal_mode = WAL")  # readers and a writer do not block
            connection.execute(SCHEMA)
            connection.executemany("INSERT INTO measurement VALUES (?, ?, ?)", week)
        with suppress(FileExistsError):
            os.link(new, path)
