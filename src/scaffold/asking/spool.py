"""Items from a pipe, copied to a file: so they can be counted, sampled and read again.

A pipe that does not end is refused: its items cannot be counted.
"""

from __future__ import annotations

import shutil
import stat
import sys
import tempfile
import threading
from pathlib import Path
from typing import BinaryIO

from scaffold.core.errors import UsageError
from scaffold.core.texts import shown

STDIN = "-"
# Seconds and bytes within which a pipe has to end.
PATIENCE, MOST = 15.0, 1_000_000_000
CHUNK = 1 << 20

_folders: list[str] = []


def kept(source: Path) -> Path:
    """Return `source` itself if it is a file, else a file with a copy of its items.

    Raises UsageError if a pipe does not end, OSError if the source cannot be read.
    """
    if str(source) != STDIN and stat.S_ISREG(source.stat().st_mode):
        return source
    _folders.append(tempfile.mkdtemp(prefix="concgen-items-"))
    copy = Path(_folders[-1]) / f"items{source.suffix or '.jsonl'}"
    failed: list[Exception] = []
    reader = threading.Thread(target=_copy, args=(source, copy, failed), daemon=True)
    reader.start()
    reader.join(PATIENCE)
    if failed:
        raise failed[0]
    if reader.is_alive() or copy.stat().st_size > MOST:
        raise UsageError(
            f"the items of {_name(source)} did not end within {PATIENCE:.0f} s",
            hint="save them to a file first, and name that",
        )
    return copy


def discard() -> None:
    """Remove the copies."""
    while _folders:
        shutil.rmtree(_folders.pop(), ignore_errors=True)


def _copy(source: Path, copy: Path, failed: list[Exception]) -> None:
    try:
        with copy.open("wb") as out, _opened(source) as pipe:
            size = 0
            while size <= MOST and (chunk := pipe.read1(CHUNK)):  # type: ignore[attr-defined]
                out.write(chunk)
                size += len(chunk)
    except OSError as error:
        failed.append(error)


def _opened(source: Path) -> BinaryIO:
    return sys.stdin.buffer if str(source) == STDIN else source.open("rb")


def _name(source: Path) -> str:
    return "standard input" if str(source) == STDIN else shown(source)
