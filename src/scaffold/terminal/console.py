"""The only place that prints and prompts.

The answer goes to stdout, all talk (questions, progress, errors) to stderr. Colour only adds to
words, and only on a terminal that wants it: `NO_COLOR` and `TERM=dumb` are respected.
"""

from __future__ import annotations

import os
import select
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from scaffold.asking.kinds import Choice
from scaffold.asking.questions import Ask, Back, Question
from scaffold.core.errors import ConcgenError, Interrupted, UsageError
from scaffold.core.texts import read_choice
from scaffold.terminal import streams

if TYPE_CHECKING:
    from scaffold.commands.progress import Step, Tick

# Columns used when the output is not a terminal, and the most that a line of prose should take.
PIPE_WIDTH = 100
WIDEST = 110
# Columns that a terminal fills with ^C when it is interrupted.
ECHO = 2
# Columns that a prompt leaves for what is typed after it: `don't know`.
ANSWER = 10
# Seconds to wait for the first piped answer before a pipe counts as a pipe without a writer.
PIPE_PATIENCE = 1.0

T = TypeVar("T")


@contextmanager
def telling(done: str, way_out: str) -> Iterator[None]:
    """Print a result in the body; if that fails, raise ConcgenError that says what was done."""
    try:
        yield
        streams.flush()
    except ConcgenError as problem:
        raise ConcgenError(f"{done}, but {problem}", hint=way_out) from problem


_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def answer(text: str = "") -> None:
    """Print a line of the answer, on stdout."""
    streams.write(f"{text}\n", sys.stdout)


def answer_lines(lines: Iterable[str]) -> None:
    """Print several lines of the answer, on stdout."""
    for line in lines:
        answer(line)


def answer_text(text: str) -> None:
    """Print a sentence of the answer; a command that is to be copied goes to `answer`."""
    answer(_broken(text, stream=sys.stdout))


def answer_headed(lines: Sequence[str]) -> None:
    """Print an answer whose first line is its headline."""
    headline = _broken(lines[0], stream=sys.stdout).split("\n")
    answer_lines([*(style(line, "bold") for line in headline), *lines[1:]])


def answer_json(document: Mapping[str, Any]) -> None:
    """Print the one JSON document that is the answer, on stdout."""
    import json

    unicode = sys.stdout.encoding.lower().startswith("utf")
    answer(json.dumps(document, indent=2, ensure_ascii=not unicode))


def say(text: str = "") -> None:
    """Print a line of talk, on stderr."""
    streams.write(f"{text}\n", sys.stderr)


def say_text(text: str, margin: str = "") -> None:
    """Print a sentence of talk."""
    say(_broken(text, margin))


class Steps:
    """Progress on stderr: a line for each step and, on a terminal, a moving line below it.

    `margin` goes before the steps. As a context manager it leaves no moving line behind.
    """

    def __init__(self, margin: str = "") -> None:
        self._margin = margin
        self._moves = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._moving = False

    def __enter__(self) -> Steps:
        return self

    def __exit__(self, *_: object) -> None:
        self._wipe()

    def step(self, step: Step) -> None:
        """Print a line that stays."""
        from scaffold.terminal import progress_views  # few commands need it

        self._wipe()
        say(f"{self._margin}{progress_views.step(step)}")

    def tick(self, tick: Tick) -> None:
        """Replace the line that moves."""
        from scaffold.terminal import progress_views

        if self._moves:
            self._moving = True
            self._over(f"{self._margin}  {progress_views.tick(tick)}", ECHO)

    def _wipe(self) -> None:
        if self._moving:
            self._moving = False
            self._over("", 0)
            streams.write("\r", sys.stderr)

    def _over(self, text: str, spared: int) -> None:
        """Write over the line, with blanks: not every console knows the code that clears it.

        `spared` columns at its end are left free: a full line would move on to the next line.
        """
        columns = width() - 1 - spared
        streams.write(f"\r{text[:columns].ljust(columns)}", sys.stderr)


def error(problem: ConcgenError) -> None:
    """Print what went wrong and what to do, on stderr."""
    word = "" if isinstance(problem, Interrupted) else "error: "
    text = _broken(f"{word}{_visible(problem.message)}")
    if word:
        text = style(word, "red", stream=sys.stderr) + text.removeprefix(word)
    say(text)
    if problem.hint:
        say(_broken(_visible(problem.hint), "  "))


