"""What both databases need: limits, the address, and rows that fit in JSON.

`DATABASE_URL` in the environment says which database: `postgresql://user@host/name`, or
`sqlite:///file` (`sqlite:////file` for an absolute path). Without it there is a small sample.
"""

import math
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

# Rows that one item may bring. More are an error, and the database does not even send them:
# a forgotten condition does not fill the memory, and a result that was cut off would look whole.
MAX_ROWS = 1000

# Seconds that a statement may take until the database itself stops it. Keep --timeout longer: a
# thread that the engine gives up cannot be stopped, and waits for its answer all the same.
STATEMENT_TIMEOUT = 30.0

POSTGRES = ("postgresql://", "postgres://")
SQLITE = "sqlite:///"
SAMPLE = "sqlite:///sample.sqlite"  # the first run makes it

# Where a statement takes a value. Any other % is the database's: LIKE '%son' stays as it is.
PLACEHOLDER = re.compile(r"%\((\w+)\)s")

Row = dict[str, Any]  # value by column
Parameters = Mapping[str, Any]  # value by name


def address() -> str:
    """Return the URL of the database; raise ValueError for a kind that is not known."""
    url = os.environ.get("DATABASE_URL", SAMPLE)
    if not url.startswith((SQLITE, *POSTGRES)):  # not shown, for it may hold a password
        raise ValueError("DATABASE_URL has to begin with postgresql:// or sqlite:///")
    return url


def named(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[Row]:
    """Return the rows by column, with values that JSON has.

    Raises ValueError for two columns of one name, as a join may have, for one of them would be
    lost, and for more than MAX_ROWS. Dates, decimals, UUIDs and the like become text, bytes become
    hexadecimal digits.
    """
    if twice := sorted(name for name, count in Counter(columns).items() if count > 1):
        raise ValueError(f"several columns named {', '.join(twice)}: name them apart with AS")
    if len(rows) > MAX_ROWS:
        raise ValueError(f"more than {MAX_ROWS:,} rows: narrow the query, or raise MAX_ROWS")
    return [dict(zip(columns, map(plain, row), strict=True)) for row in rows]


def plain(value: Any) -> Any:
    """Return the value as JSON has it."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    return str(value)
