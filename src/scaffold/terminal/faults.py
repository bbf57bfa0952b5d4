"""A fault of ours: one line for the user, and the traceback in a file that can be sent in."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
import traceback
from pathlib import Path

from platformdirs import user_log_dir

from scaffold.core.errors import ConcgenError
from scaffold.core.texts import shown
from scaffold.making import inventory


def kept(error: Exception) -> ConcgenError:
    """Save what is known of `error`; return the error to tell the user."""
    if isinstance(error, MemoryError):
        return ConcgenError("there is not enough memory", hint="free some, and start again")
    summary = "".join(traceback.format_exception_only(error)).strip().partition("\n")[0]
    message = f"concgen failed, which is a fault of its own: {shown(summary)}"
    try:
        where = f"the traceback is in {_save(_account(error))}: please send it in"
    except OSError as problem:
        where = f"the traceback could not be saved ({problem.strerror})"
    return ConcgenError(message, hint=where)


def _account(error: Exception) -> str:
    """Return the traceback, below what is needed to reproduce the fault."""
    facts = (
        f"concgen {inventory.version()}, Python {sys.version}, {platform.platform()}",
        f"arguments: {sys.argv[1:]!r}",
    )
    return "\n".join((*facts, "", "".join(traceback.format_exception(error))))


def _save(text: str) -> Path:
    """Write `text` to a new file, of this user only: in the log directory, or a temporary one."""
    logs = Path(user_log_dir("concgen", appauthor=False))
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-"
    try:
        logs.mkdir(parents=True, exist_ok=True)
        number, path = tempfile.mkstemp(".txt", name, logs)
    except OSError:
        number, path = tempfile.mkstemp(".txt", f"concgen-{name}")
    with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    return Path(path)