def _broken(
    text: str,
    margin: str = "",
    further: str = "  ",
    spared: int = 0,
    stream: TextIO | None = None,
) -> str:
    """Return one line for a pipe, which a program may read; for a terminal, break it at words."""
    if not (stream or sys.stderr).isatty():
        return f"{margin}{text}"
    from scaffold.terminal import layout  # few commands fail or ask

    return "\n".join(layout.wrap(text, width() - spared, margin, further)) or margin


def _visible(text: str) -> str:
    """Return `text` with what could move the cursor or reverse the line escaped."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def style(text: str, name: str, *, stream: TextIO | None = None) -> str:
    """Return `text` in a style of the terminal behind `stream`, or as it is if that shows none."""
    stream = stream or sys.stdout
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    if plain or not streams.shows_colours(stream):
        return text
    return f"\033[{_CODES[name]}m{text}\033[0m"


def width() -> int:
    """Return the columns to fill: the terminal's, at most what reads well."""
    columns = shutil.get_terminal_size((PIPE_WIDTH, 24)).columns
    return max(20, min(columns, WIDEST))


def can_ask() -> bool:
    """Tell whether stdin can give answers: a terminal, or a pipe that is written to."""
    if sys.stdin is None or sys.stdin.closed:
        return False
    if sys.stdin.isatty():
        return True
    try:
        return bool(select.select([sys.stdin], [], [], PIPE_PATIENCE)[0])
    except (OSError, ValueError):  # Windows cannot wait for a pipe; a replaced stdin has no number
        return False


def asker() -> Ask | None:
    """Return how to ask a question, or None if stdin cannot give answers."""
    return ask if can_ask() else None


def ask(question: Question) -> Any:
    """Ask one question until the answer is valid; an empty line takes the default.

    `?` explains it, `back` raises Back.
    """
    if question.choices:
        default = question.write(question.default)
        return ask_choice(question.text, question.choices, default, question.read, question.more)

    def read(text: str) -> Any:
        units = _UNITS.get(question.kind.metavar)
        if units and sys.stdin.isatty() and _is_bare(text):
            raise ValueError(f"{text} what? Such as {units.format(text)}")
        return question.read(text)

    return ask_line(_prompt(question), question.write(question.default), read, question.more)


def _is_bare(text: str) -> bool:
    """Tell whether a text is a figure without a unit; zero needs no unit."""
    try:
        return float(text) != 0
    except ValueError:
        return False


def ask_choice(
    text: str, choices: Sequence[Choice], default: str, read: Callable[[str], T], more: str
) -> T:
    """Ask for one of the choices, by its number or as `read` takes it; see `ask_line`."""

    def read_word(text: str) -> T:
        try:
            return read(text)
        except ValueError:
            read_choice(text, [choice.word for choice in choices])  # the words that are shown
            raise

    say_text(text)
    for number, choice in enumerate(choices, 1):
        head = f"  {number}) {choice.word:<9} "
        say(_broken(choice.consequence, head, " " * len(head)))
    values = [choice.value for choice in choices]
    return ask_line(f"Choice [{values.index(default) + 1}]", default, read_word, more)


def ask_line(prompt: str, default: str, read: Callable[[str], T], more: str) -> T:
    """Prompt for a line until `read` takes it; an empty line stands for `default`.

    `?` prints `more`, `back` raises Back. An answer from a pipe cannot be corrected: an invalid
    answer raises UsageError, as does the end of the pipe.
    """
    while True:
        streams.write(_broken(f"{prompt}:", spared=ANSWER) + " ", sys.stderr)
        streams.flush()
        try:
            line = input().strip()
        except KeyboardInterrupt:
            say()  # the terminal has shown ^C behind the prompt
            raise
        except EOFError:
            say()
            raise UsageError(
                "the input ended before every question was answered",
                hint="give the rest as options, or take the defaults with --yes",
            ) from None
        if not sys.stdin.isatty():
            say(line)
        if line == "?":
            say(_broken(f"{more} {_WAYS}", "  ", "  "))
            continue
        if line.lower() == "back":
            raise Back
        try:
            return read(line or default)
        except ValueError as problem:
            if not sys.stdin.isatty():
                raise UsageError(str(problem)) from problem
            say(_broken(str(problem), "  "))


# Units that a figure may have been meant in, by the kind of answer.
_UNITS = {"TIME": "{0}ms, {0}s or {0}min", "SIZE": "{0}B, {0}KB or {0}MB"}
_WAYS = "(Enter takes what is in brackets. You may also answer: don't know, or back.)"


def _prompt(question: Question) -> str:
    if isinstance(question.default, bool):
        return f"{question.text} [{'Y/n' if question.default else 'y/N'}]"
    return f"{question.text} [{question.write(question.default)}]"
