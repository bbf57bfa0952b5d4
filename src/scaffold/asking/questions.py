"""The questions about the work, one row each in `QUESTIONS`.

The options of the command line, the prompts, what an answers file may hold, the check of a record
and the lines of CONCURRENCY.md follow from the rows.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from scaffold.asking.kinds import (
    BOUND,
    BOUNDS,
    COUNT,
    DEADLINE,
    RATE,
    SECONDS,
    SHARE,
    SIZE,
    UNKNOWN,
    YES_NO,
    Choice,
    Kind,
    is_unsure,
    or_none,
    or_unknown,
)
from scaffold.core.domain import CPU_FRACTION, Bound
from scaffold.core.errors import UsageError
from scaffold.core.reasons import RELEASES_GIL

Answers = dict[str, Any]


class Question(NamedTuple):
    """One question: all that concgen asks, reads, writes, checks and tells of one answer.

    `name` is the option without dashes, `help` what `--help` says of it; `flags` are the options
    that say yes and no. `field` is the workload's field that it sets: `to_fields` and `from_field`
    translate where answer and field differ. `label` names the answer where `text`, the question
    itself, would be too long. `unasked` is the default if the other answers rule the question out,
    and if the user does not know.
    `more` explains the question and its terms to whoever answers `?`.
    `repeated` tells that the printed command for the same project always includes it.
    """

    name: str
    field: str
    label: str
    text: str
    help: str
    default: Any
    kind: Kind
    more: str = ""
    asked_if: Callable[[Answers], bool] = lambda _: True
    choices: tuple[Choice, ...] = ()
    unasked: Any = None
    flags: tuple[str, str] | None = None
    repeated: bool = False
    to_fields: Callable[[Any], dict[str, Any]] | None = None
    from_field: Callable[[Any], Any] = lambda value: value

    @property
    def parameter(self) -> str:
        """The option's name in Python."""
        return self.name.replace("-", "_")

    @property
    def is_asked(self) -> bool:
        """Tell whether the question is ever asked; if not, it is only an option."""
        return self.asked_if is not _never

    def usual(self, answers: Answers) -> Any:
        """Return the default, given the answers so far."""
        idle = self.unasked is not None and not self.asked_if(answers)
        return self.unasked if idle else self.default

    @property
    def assumed(self) -> Any:
        """Return the answer assumed for a user who does not know: the cautious answer."""
        return self.default if self.unasked is None else self.unasked

    def read(self, text: str) -> Any:
        """Read an answer as people write it; UNKNOWN stands for "don't know".

        Raises ValueError, saying what is wrong, for a text that is no answer.
        """
        try:
            return self.kind.read(text)
        except ValueError:
            if is_unsure(text):
                return UNKNOWN
            raise

    def is_unknown(self, value: Any) -> bool:
        """Tell whether an answer is that of a user who does not know."""
        return value == UNKNOWN or self.write(value) == UNKNOWN

    def write(self, value: Any) -> str:
        """Write an answer as `read` reads it."""
        return self.kind.write(value)

    def show(self, value: Any) -> str:
        """Return an answer for people: the word of the choice, or the figure, rounded."""
        words = {choice.value: choice.word for choice in self.choices}
        return words[value] if value in words else self.kind.show(value)

    def option(self, value: Any) -> list[str]:
        """Return the words of the command line that give an answer."""
        if self.flags is not None:
            return [self.flags[0] if value else self.flags[1]]
        return [f"--{self.name}", self.write(value)]

    def fields(self, value: Any) -> dict[str, Any]:
        """Return the fields of the workload that an answer sets."""
        return self.to_fields(value) if self.to_fields else {self.field: value}


class Back(Exception):
    """The last question is to be asked again."""


# Asks one question of a person and returns the answer, read and valid.
Ask = Callable[[Question], Any]


class Unsure(UsageError):
    """The user does not know what a task does: the function has to be measured."""

    def __init__(self) -> None:
        super().__init__(
            "to measure it, the function has to be named",
            hint="--from FILE.py:FUNC --items FILE",
        )


def _never(answers: Answers) -> bool:
    return False


def _waits(answers: Answers) -> bool:
    return bool(answers["workload"] != Bound.CPU)


def _computes(answers: Answers) -> bool:
    return bool(answers["workload"] != Bound.IO)


def _only_computes(answers: Answers) -> bool:
    return bool(answers["workload"] == Bound.CPU)


