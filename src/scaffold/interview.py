"""The questions about the work: as options, from a file, or asked; and the workload they make.

A question knows its words, how to read an answer, its default and when it is worth asking. An
answer given as an option wins over the answers file; what neither gives is asked, or takes its
default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from scaffold.domain import Bound, Source, Workload
from scaffold.errors import UsageError
from scaffold.reasons import RELEASES_GIL
from scaffold.units import (
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


@dataclass(frozen=True)
class Choice:
    """One numbered line under a question: its value, a word for it, and the consequence."""

    value: str
    word: str
    consequence: str


@dataclass(frozen=True)
class Question:
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
    """Read what a task mostly does: its name, or its number in the list. Raise ValueError."""
    values = [choice.value for choice in BOUNDS]
    number = text.strip()
    if number.isascii() and number.isdigit() and 1 <= int(number) <= len(values):
        return values[int(number) - 1]
    return read_choice(text, values)


def read_choice(text: str, values: list[str]) -> str:
    """Read one of `values`; raise ValueError, naming the nearest, for anything else."""
    word = text.strip().lower()
    if word in values:
        return word
    near = get_close_matches(word, values, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
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
)

_BY_NAME = {question.name: question for question in QUESTIONS}
# An answers file may use the option's name, with either dash, or the workload's own field.
_SPELLINGS = {
    spelling: question.name
    for question in QUESTIONS
    for spelling in (question.name, question.name.replace("-", "_"), question.field)
}
CPU_FRACTION = {Bound.IO: 0.0, Bound.CPU: 1.0, Bound.MIXED: 0.5}


@dataclass(frozen=True)
class Replies:
    """The answer to every question, which of them somebody gave, and what was measured."""

    values: Mapping[str, Any]
    given: frozenset[str]
    measured: Workload | None = None

    @property
    def workload(self) -> Workload:
        """The workload that the answers describe; raise UsageError for an impossible one."""
        base = self.measured or Workload()
        names = self.given if self.measured else self.values.keys()
        fields: dict[str, Any] = {}
        for name in names:
            fields |= _fields(name, self.values[name])
        asked = {_BY_NAME[name].field: Source.ASKED for name in sorted(self.given)}
        try:
            return replace(base, **fields, sources={**base.sources, **asked})
        except ValueError as error:
            raise UsageError(str(error)) from error

    def options(self) -> list[str]:
        """Return the options that give the same answers: all that were given or decide."""
        words = []
        for question in QUESTIONS:
            value = self.values[question.name]
            essential = question.name in ("workload", "tasks", "task-time")
            if self.measured is not None and question.name not in self.given:
                continue
            if not essential and value == question.default:
                continue
            words += _option(question, value)
        return words


def _fields(name: str, value: Any) -> dict[str, Any]:
    """Return the fields of the workload that one answer sets."""
    if name == "workload":
        return {"bound": Bound(value), "cpu_fraction": CPU_FRACTION[Bound(value)]}
    if name == "releases-gil":
        return {"gil_fraction": 0.0 if value else 1.0}
    return {_BY_NAME[name].field: value}


def _value(question: Question, measured: Workload) -> Any:
    """Return the answer that a measured workload gives to a question."""
    if question.name == "releases-gil":
        return measured.gil_fraction <= RELEASES_GIL
    value = getattr(measured, question.field)
    return str(value) if question.name == "workload" else value


def _option(question: Question, value: Any) -> list[str]:
    if question.name == "async-client":
        return ["--async-client" if value else "--no-async-client"]
    if question.name == "releases-gil":
        return ["--releases-gil" if value else "--holds-gil"]
    return [f"--{question.name}", question.write(value)]


def collect(
    given: Mapping[str, str | bool | None], ask: Ask | None, measured: Workload | None = None
) -> Replies:
    """Answer every question: from `given` (raw texts by name), by asking, or by its default.

    `ask` None takes the default for what is not given. What was measured is not asked for; an
    answer that was given wins over it. Raises UsageError for an invalid answer, and Unsure when the
    first question is answered so.
    """
    values: Answers = {}
    known: set[str] = set()
    for question in QUESTIONS:
        raw = given.get(question.name)
        if raw is not None:
            values[question.name] = read(question, raw)
            known.add(question.name)
        elif measured is not None:
            values[question.name] = _value(question, measured)
        elif ask is not None and question.asked_if(values):
            values[question.name] = ask(question)
            known.add(question.name)
        else:
            values[question.name] = question.default
        if values["workload"] == MEASURE:
            raise Unsure
    return Replies(values, frozenset(known), measured)


def read(question: Question, raw: str | bool) -> Any:
    """Read one raw answer; raise UsageError, naming the option, when it is not valid."""
    if isinstance(raw, bool):
        if not isinstance(question.default, bool):
            raise UsageError(f"--{question.name}: {raw} is not an answer to it")
        return raw
    try:
        return question.read(raw)
    except ValueError as error:
        raise UsageError(f"--{question.name}: {error}") from error


def missing(given: Mapping[str, str | bool | None]) -> list[str]:
    """Return the options that would be asked for, given what is already known."""
    values: Answers = {"workload": "io"}
    if given.get("workload") is not None:
        values["workload"] = read(QUESTIONS[0], given["workload"] or "")
    return [
        f"--{question.name}"
        for question in QUESTIONS
        if given.get(question.name) is None and question.asked_if(values)
    ]


def from_mapping(answers: Mapping[str, Any], where: str) -> dict[str, str | bool]:
    """Turn the contents of an answers file into raw texts by question name.

    Numbers are in the units of the workload (seconds, bytes). Raises UsageError for a key that
    nobody asks about, with the nearest that somebody does.
    """
    raw: dict[str, str | bool] = {}
    for key, value in answers.items():
        name = _SPELLINGS.get(key)
        if name is None:
            near = get_close_matches(key, _SPELLINGS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(_BY_NAME)}"
            raise UsageError(f"{where}: no question is called {key!r}", hint=hint)
        if key == "gil_fraction" and isinstance(value, int | float):
            raw[name] = value < 0.5
        elif value is None:
            raw[name] = "none"
        elif isinstance(value, bool | str):
            raw[name] = value
        elif isinstance(value, int | float):
            raw[name] = repr(value)
        else:
            raise UsageError(f"{where}: {key} is {value!r}, not a text, a number or true or false")
    return raw


def is_question(key: str) -> bool:
    """Tell whether `key` spells a question, as an option or as a field of the workload."""
    return key in _SPELLINGS
