"""What went wrong with a task: in one line, as a traceback, and where in the user's code."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import cache, cached_property, lru_cache
from types import TracebackType
from typing import NamedTuple

from .task import Overloaded, StopRun

RUNNER = os.path.dirname(os.path.abspath(__file__)) + os.sep
PACKAGE = os.path.dirname(os.path.dirname(RUNNER)) + os.sep
REFUSALS = frozenset({429, 503})  # HTTP's ways to say that the server has too much to do
MEMBERS = 3  # of an exception group that its error names
LONGEST_ERROR = 10_000  # characters of an error that are kept
LONGEST_TRACEBACK = 16_000  # characters of a traceback: beyond, the middle is left out
CHAIN = 20  # exceptions in a row, each the cause of the next
STACKS = 1000  # stacks whose text is kept: failures come in thousands from the same line
KINDS = 1000  # of failures that are told apart; more fill memory, and nobody reads them
WIDEST = 200  # characters of a kind that are shown
LONGEST_KIND = 100  # characters of an error without a place, where failures are counted by it

Frames = tuple[tuple[str, int, str, None], ...]  # file, line, function; None: its text is looked up


class Failure(NamedTuple):
    """Why an attempt failed, and what follows from it."""

    error: str  # "ValueError: ...", "timeout after 2 s", ...
    final: bool = False  # another attempt would end the same way
    refused: bool = False  # the other end has too much to do
    again: bool = False  # work() asked for another attempt
    after: float | None = None  # seconds that the other end asked to wait
    timeout: bool = False
    stop: str | None = None  # why the run ends

    @classmethod
    def of(cls, exc: BaseException) -> Failure:
        """Return the failure for an exception that work() raised.

        An exception with a numeric `retry_after` counts as a RetryAfter; after an exception that
        is `final` work() does not get the item again.
        """
        after = _attribute(exc, "retry_after")
        if not isinstance(after, int | float) or not math.isfinite(after):
            after = None
        again = after is not None or isinstance(exc, Overloaded)
        final = _attribute(exc, "final") is True
        stop = str(exc) if isinstance(exc, StopRun) else None
        return cls(describe(exc), final, again or _refuses(exc), again, after, stop=stop)


def timed_out(timeout: float | None, more: str = "") -> Failure:
    """The failure of a task that took longer than `timeout` seconds."""
    return Failure(f"timeout after {timeout:g} s{more}", timeout=True)


def _refuses(exc: BaseException) -> bool:
    """Whether it is a client's exception for a status of 429 or 503, as most clients spell it."""
    sources = exc, _attribute(exc, "response")
    names = "status", "status_code", "code"
    return any(_attribute(source, name) in REFUSALS for source in sources for name in names)


def _attribute(source: object, name: str) -> int | float | object | None:
    """The attribute, if it can be read and hashed: in classes of others it may be anything."""
    try:
        value = getattr(source, name, None)
        hash(value)
    except Exception:
        return None
    return value


class ErrorText(str):
    """An error in one line, which remembers the exception that it tells of."""

    exception: BaseException | None = None

    @cached_property
    def trace(self) -> Trace:
        """Where the exception came from."""
        with suppress(OSError):  # work() may have used up the open files: imports fail
            return trace(self.exception) if self.exception else NO_TRACE
        return NO_TRACE

    @property
    def where(self) -> str:
        """The user's innermost frame, such as "work.py:31 in price"; empty when there is none."""
        return self.trace.where

    @property
    def traceback(self) -> str:
        """The traceback as Python prints it, bounded in size."""
        return self.trace.text

    @property
    def fields(self) -> str:
        """`where` and `traceback` as fields of a JSON object; empty when there is no exception."""
        from .values import to_json  # 4 ms: a run without failures may do without

        where, text = self.trace
        place = f', "where": {to_json(where)}' if where else ""
        return text and f'{place}, "traceback": {to_json(text)}'


def describe(exc: BaseException, depth: int = 3) -> ErrorText:
    """What an exception says, with its cause, its notes and the members of a group.

    Even when its own __str__ fails.
    """
    try:
        text = f"{type(exc).__name__}: {exc}"
    except Exception:
        text = type(exc).__name__
    notes = [str(note) for note in getattr(exc, "__notes__", ())]
    if depth:
        members = exc.exceptions if isinstance(exc, BaseExceptionGroup) else ()
        notes += [describe(member, depth - 1) for member in members[:MEMBERS]]
        if cause := _cause(exc):
            notes.append(f"from {describe(cause, depth - 1)}")
    error = ErrorText((f"{text} ({'; '.join(notes)})" if notes else text)[:LONGEST_ERROR])
    error.exception = exc
    return error


