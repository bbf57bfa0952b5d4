"""Where an exception of work() came from: the user's innermost frame, and the traceback as text.

Failures come in thousands from the same line, so the text of a stack is made once.
"""

from __future__ import annotations

import os
import sysconfig
import traceback
from collections.abc import Iterator
from types import CodeType, TracebackType
from typing import NamedTuple

RUNNER = os.path.dirname(os.path.abspath(__file__)) + os.sep
PACKAGE = os.path.dirname(os.path.dirname(RUNNER)) + os.sep
NOT_THE_USERS = (
    RUNNER,
    "<frozen",
    *{sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")},
)
LONGEST = 16_000  # characters of a traceback: beyond, the middle is left out
STACKS = 1000  # whose text is kept
CHAIN = 20  # exceptions in a row, each the cause of the next
BECAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
DURING = "\nDuring handling of the above exception, another exception occurred:\n\n"


class Stack(NamedTuple):
    """The frames of one traceback, from the first that is not ours."""

    text: str
    place: str  # of the user's innermost frame
    codes: list[CodeType]  # kept, so that no other gets their ids


NO_STACK = Stack("", "", [])
_stacks: dict[tuple[int, ...], Stack] = {}


def trace(exc: BaseException) -> tuple[str, str]:
    """Such as "work.py:31 in price", empty when no frame is the user's; and the traceback."""
    chain = list(_chain(exc))
    text = "".join(_parts(chain))
    if len(text) > LONGEST:
        cut = f"\n  [... {len(text) - LONGEST:,} characters left out ...]\n"
        text = text[: LONGEST // 4] + cut + text[-LONGEST * 3 // 4 :]
    return next(filter(None, map(_place, chain)), ""), text


def _chain(exc: BaseException) -> Iterator[BaseException]:
    """The exception, what it was raised from or during, and so on."""
    seen: set[int] = set()
    one: BaseException | None = exc
    while one is not None and id(one) not in seen and len(seen) < CHAIN:
        yield one
        seen.add(id(one))
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _place(exc: BaseException) -> str:
    """The user's innermost frame, of the exception or of the first in the group that it is."""
    place = _stack(exc.__traceback__).place
    if not place and isinstance(exc, BaseExceptionGroup):
        return _place(exc.exceptions[0])
    return place


def _parts(chain: list[BaseException]) -> Iterator[str]:
    """The traceback as Python prints it, without our own frames at the top of each stack."""
    for one, cause in reversed(list(zip(chain, [*chain[1:], None], strict=True))):
        if cause is not None:
            yield BECAUSE if one.__cause__ is cause else DURING
        if isinstance(one, BaseExceptionGroup):
            alone = traceback.TracebackException.from_exception(one)
            alone.__cause__ = alone.__context__ = None
            yield from alone.format()
        else:
            yield _stack(one.__traceback__).text
            yield _last_lines(one)


def _last_lines(exc: BaseException) -> str:
    """The exception itself, without its frames."""
    kind = type(exc)
    if isinstance(exc, SyntaxError) or hasattr(exc, "__notes__"):
        return "".join(traceback.format_exception_only(exc))
    module = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
    try:
        text = str(exc)
    except Exception:
        text = "<exception str() failed>"
    return f"{module}{kind.__qualname__}: {text}\n" if text else f"{module}{kind.__qualname__}\n"


def _stack(frames: TracebackType | None) -> Stack:
    codes: list[CodeType] = []
    key: list[int] = []
    while frames is not None:
        code = frames.tb_frame.f_code
        if codes or not code.co_filename.startswith(RUNNER):
            codes.append(code)
            key += (id(code), frames.tb_lineno)
        frames = frames.tb_next
    if not codes:
        return NO_STACK
    known = _stacks.get(tuple(key))
    if known is None:
        known = _made(codes, key[1::2])
        if len(_stacks) < STACKS:
            _stacks[tuple(key)] = known
    return known


def _made(codes: list[CodeType], lines: list[int]) -> Stack:
    frames = [
        traceback.FrameSummary(code.co_filename, line, code.co_name)
        for code, line in zip(codes, lines, strict=True)
    ]
    text = "".join(traceback.StackSummary.from_list(frames).format())
    places = (
        f"{frame.filename.removeprefix(PACKAGE)}:{frame.lineno} in {frame.name}"
        for frame in reversed(frames)
        if not frame.filename.startswith(NOT_THE_USERS)
    )
    return Stack(f"Traceback (most recent call last):\n{text}", next(places, ""), codes)