QUESTIONS: tuple[Question, ...] = (
    Question(
        name="workload",
        field="bound",
        label="What a task mostly does",
        text="What does one task mostly do?",
        help="What one task mostly does: waits, computes, or both.",
        default="io",
        kind=BOUND,
        more="A task is one call of your function with one item. A task waits while the processor "
        "has nothing to do for it, and computes while it keeps a core busy.",
        choices=BOUNDS,
        repeated=True,
        to_fields=lambda value: {"bound": Bound(value), "cpu_fraction": CPU_FRACTION[Bound(value)]},
        from_field=str,
    ),
    Question(
        name="tasks",
        field="tasks",
        label="Tasks",
        text="How many tasks? (such as 500, 20k, 1e6)",
        help="How many tasks, such as 20k.",
        default=1000,
        kind=COUNT,
        more="How many items there are in one run. A rough figure will do: the advice says "
        "which other figure would change it.",
        repeated=True,
    ),
    Question(
        name="task-time",
        field="task_seconds",
        label="Time of one task alone",
        text="How long does one task take on its own? (such as 50ms, 2s)",
        help="How long one task takes alone, such as 50ms.",
        default=0.2,
        kind=SECONDS,
        more="How long one call takes with nothing else running. If you do not know, time a few "
        "calls by hand, or answer the first question with 4: then concgen measures your function.",
        repeated=True,
    ),
    Question(
        name="async-client",
        field="async_client",
        label="The client is async",
        text="Is the library that makes the calls async (aiohttp, asyncpg, ...)?"
        " If not, asyncio is out",
        help="Whether the client library is async.",
        default=True,
        kind=YES_NO,
        more="An async library is one whose calls are awaited: `await client.get(url)`. "
        "requests, psycopg2 and the file system are not. If you do not know, say don't know.",
        asked_if=_waits,
        unasked=False,
        flags=("--async-client", "--no-async-client"),
    ),
    Question(
        name="releases-gil",
        field="gil_fraction",
        label="The computing releases the GIL",
        text="Does the computing release the GIL (NumPy on large arrays, hashlib, zlib, Pillow)?"
        " Then threads compute in parallel",
        help="Whether the computing releases the GIL.",
        default=False,
        kind=SHARE,
        more="The GIL lets one thread at a time run Python code. Libraries in C may release it "
        "while they compute; plain Python never does. Without an answer, no is assumed.",
        asked_if=_computes,
        flags=("--releases-gil", "--holds-gil"),
        to_fields=lambda value: {"gil_fraction": 0.0 if value else 1.0},
        from_field=lambda share: share <= RELEASES_GIL,
    ),
    Question(
        name="max-in-flight",
        field="max_in_flight",
        label="Most in flight at once",
        text="How many tasks may be in flight at once? (a server's limit, none, or unknown)",
        help="How many tasks may be in flight at once, none, or unknown: the run finds it.",
        default=UNKNOWN,
        kind=or_unknown(or_none(COUNT), UNKNOWN),
        more="A task is in flight from its start to its end. With too many in flight a server "
        "refuses some tasks or slows down. Answer unknown, and the run finds the limit.",
        asked_if=_waits,
        to_fields=lambda value: {"max_in_flight": None if value == UNKNOWN else value},
        from_field=lambda limit: UNKNOWN if limit is None else limit,
    ),
    Question(
        name="rate",
        field="rate_per_second",
        label="Rate that the other end allows",
        text="Does the other end limit the rate? (such as 10/s, 600/min, or none)",
        help="The rate that the other end allows, such as 10/s, 600/min or 5000/h.",
        default=None,
        kind=or_none(RATE),
        more="The other end is a server, or a licence. Many servers limit the requests per "
        "second or minute, and answer 429 above the limit. No model is faster than this limit.",
        asked_if=_waits,
    ),
    Question(
        name="payload",
        field="payload_bytes",
        label="Data in and out per task",
        text="How much data goes in and comes out per task? (such as 1KB, 5MB) Processes copy it",
        help="Data in and out per task, such as 10KB.",
        default=1000,
        kind=SIZE,
        more="Processes share no memory: items and results are copied to them and back. File names "
        "are small, images are not. Enter takes the default.",
        asked_if=_only_computes,
    ),
    Question(
        name="task-memory",
        field="task_memory_bytes",
        label="Memory that a running task needs",
        text="How much memory does one task need while it runs? (such as 50MB, or unknown)",
        help="Memory that one running task needs, such as 300MB.",
        default=0,
        kind=or_unknown(SIZE, 0),
        more="The most memory that one call holds at a time, such as a decoded image. It limits "
        "how many tasks fit into memory at once. If you do not know, answer unknown.",
        asked_if=_computes,
    ),
    Question(
        name="deadline",
        field="deadline_seconds",
        label="Deadline",
        text="How long may the whole run take? (such as 10min, 1h, or none)",
        help="How long the whole run may take, such as 1h; else a cluster is advised.",
        default=None,
        kind=or_none(DEADLINE),
        asked_if=_never,
    ),
)

BY_NAME = {question.name: question for question in QUESTIONS}
# An answers file may use the option's name, with either dash, or the workload's own field.
SPELLINGS = {
    spelling: question.name
    for question in QUESTIONS
    for spelling in (question.name, question.name.replace("-", "_"), question.field)
}
