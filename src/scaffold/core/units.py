"""Numbers as people write them: read `10k`, `50ms`, `10KB`; print `67 min`, `4.6 s`, `40 MB`.

Every reader raises ValueError with a message that names the value and shows what would be right.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

# A comma or an underscore only groups thousands: "1,5" is refused, not read as 15.
_NUMBER = re.compile(
    r"((?:[0-9]{1,3}(?:[,_][0-9]{3})+|[0-9]+)(?:\.[0-9]*)?(?:e[+-]?[0-9]{1,2})?|\.[0-9]+)"
    r"\s*([a-zµμ]*)",
    re.IGNORECASE | re.ASCII,
)

_COUNT_UNITS = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9}
_TIME_UNITS = {
    **dict.fromkeys(("ns",), 1e-9),
    **dict.fromkeys(("us", "µs", "μs"), 1e-6),
    **dict.fromkeys(("ms",), 1e-3),
    **dict.fromkeys(("", "s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
}
_SIZE_UNITS = {
    **dict.fromkeys(("", "b", "byte", "bytes"), 1),
    **dict.fromkeys(("k", "kb"), 1e3),
    **dict.fromkeys(("m", "mb"), 1e6),
    **dict.fromkeys(("g", "gb"), 1e9),
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
}

# Seconds in the units of a rate, and other words for those.
_RATE_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_RATE_WORDS = {
    **dict.fromkeys(("sec", "second"), "s"),
    **dict.fromkeys(("m", "minute"), "min"),
    **dict.fromkeys(("hr", "hour"), "h"),
    "day": "d",
}

# The largest answers that still make sense: past them a typing error is likelier.
MAX_COUNT = 10**12
MAX_SECONDS = 30 * 86400.0
MAX_BYTES = 10**12


def parse_count(text: str) -> int:
    """Read a count of tasks: `500`, `20k`, `1e6`, `1,000`. Raise ValueError otherwise."""
    value = _parse(text, _COUNT_UNITS, "a count, such as 500, 20k or 1e6")
    value = _at_most(value, MAX_COUNT, text, f"{MAX_COUNT:,}")
    if value != int(value):
        raise ValueError(f"{text!r} is not a whole number")
    return int(value)


def parse_positive(text: str) -> int:
    """Read a count of at least 1, such as tasks in flight. Raise ValueError otherwise."""
    value = parse_count(text)
    if value < 1:
        raise ValueError(f"{text!r} is too small: 1 is the least")
    return value


def parse_seconds(text: str) -> float:
    """Read a duration: `50ms`, `2s`, `1.5 min`, or a bare number of seconds. Raise ValueError."""
    value = _parse(text, _TIME_UNITS, "a duration, such as 50ms, 2s or 3min")
    return _at_most(value, MAX_SECONDS, text, "30 days")


def parse_bytes(text: str) -> int:
    """Read a size: `10KB` (10,000 bytes), `64KiB`, or a bare number of bytes. Raise ValueError."""
    value = _parse(text, _SIZE_UNITS, "a size, such as 200B, 10KB or 1MB")
    return int(_at_most(value, MAX_BYTES, text, "1 TB"))


def parse_rate(text: str) -> float:
    """Read a rate, in tasks a second: `10/s`, `600/min`, `5000/h`, `1k/d`. Raise ValueError."""
    count, slash, unit = text.partition("/")
    size = _RATE_UNITS.get(_RATE_WORDS.get(unit.strip().lower(), unit.strip().lower()))
    try:
        value = _parse(count, _COUNT_UNITS, "") if slash and size else 0.0
    except ValueError:
        value = 0.0
    if size is None or not 0 < value <= MAX_COUNT:
        raise ValueError(f"{text!r} is not a rate, such as 10/s, 600/min or 5000/h")
    return value / size


def _parse(text: str, units: dict[str, float] | dict[str, int], wanted: str) -> float:
    match = _NUMBER.fullmatch(text.strip())
    unit = match and units.get(match[2].lower())
    if match is None or unit is None:
        raise ValueError(f"{text!r} is not {wanted}")
    return float(match[1].replace(",", "").replace("_", "")) * unit


def _at_most(value: float, limit: float, text: str, shown: str) -> float:
    if not value <= limit:
        raise ValueError(f"{text!r} is too large: {shown} is the most")
    return value


def show_count(value: int) -> str:
    """Print a count with separators: `20,000`."""
    return f"{value:,}"


def show_seconds(seconds: float) -> str:
    """Print a duration in two significant figures: `350 us`, `50 ms`, `4.6 s`, `67 min`, `5 h`."""
    if seconds <= 0:
        return "0 s"
    for limit, size, unit in (
        (1e-3, 1e-6, "us"),
        (1.0, 1e-3, "ms"),
        (100.0, 1.0, "s"),
        (100 * 60.0, 60.0, "min"),
        (48 * 3600.0, 3600.0, "h"),
    ):
        # A value that would round up to the limit is shown in the next unit: 1 s, not 1000 ms.
        if float(f"{seconds:.2g}") < limit:
            return f"{_two_figures(seconds / size)} {unit}"
    return f"{_two_figures(seconds / 86400.0)} days"


def show_bytes(size: float) -> str:
    """Print a size in two significant figures of decimal units: `40 MB`."""
    for limit, unit_size, unit in ((1e3, 1, "B"), (1e6, 1e3, "KB"), (1e9, 1e6, "MB")):
        if float(f"{size:.2g}") < limit:
            return f"{_two_figures(size / unit_size)} {unit}"
    return f"{_two_figures(size / 1e9)} GB"


def show_ratio(ratio: float) -> str:
    """Print a speedup: `870x`, `1.9x`."""
    return f"{_two_figures(ratio)}x"


def show_rate(per_second: float) -> str:
    """Print a rate in the unit in which it is a round number: `10/s`, `600/min`, `5,000/h`."""
    return _in_rate_unit(per_second, lambda value: show_count(round(value)), _two_figures)


def write_rate(per_second: float) -> str:
    """Print a rate as `parse_rate` reads it: `10/s`, `90/min`, `5000/h`."""
    return _in_rate_unit(per_second, lambda value: str(round(value)), lambda value: f"{value:.12g}")


def _in_rate_unit(
    per_second: float, show_whole: Callable[[float], str], show_fraction: Callable[[float], str]
) -> str:
    for unit, size in _RATE_UNITS.items():
        value = per_second * size
        if value >= 1 and abs(value - round(value)) < 1e-9 * value:
            return f"{show_whole(value)}/{unit}"
    unit, size = next(
        (row for row in _RATE_UNITS.items() if per_second * row[1] >= 1), ("d", 86400)
    )
    return f"{show_fraction(per_second * size)}/{unit}"


def write_count(value: int) -> str:
    """Print a count as `parse_count` reads it, short: `20k`, `1500`."""
    if value >= 10_000 and value % 1000 == 0:
        return f"{value // 1000}k" if value % 1_000_000 else f"{value // 1_000_000}M"
    return str(value)


def write_seconds(seconds: float) -> str:
    """Print a duration exactly as `parse_seconds` reads it: `200ms`, `2s`, `1h`."""
    for size, unit in ((3600.0, "h"), (60.0, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.12g}{unit}"
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        scaled = seconds / size
        if scaled >= 1:
            return f"{scaled:.12g}{unit}"
    return f"{seconds:.12g}s"


def write_bytes(size: int) -> str:
    """Print a size exactly as `parse_bytes` reads it: `10KB`, `1500B`."""
    for unit_size, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "KB")):
        if size >= unit_size and size % unit_size == 0:
            return f"{size // unit_size}{unit}"
    return f"{size}B"


def _two_figures(value: float) -> str:
    """Two significant figures, without an exponent and without a trailing `.0`."""
    if value <= 0:
        return "0"
    digits = max(0, 1 - math.floor(math.log10(value)))
    rounded = round(value, 1 - math.floor(math.log10(value)))
    text = f"{rounded:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