class Trace(NamedTuple):
    """Where an exception came from."""

    where: str  # the user's innermost frame, empty when no frame is the user's
    text: str  # the traceback


NO_TRACE = Trace("", "")


def trace(exc: BaseException) -> Trace:
    """The user's innermost frame and the traceback as Python prints it, without our own frames."""
    if _is_plain(exc):  # as most are: failures come in thousands from the same line
        where, text = _stack(_frames(exc))
        text += _last_line(exc)
    else:
        from traceback import TracebackException

        where = _place(exc)
        text = "".join(TracebackException(type(exc), exc, _from_users(exc)).format())
    if len(text) > LONGEST_TRACEBACK:
        cut = f"\n  [... {len(text) - LONGEST_TRACEBACK:,} characters left out ...]\n"
        text = text[: LONGEST_TRACEBACK // 4] + cut + text[-LONGEST_TRACEBACK * 3 // 4 :]
    return Trace(where, text)


def _is_plain(exc: BaseException) -> bool:
    """Whether it is printed as its frames and one line."""
    more = exc.__cause__ or exc.__context__ or hasattr(exc, "__notes__")
    return not (more or isinstance(exc, BaseExceptionGroup | SyntaxError))


def _last_line(exc: BaseException) -> str:
    kind = type(exc)
    module = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
    try:
        text = str(exc)
    except Exception:
        text = "<exception str() failed>"
    return f"{module}{kind.__qualname__}: {text}\n" if text else f"{module}{kind.__qualname__}\n"


def _cause(exc: BaseException) -> BaseException | None:
    """What it was raised from, or during."""
    return exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)


def _place(exc: BaseException, depth: int = CHAIN) -> str:
    """The user's innermost frame: of the exception, or of its first member or cause."""
    place = _stack(_frames(exc)).where
    inner = exc.exceptions[0] if isinstance(exc, BaseExceptionGroup) else _cause(exc)
    return place or (_place(inner, depth - 1) if inner and depth else "")


def _from_users(exc: BaseException) -> TracebackType | None:
    """Its traceback, from the first frame that is not ours."""
    step = exc.__traceback__
    while step is not None and step.tb_frame.f_code.co_filename.startswith(RUNNER):
        step = step.tb_next
    return step


def _frames(exc: BaseException) -> Frames:
    frames = []
    step = _from_users(exc)
    while step is not None:
        code = step.tb_frame.f_code
        frames.append((code.co_filename, step.tb_lineno, code.co_name, None))
        step = step.tb_next
    return tuple(frames)


@lru_cache(STACKS)
def _stack(frames: Frames) -> Trace:
    """The frames as Python prints them, and the place of the user's innermost."""
    if not frames:
        return NO_TRACE
    from traceback import StackSummary

    text = "".join(StackSummary.from_list(frames).format())
    places = (
        f"{file.removeprefix(PACKAGE)}:{line} in {function}"
        for file, line, function, _ in reversed(frames)
        if not file.startswith(_libraries())
    )
    return Trace(next(places, ""), f"Traceback (most recent call last):\n{text}")


@cache
def _libraries() -> tuple[str, ...]:
    """The folders of code that is not the user's."""
    import sysconfig

    names = "stdlib", "platstdlib", "purelib", "platlib"
    return RUNNER, "<frozen", *(sysconfig.get_path(name) + os.sep for name in names)


def count_kind(kinds: Counter[str], error: str, where: str) -> None:
    """Count a failure, by its type and place; or by its text when it has no place."""
    kind = f"{error.partition(':')[0]} at {where}" if where else error[:LONGEST_KIND]
    kinds[kind if kind in kinds or len(kinds) < KINDS else "other errors"] += 1


def most_frequent(kinds: Counter[str], most: int) -> Iterator[str]:
    """The most frequent kinds of failures, each with its count, in a line."""
    for kind, count in kinds.most_common(most):
        yield f"  {count:,} \N{MULTIPLICATION SIGN} {kind[:WIDEST]}"
