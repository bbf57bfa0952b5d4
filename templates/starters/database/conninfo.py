"""The address of PostgreSQL, with the limits of a connection."""

import contextlib
import re
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from .database import STATEMENT_TIMEOUT

# Seconds in which PostgreSQL has to accept a connection, as libpq counts them: whole, 2 at least.
CONNECT_TIMEOUT = 10

# A server that vanishes without a word is noticed after 30 + 3 x 10 s, not after hours.
KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


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
    timeout = f"-c statement_timeout={STATEMENT_TIMEOUT * 1000:.0f}"  # the server's unit: ms
    return make_conninfo(
        url,
        connect_timeout=CONNECT_TIMEOUT,
        options=f"{parts.get('options', '')} {timeout}".strip(),
        **KEEPALIVE,
    )
