"""Commands as the shell reads them that this runs in: POSIX ones; on Windows cmd and PowerShell."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterable

# What no shell of Windows reads anything into.
_PLAIN = re.compile(r"[\w.:/\\+=-]+")


def quote(word: str) -> str:
    """Return the word as the shell takes it for one."""
    if sys.platform != "win32":
        return shlex.quote(word)
    if _PLAIN.fullmatch(word):
        return word
    return f'"{word}"' if _in_cmd() else "'{}'".format(word.replace("'", "''"))


def join(words: Iterable[str]) -> str:
    """Return the line that the shell takes apart into these words."""
    return " ".join(map(quote, words))


def then(*commands: str) -> str:
    """Return one line that runs the commands one after the other."""
    powershell = sys.platform == "win32" and not _in_cmd()  # its first versions know no &&
    return ("; " if powershell else " && ").join(commands)


def _in_cmd() -> bool:
    return "PROMPT" in os.environ  # which cmd gives to what it starts, and PowerShell does not
