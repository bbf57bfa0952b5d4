"""results.jsonl.state: what each item was when it was read, and which work.py made the results.

A header of HEADER bytes, one JSON object; behind it DIGEST bytes for each item, by position. They
are written before the results that go with them, so they are never behind. The file is the lock
too: one run at a time.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable
from io import FileIO
from typing import IO, Any

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

HEADER = 1024  # bytes
DIGEST = 8  # bytes for each item: one change in 10^19 goes unnoticed
VERSIONS = 8  # of work.py that are told apart
BUFFER = 1 << 16  # bytes that are read, or wait to be written
LOCKED_BYTE = (1 << 31) - 1  # Windows keeps readers from it too: the last it can lock, behind all


_held: set[FileIO] = set()  # open state files


def _let_go() -> None:
    for file in _held:
        file.close()


if hasattr(os, "register_at_fork"):  # a worker that outlives the run keeps no lock of it
    os.register_at_fork(after_in_child=_let_go)


class JournalError(Exception):
    """The results cannot be written or read: what is wrong, and what to do."""


class Ledger:
    """The state file, open and locked.

    The digests begin at `area`. While results are being replaced there are two areas, and `other`
    names the second with the inode of the results that it belongs to: so the results and the area
    change at the same moment, when the results get their name.
    """

    def __init__(self, name: str, *, fsync: bool) -> None:
        self.name, self._fsync = name, fsync
        self.file = FileIO(
            name, "r+", opener=lambda path, flags: os.open(path, flags | os.O_CREAT, 0o666)
        )
        _lock(self.file)
        _held.add(self.file)
        self.area = HEADER
        self.backup: dict[str, Any] | None = None  # area, versions of our results.jsonl.bak
        self.versions: list[list[Any]] = []  # [count of results, digest of work.py that made them]
        self.empty = os.fstat(self.file.fileno()).st_size < HEADER
        self._earlier = 0  # digests that were there before this run
        self._window = (0, b"")  # digests that were read ahead, and where they begin
        self._waiting = bytearray()  # digests that wait to be written
        self._at = 0  # the position of the first of them

    def close(self) -> None:
        """Release the lock."""
        self.file.close()
        _held.discard(self.file)

    def load(self, inode: int) -> bool:
        """Read the header; `inode` is that of the results. Tell whether it is whole."""
        header = header_of(self._read(0, HEADER), inode)
        if header is None:
            return False
        self.area, self.backup, self.versions = header["area"], header["backup"], header["versions"]
        self.recount()
        return True

    def recount(self) -> None:
        """From now on, what was noted counts as noted by an earlier run."""
        self.flush()
        self._earlier = self.known

    def save(self, *, other: dict[str, int] | None = None, sync: bool = False) -> None:
        """Write the header. With `sync`, all that was written so far survives a power cut."""
        header = {
            "area": self.area,
            "other": other,
            "backup": self.backup,
            "versions": self.versions[-VERSIONS:],
        }
        self._write(0, json.dumps(header).encode().ljust(HEADER - 1) + b"\n", sync)
        self.empty = False

    @property
    def known(self) -> int:
        """How many positions have a digest."""
        size = os.fstat(self.file.fileno()).st_size
        return max(0, (size - self.area) // DIGEST)

    def digest(self, position: int) -> bytes:
        """Return the digest that the item had; empty if it is not known."""
        if position >= self._earlier:
            return b""
        offset = self.area + position * DIGEST
        begin, window = self._window
        if not begin <= offset < begin + len(window):
            self.flush()
            window = self._read(offset, BUFFER)
            self._window = begin, window = offset, window[: len(window) // DIGEST * DIGEST]
        return window[offset - begin : offset - begin + DIGEST]

    def note(self, position: int, digest: bytes | bytearray) -> None:
        """Keep the digest that the item has now."""
        if position != self._at + len(self._waiting) // DIGEST or len(self._waiting) >= BUFFER:
            self.flush()
            self._at = position
        self._waiting += digest

    def flush(self) -> None:
        """Write the digests that wait. Raises JournalError."""
        if self._waiting:
            if self.empty:
                self.save()
            self._write(self.area + self._at * DIGEST, self._waiting)
            self._at += len(self._waiting) // DIGEST
            self._waiting.clear()

    def begin_area(self, digests: Iterable[bytes | bytearray]) -> None:
        """Go on with a new area at the end of the file. It begins with these digests."""
        at, waiting = self._at, bytes(self._waiting)
        self._waiting.clear()
        size = os.fstat(self.file.fileno()).st_size
        area = max(HEADER, size - (size - HEADER) % -DIGEST)
        end = area
        for part in digests:
            self._write(end, part)
            end += len(part)
        self.area, self._window = area, (0, b"")
        self.recount()
        self.note(at, waiting)

    def copy_area(self) -> None:
        """Go on with a copy of the area: the old one stays as it is."""
        end = self.area + self.known * DIGEST
        self.begin_area(
            self._read(begin, min(BUFFER, end - begin)) for begin in range(self.area, end, BUFFER)
        )

    def compact(self) -> None:
        """Move the area to the front, if it fits in before itself, and cut off the rest."""
        self.flush()
        length = self.known * DIGEST
        if self.area != HEADER and HEADER + length <= self.area:
            self._write(HEADER, self._read(self.area, length), sync=True)
            self.area = HEADER
            self.save(sync=True)
            self.file.truncate(HEADER + length)
            self._window = (0, b"")

    def _read(self, offset: int, length: int) -> bytes:
        self.file.seek(offset)
        return self.file.read(length)

    def _write(self, offset: int, data: bytes | bytearray, sync: bool = False) -> None:
        try:
            self.file.seek(offset)
            write_all(self.file, data)
            if self._fsync or sync:
                os.fsync(self.file.fileno())
        except OSError as exc:
            raise JournalError(
                f"cannot write {self.name}: {exc.strerror}; make room, and run again to continue"
            ) from None


def header_of(text: bytes, inode: int) -> dict[str, Any] | None:
    """What the header says for the results with that inode; None when it is damaged."""
    try:
        header = json.loads(text)
        if header["other"] and header["other"]["inode"] == inode:
            header["area"] = header["other"]["area"]
        return {name: header[name] for name in ("area", "backup", "versions")}
    except (ValueError, KeyError, TypeError):
        return None


def write_all(file: FileIO, data: bytes | bytearray) -> None:
    """Write all of it: a short write is legal, as on a disk that fills up, or at a signal."""
    with memoryview(data) as rest:
        while rest:
            rest = rest[file.write(rest) :]


def sync_names(folder: str) -> None:
    """Make new names in a folder survive a power cut; Windows does so itself."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError):  # a folder that cannot be read, or synced
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def is_at(file: IO[bytes], name: str) -> bool:
    """Whether the open file still is the file of that name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(name))
    except OSError:
        return False


def _lock(file: FileIO) -> None:
    """Lock the file; not as POSIX does, where the lock goes when any handle of it is closed."""
    try:
        if sys.platform == "win32":
            file.seek(LOCKED_BYTE)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise BlockingIOError from None  # Windows says something else
