"""stdout and stderr, whatever they are: closed, full, left by their reader, of another encoding."""

from __future__ import annotations

import errno
import functools
import os
import sys
from typing import TextIO

from scaffold.core.errors import ConcgenError

_CODES_WORK = 0x4  # ENABLE_VIRTUAL_TERMINAL_PROCESSING, of a console of Windows


def settle() -> None:
    """Make stdout and stderr fit to print on. Once, before anything is opened.

    A closed stream is replaced: else the next file to be opened would get its number, and what is
    printed. A character that the encoding does not have is shown escaped.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            number = os.open(os.devnull, os.O_RDWR)
            if name != "stdin":  # stdin stays None: it gives no answers
                setattr(sys, name, os.fdopen(number, "w", encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


@functools.cache
def shows_colours(stream: TextIO) -> bool:
    """Tell whether the terminal behind the stream knows the codes of colours.

    A console of Windows has to be asked to use them, and old consoles cannot.
    """
    if not stream.isatty():
        return False
    if sys.platform != "win32":
        return True
    import ctypes
    import msvcrt
    from ctypes import wintypes

    kernel, handle = ctypes.windll.kernel32, msvcrt.get_osfhandle(stream.fileno())
    mode = wintypes.DWORD()
    if not kernel.GetConsoleMode(wintypes.HANDLE(handle), ctypes.byref(mode)):
        return False
    return bool(kernel.SetConsoleMode(wintypes.HANDLE(handle), mode.value | _CODES_WORK))


def write(text: str, stream: TextIO) -> None:
    """Print `text` on stdout or stderr, to the end of the command even when the reader has left.

    Raises ConcgenError when the answer cannot be written. A message that cannot be written to
    stderr is no reason to stop.
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
    """Send a stream to the null device, for what is left in it and what is still to come."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    # `| head` has seen enough; Windows reports a reader that has left as "invalid".
    reader_left = isinstance(error, BrokenPipeError) or (
        os.name == "nt" and error.errno == errno.EINVAL
    )
    if stream is sys.stdout and not reader_left:
        raise ConcgenError(
            f"cannot write the answer: {error.strerror}", hint="send it somewhere else"
        ) from error
