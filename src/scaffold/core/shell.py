"""Command lines for the shell that concgen runs in: POSIX, or cmd or PowerShell on Windows."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterable

# Characters that are special in no shell of Windows.
_PLAIN = re.compile(r"[\w.:/\\+=-]+")


def quote(word: str) -> str:
    """Return the word, quoted so that the shell reads it as one word."""
    if sys.platform != "win32":
        return shlex.quote(word)
    if _PLAIN.fullmatch(word):
        return word
    return f'"{word}"' if _in_cmd() else "'{}'".format(word.replace("'", "''"))


def join(words: Iterable[str]) -> str:
    """Return the line that the shell splits into these words."""
    return " ".join(map(quote, words))


def then(*commands: str) -> str:
    """Return one line that runs the commands one after the other."""
    powershell = sys.platform == "win32" and not _in_cmd()  # its older versions have no &&
    return ("; " if powershell else " && ").join(commands)


def _in_cmd() -> bool:
    return "PROMPT" in os.environ  # cmd sets it, PowerShell does not
