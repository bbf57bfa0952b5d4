"""What people write: read as a choice, or quoted in a message."""

import os
from collections.abc import Sequence

LISTED = 5  # things named in a message: as many as fit on a line or two


def shown(value: object) -> str:
    """Quote `value` for one line of a message: invisible characters escaped, a long middle cut."""
    text = repr(str(value) if isinstance(value, os.PathLike) else value)
    return text if len(text) <= 80 else f"{text[:38]}...{text[-38:]}"


def listed(texts: Sequence[str], between: str = ", ", last: str = " and ") -> str:
    """Join the first LISTED texts for a message, and say how many more there are."""
    more = len(texts) - LISTED
    return between.join(texts[:LISTED]) + (f"{last}{more} more" if more > 0 else "")


def read_bool(text: str) -> bool:
    """Read yes or no in the usual spellings. Raise ValueError otherwise."""
    word = text.strip().lower()
    if word in ("y", "yes", "true", "on", "1"):
        return True
    if word in ("n", "no", "false", "off", "0"):
        return False
    raise ValueError(f"{text!r} is not yes or no")


def read_choice(text: str, values: list[str]) -> str:
    """Read one of `values`; raise ValueError, naming the nearest, for anything else."""
    word, known = text.strip().lower(), {value.lower(): value for value in values}
    if word in known:
        return known[word]
    from difflib import get_close_matches  # needed only for a misspelt word

    near = get_close_matches(word, known, n=1)
    hint = f"; did you mean {known[near[0]]}?" if near else ""
    raise ValueError(f"{text!r} is not one of {', '.join(values)}{hint}")
