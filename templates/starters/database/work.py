"""What is done with one item: one query on a database, SQLite or PostgreSQL.

An item names a query and gives its parameters:

    {"query": "history", "parameters": {"sensor": "s1", "since": "2026-01-03"}}

The result is the list of its rows, each an object. Only what is in `READS` and `WRITES` can be
asked for, and a parameter never becomes part of the text: no item can bring SQL of its own.

`DATABASE_URL` in the environment says which database; without it there is a small SQLite sample.
The limits (rows, seconds) are in `database.py`.
"""

from typing import Any

from .clients import Database, connect
from .database import Row

# Files or sockets that one task has open: SQLite's database, its log, and the log's index.
OPEN_FILES = 3

# `%(name)s` takes a parameter; any other % is as the database has it: LIKE '%son'.
READS = {
    "history": """
        SELECT day, celsius FROM measurement
        WHERE sensor = %(sensor)s AND day >= %(since)s ORDER BY day
    """,
    "warmest": """
        SELECT sensor, max(celsius) AS celsius FROM measurement GROUP BY sensor ORDER BY sensor
    """,
}

# A task may run twice, after a crash or as a retry: a second write must not change the result.
# So it sets a value under a key that the item brings; `celsius = celsius + 1` would count twice.
WRITES = {
    "record": """
        INSERT INTO measurement (sensor, day, celsius) VALUES (%(sensor)s, %(day)s, %(celsius)s)
        ON CONFLICT (sensor, day) DO UPDATE SET celsius = excluded.celsius
        RETURNING sensor, day, celsius
    """,
}


def setup() -> Database:
    """Open a connection for one worker: no other thread or process shares it."""
    return connect()


def work(item: dict[str, Any], database: Database) -> list[Row]:
    """Return the rows of the query that the item names.

    Raises ValueError for a query that is in neither of them, and what the database raises.
    """
    name, parameters = item["query"], item.get("parameters", {})
    if not isinstance(parameters, dict):  # in a list, the order would count
        raise TypeError(f"parameters have to be an object, by name, not {parameters!r}")
    if name in READS:
        return database.read(READS[name], parameters)
    if name in WRITES:
        return database.write(WRITES[name], parameters)
    raise ValueError(f"unknown query {name!r}: expected {', '.join([*READS, *WRITES])}")
