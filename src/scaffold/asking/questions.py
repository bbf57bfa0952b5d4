"""The questions about the work: their words, how an answer is read, and when they are asked."""

from collections.abc import Callable
from typing import Any, NamedTuple

from scaffold.core.domain import Bound
from scaffold.core.errors import UsageError
from scaffold.core.units import (
    parse_bytes,
    parse_positive,
    parse_seconds,
    show_bytes,
    show_count,
    show_seconds,
    write_bytes,
    write_count,
    write_seconds,
)

Answers = dict[str, Any]


class Choice(NamedTuple):
    """One numbered line under a question: its value, a word for it, and the consequence."""

    value: str
    word: str
    consequence: str


class Question(NamedTuple):
    """One question. `name` is the option without dashes; `field` the workload's field it sets.

    `label` names the answer where the question itself would be too long.
    """

    name: str
    field: str
    label: str
    text: str
    default: Any
    read: Callable[[str], Any]
    write: Callable[[Any], str]
    asked_if: Callable[[Answers], bool] = lambda _: True
    choices: tuple[Choice, ...] = ()

    display: Callable[[Any], str] | None = None

    @property
    def is_asked(self) -> bool:
        """Tell whether anybody is ever asked: the rest is an option for those who know it."""
        return self.asked_if is not _never

    def show(self, value: Any) -> str:
        """Return an answer for people: the word of the choice, or the figure, rounded."""
        words = {choice.value: choice.word for choice in self.choices}
        if value in words:
            return words[value]
        return self.display(value) if self.display and value is not None else self.write(value)


# Asks one question of a person and returns the answer, read and valid.
Ask = Callable[[Question], Any]


def read_bool(text: str) -> bool:
    """Read yes or no in the usual spellings. Raise ValueError otherwise."""
    word = text.strip().lower()
    if word in ("y", "yes", "true", "on", "1"):
        return True
    if word in ("n", "no", "false", "off", "0"):
        return False
    raise ValueError(f"{text!r} is not yes or no")


def read_bound(text: str) -> str:
    """Read what a task mostly does: its name, its word or its number there. Raise ValueError."""
    words = {choice.word: choice.value for choice in BOUNDS}
    return read_numbered(words.get(text.strip().lower(), text), list(words.values()))


def read_numbered(text: str, values: list[str]) -> str:
    """Read one of `values`, or its number from 1. Raise ValueError, naming the nearest."""
    number = text.strip()
    if number.isascii() and number.isdigit() and 1 <= int(number) <= len(values):
        return values[int(number) - 1]
    return read_choice(text, values)


def read_choice(text: str, values: list[str]) -> str:
    """Read one of `values`; raise ValueError, naming the nearest, for anything else."""
    word, known = text.strip().lower(), {value.lower(): value for value in values}
    if word in known:
        return known[word]
    from difflib import get_close_matches  # only for a slip of the finger

    near = get_close_matches(word, known, n=1)
    hint = f"; did you mean {known[near[0]]}?" if near else ""
    raise ValueError(f"{text!r} is not one of {', '.join(values)}{hint}")


def read_limit(text: str) -> int | None:
    """Read how many may be in flight at once, or `none`. Raise ValueError otherwise."""
    return None if text.strip().lower() in ("none", "no", "-") else parse_positive(text)


BOUNDS = (
    Choice("io", "waits", "for the network, a disk, a database, another program"),
    Choice("cpu", "computes", "numbers, parsing, images"),
    Choice("mixed", "both", "waits, then computes"),
    Choice("measure", "not sure", "measure my function"),
)
MEASURE = "measure"


class Unsure(UsageError):
    """The user does not know what a task does: the function has to be measured."""

    def __init__(self) -> None:
        super().__init__(
            "to measure it, the function has to be named",
            hint="--from FILE.py:FUNC --items FILE",
        )


def read_deadline(text: str) -> float | None:
    """Read how long all of it may take, or `none`. Raise ValueError otherwise."""
    if text.strip().lower() == "none":
        return None
    seconds = parse_seconds(text)
    if seconds <= 0:
        raise ValueError(f"{text!r} is too short: nothing is done in no time")
    return seconds


def _never(answers: Answers) -> bool:
    return False


def _waits(answers: Answers) -> bool:
    return bool(answers["workload"] != Bound.CPU)


def _computes(answers: Answers) -> bool:
    return bool(answers["workload"] != Bound.IO)


def _only_computes(answers: Answers) -> bool:
    return bool(answers["workload"] == Bound.CPU)


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"


QUESTIONS: tuple[Question, ...] = (
    Question(
        "workload",
        "bound",
        "What a task mostly does",
        "What does one task mostly do?",
        "io",
        read_bound,
        str,
        choices=BOUNDS,
    ),
    Question(
        "tasks",
        "tasks",
        "Tasks",
        "How many tasks? (such as 500, 20k, 1e6)",
        1000,
        parse_positive,
        write_count,
        display=show_count,
    ),
    Question(
        "task-time",
        "task_seconds",
        "Time of one task alone",
        "How long does one take, alone? (such as 50ms, 2s)",
        0.2,
        parse_seconds,
        write_seconds,
        display=show_seconds,
    ),
    Question(
        "async-client",
        "async_client",
        "The client is async",
        "Has your client an async API (aiohttp, asyncpg, ...)? Without one, asyncio is out",
        True,
        read_bool,
        _yes_no,
        _waits,
    ),
    Question(
        "releases-gil",
        "gil_fraction",
        "The computing releases the GIL",
        "Does the computing release the GIL (NumPy on large arrays, hashlib, zlib, Pillow)?"
        " Then threads compute in parallel",
        False,
        read_bool,
        _yes_no,
        _computes,
    ),
    Question(
        "max-in-flight",
        "max_in_flight",
        "Most in flight at once",
        "How many may be in flight at once? (the server's limit, or none)",
        None,
        read_limit,
        lambda value: "none" if value is None else write_count(value),
        _waits,
    ),
    Question(
        "payload",
        "payload_bytes",
        "Data in and out per task",
        "How much data goes in and comes out per task? (such as 1KB, 5MB) Processes copy it",
        1000,
        parse_bytes,
        write_bytes,
        _only_computes,
        display=show_bytes,
    ),
    Question(
        "deadline",
        "deadline_seconds",
        "Deadline",
        "How long may all of it take? (such as 10min, 1h, or none)",
        None,
        read_deadline,
        lambda value: "none" if value is None else write_seconds(value),
        _never,
        display=show_seconds,
    ),
)

BY_NAME = {question.name: question for question in QUESTIONS}
# An answers file may use the option's name, with either dash, or the workload's own field.
SPELLINGS = {
    spelling: question.name
    for question in QUESTIONS
    for spelling in (question.name, question.name.replace("-", "_"), question.field)
}
