"""stdout and stderr, whatever they are: closed, full, left by their reader, of another encoding."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from scaffold.core.errors import ConcgenError


def settle() -> None:
    """Make stdout and stderr fit to print on. Once, before anything is opened.

    A closed one is replaced: else the next file to be opened would get its number, and what is
    printed. What an encoding has no character for, such as a name in ASCII, is shown escaped.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            number = os.open(os.devnull, os.O_RDWR)
            if name != "stdin":  # that one stays None: there is nobody to ask
                setattr(sys, name, os.fdopen(number, "w", encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def write(text: str, stream: TextIO) -> None:
    """Print `text` on stdout or stderr, to the end of the command even when the reader has left.

    Raises ConcgenError when the answer cannot be written. Talk that nobody can hear is no reason to
    stop.
    """
    try:
        stream.write(text)
    except OSError as error:
        _give_up(stream, error)


def flush() -> None:
    """Hand over what was printed. Raises ConcgenError when the answer cannot be written."""
    for stream in (sys.stderr, sys.stdout):
        try:
            stream.flush()
        except OSError as error:
            _give_up(stream, error)


def _give_up(stream: TextIO, error: OSError) -> None:
    """Lead a stream to nowhere, for what is left in it and what is still to come."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if stream is sys.stdout and not isinstance(error, BrokenPipeError):  # `| head` has seen enough
        raise ConcgenError(
            f"cannot write the answer: {error.strerror}", hint="send it somewhere else"
        ) from error
