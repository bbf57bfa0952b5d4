"""The connection string of PostgreSQL, with limits, and statements as psycopg takes them."""

import contextlib
import re
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.string import TextLoader

from .database import MAX_ROWS, PLACEHOLDER, STATEMENT_TIMEOUT

# Seconds in which PostgreSQL has to accept a connection, as libpq counts them: whole, 2 at least.
CONNECT_TIMEOUT = 10

# A server that vanishes without a word is noticed after 30 + 3 x 10 s, not after hours.
KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}

# Values of these types come as PostgreSQL writes them: Python's own types have no infinite date, no
# year 10000, and no month that is not 30 days.
AS_TEXT = ("date", "time", "timetz", "timestamp", "timestamptz", "interval", "numeric")


def conninfo(url: str) -> str:
    """Return the connection string for `url`, with the limits.

    Raises ValueError for a URL that is misread, as it is when a password with @, / or : in it was
    not percent-encoded: a part of the password would be taken for a host, and shown in errors.
    """
    parts: Mapping[str, Any] = {}
    with contextlib.suppress(psycopg.ProgrammingError):  # its text may quote the password
        parts = conninfo_to_dict(url)
    places = f"{parts.get('host', '')}{parts.get('dbname', '')}"
    if not parts or "@" in places or not re.fullmatch(r"[\d,]*", str(parts.get("port", ""))):
        raise ValueError("DATABASE_URL cannot be read: percent-encode the password (@ is %40)")
    session = f"-c datestyle=ISO -c statement_timeout={STATEMENT_TIMEOUT * 1000:.0f}"  # in ms
    return make_conninfo(
        url,
        client_encoding="utf8",
        connect_timeout=CONNECT_TIMEOUT,
        options=f"{parts.get('options', '')} {session}".strip(),
        **KEEPALIVE,
    )


def show_as_text(connection: psycopg.Connection | psycopg.AsyncConnection) -> None:
    """Make the values of AS_TEXT come as text."""
    for name in AS_TEXT:
        connection.adapters.register_loader(name, TextLoader)


def limited(query: str) -> str:
    """Return the SELECT so that the database sends at most one row more than may come."""
    return f"SELECT * FROM (\n{query}\n) AS wanted LIMIT {MAX_ROWS + 1}"  # noqa: S608  # from READS


def escaped(query: str) -> str:
    """Return the statement so that psycopg sees placeholders only where this project has them."""
    return re.sub(rf"%(?!{PLACEHOLDER.pattern[1:]})", "%%", query)
