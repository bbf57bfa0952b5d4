"""The kinds of answers that questions have: how each is read, written, shown and checked."""

from collections.abc import Callable
from typing import Any, NamedTuple

from scaffold.core.domain import Bound
from scaffold.core.texts import read_bool, read_choice
from scaffold.core.units import (
    MAX_BYTES,
    MAX_COUNT,
    parse_bytes,
    parse_positive,
    parse_rate,
    parse_seconds,
    show_bytes,
    show_count,
    show_rate,
    show_seconds,
    write_bytes,
    write_count,
    write_rate,
    write_seconds,
)

# The answers that say that there is no limit, and that the user does not know.
NONE = ("none", "no", "-")
UNKNOWN = "unknown"
UNSURE = (UNKNOWN, "don't know", "dont know", "i don't know", "no idea", "not sure", "unsure")
# The longest task, in seconds, that the template accepts: more than 30,000 years.
LONGEST = 1e12


class Choice(NamedTuple):
    """One numbered line under a question: its value, a word for it, and the consequence."""

    value: str
    word: str
    consequence: str


class Kind(NamedTuple):
    """What kind of answer a question has: how it is read, written, shown to people and checked.

    `write` gives a text that `read` reads back exactly, `show` a text for people. `recorded` tells
    whether a value of the workload's field, taken from a project's record, can be an answer; `unit`
    is the unit of a bare number.
    """

    metavar: str
    read: Callable[[str], Any]
    write: Callable[[Any], str]
    show: Callable[[Any], str]
    recorded: Callable[[Any], bool]
    unit: str = ""


BOUNDS = (
    Choice("io", "waits", "for the network, a disk, a database, another program"),
    Choice("cpu", "computes", "numbers, parsing, images"),
    Choice("mixed", "both", "waits, then computes"),
    Choice("measure", "not sure", "measure my function"),
)
MEASURE = "measure"


def read_bound(text: str) -> str:
    """Read what a task mostly does, by its value, its word or its number. Raise ValueError."""
    words = {choice.word: choice.value for choice in BOUNDS}
    if is_unsure(text):
        return MEASURE
    return read_numbered(words.get(text.strip().lower(), text), list(words.values()))


def is_unsure(text: str) -> bool:
    """Tell whether an answer says that the user does not know."""
    return text.strip().lower().replace("\u2019", "'") in UNSURE


def read_numbered(text: str, values: list[str]) -> str:
    """Read one of `values`, or its number from 1. Raise ValueError, naming the nearest."""
    number = text.strip()
    if number.isascii() and number.isdigit() and 1 <= int(number) <= len(values):
        return values[int(number) - 1]
    return read_choice(text, values)


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"


def number(least: float, most: float, kind: Any = int | float) -> Callable[[Any], bool]:
    """Return a test for a number of that kind from `least` to `most`."""
    return lambda value: (
        isinstance(value, kind) and not isinstance(value, bool) and least <= value <= most
    )


def or_none(kind: Kind) -> Kind:
    """Return the kind whose answer may also be `none`."""
    return Kind(
        kind.metavar,
        lambda text: None if text.strip().lower() in NONE else kind.read(text),
        lambda value: "none" if value is None else kind.write(value),
        lambda value: "none" if value is None else kind.show(value),
        lambda value: value is None or kind.recorded(value),
        kind.unit,
    )


def or_unknown(kind: Kind, unknown: Any) -> Kind:
    """Return the kind whose answer may also be `unknown`, and is then the value `unknown`."""
    return Kind(
        kind.metavar,
        lambda text: unknown if is_unsure(text) else kind.read(text),
        lambda value: UNKNOWN if value == unknown else kind.write(value),
        lambda value: UNKNOWN if value == unknown else kind.show(value),
        kind.recorded,
    )


def _above_zero(text: str) -> float:
    seconds = parse_seconds(text)
    if seconds <= 0:
        raise ValueError(f"{text!r} is too short: it has to be above 0")
    return seconds


BOUND = Kind("io|cpu|mixed", read_bound, str, str, lambda value: value in [*Bound])
COUNT = Kind("N", parse_positive, write_count, show_count, number(1, MAX_COUNT, int))
SECONDS = Kind("TIME", parse_seconds, write_seconds, show_seconds, number(0, LONGEST))
DEADLINE = SECONDS._replace(read=_above_zero, recorded=number(1e-6, LONGEST))
SIZE = Kind("SIZE", parse_bytes, write_bytes, show_bytes, number(0, MAX_BYTES, int))
RATE = Kind("N/s|min|h", parse_rate, write_rate, show_rate, number(1e-9, MAX_COUNT), "/s")
YES_NO = Kind("", read_bool, _yes_no, _yes_no, lambda value: isinstance(value, bool))
SHARE = YES_NO._replace(recorded=number(0, 1))
