"""A simulated disk, which stands in for `os`, `open` and FileIO in the modules under test.

What is written is seen at once, and survives kill -9. What a power cut leaves of that which was not
synced is up to the seed: any of the blocks of any write, in any order; of names, those that changed
first. A write that is cut off is half there. The disk can be full.
"""

from __future__ import annotations

import errno
import io
import os
import posixpath
import random
import stat
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

BLOCK = 1024  # bytes that are written whole: less than any disk has, so that more is torn


class Crash(BaseException):
    """The process, or the power, is gone: nothing of it runs any more."""


class Inode:
    """A file: what is seen of it, what is safe, and what is not yet."""

    def __init__(self, number: int, data: bytes = b"") -> None:
        self.number = number
        self.data, self.safe = bytearray(data), bytes(data)
        self.pending: list[tuple[int, bytes | None]] = []  # offset and bytes; None: cut off there

    def apply(self, offset: int, data: bytes | None) -> None:
        """Write, or cut off."""
        _apply(self.data, offset, data)
        self.pending.append((offset, data))

    def sync(self) -> None:
        """What is seen is safe."""
        self.safe, self.pending = bytes(self.data), []

    def lose(self, rng: random.Random) -> None:
        """The power is cut."""
        data, share = bytearray(self.safe), rng.choice([0.0, 0.5, 0.9, 1.0])
        for offset, written in self.pending:
            for begin, piece in _blocks(offset, written):
                if rng.random() < share:
                    _apply(data, begin, piece)
        self.data = data
        self.sync()


class Disk:
    """Files by their names, in one folder; `crash_at` counts changes from now on."""

    def __init__(self, rng: random.Random, *, links: bool) -> None:
        self.rng, self.links = rng, links
        self.names: dict[str, Inode] = {}
        self._safe_names: dict[str, Inode] = {}
        self._pending_names: list[dict[str, Inode]] = []  # after each change
        self.files: dict[int, File] = {}
        self.room: int | None = None  # bytes
        self.crash_at: int | None = None  # changes from now
        self.dead = False
        self.trace: list[tuple[Any, ...]] = []
        self.folder = Inode(1)

    # What happens to it.

    def power_cut(self) -> None:
        """Only what was synced is sure to be there."""
        left = self.rng.randint(0, len(self._pending_names))
        self.names = dict([self._safe_names, *self._pending_names][left])
        for inode in {id(one): one for one in self.names.values()}.values():
            inode.lose(self.rng)
        self._sync_names()

    def sync_all(self) -> None:
        """Time goes by."""
        for inode in self.names.values():
            inode.sync()
        self._sync_names()

    def start(self, crash_at: int | None, room: int | None) -> None:
        """A new process."""
        self.files.clear()
        self.crash_at, self.room, self.dead = crash_at, room, False

    def change(self, *what: Any) -> bool:
        """Note a change; tell whether the process dies in the middle of it."""
        if self.dead:
            raise Crash
        self.trace.append(what)
        if self.crash_at is None:
            return False
        self.crash_at -= 1
        self.dead = self.crash_at < 0
        return self.dead

    def rename(self, *what: Any) -> None:
        """Note that names have changed."""
        self._pending_names.append(dict(self.names))
        if self.dead:
            raise Crash

    def _sync_names(self) -> None:
        self._safe_names, self._pending_names = dict(self.names), []

    # What the modules use.

    def named(self, path: str) -> Inode:
        """The file of that name. Raises FileNotFoundError."""
        if self.dead:
            raise Crash
        try:
            return self.names[path]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from None

    def create(self, path: str) -> Inode:
        """A new file, by the smallest number that is free: numbers are used again."""
        used = {inode.number for inode in self.names.values()}
        used |= {file.inode.number for file in self.files.values()}
        inode = Inode(next(n for n in range(2, 100) if n not in used))
        if self.change("create", path):
            raise Crash
        self.names[path] = inode
        self.rename()
        return inode

    def open(self, path: str, mode: str = "r", buffering: int = 0, **_: Any) -> File:
        """An open file, as of FileIO; what has a buffer writes all of it, or fails."""
        if "x" in mode and path in self.names:
            raise FileExistsError(errno.EEXIST, "File exists", path)
        created = "r" not in mode or "opener" in _
        inode = self.create(path) if created and path not in self.names else self.named(path)
        file = File(self, inode, append="a" in mode)
        file.whole = buffering > 0
        return file

    def write(self, inode: Inode, offset: int, data: bytes) -> int:
        """Write what there is room for."""
        grows = max(0, offset + len(data) - len(inode.data))
        if self.room is not None and grows > self.room:
            data = data[: len(data) - grows + self.room]
            if not data:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            grows = self.room
        if self.room is not None:
            self.room -= grows
        dies = self.change("write", inode.number, offset, data)
        if dies and grows:  # an append: any part of it
            data = data[: self.rng.randint(0, len(data))]
        elif dies:
            data = b"".join(piece for _, piece in _blocks(offset, data)[: self.rng.randint(0, 9)])
        inode.apply(offset, data)
        if dies:
            raise Crash
        return len(data)

    def truncate(self, inode: Inode, size: int) -> None:
        """Cut off what is behind."""
        if not self.change("truncate", inode.number, size):
            inode.apply(size, None)
            return
        raise Crash

    def fsync(self, number: int) -> None:
        """Of a file, or of the folder."""
        inode = self.files[number].inode
        if self.change("fsync", inode.number):
            raise Crash
        if inode is self.folder:
            self._sync_names()
        else:
            inode.sync()

    def replace(self, source: str, target: str) -> None:
        """Move a name, over another if need be."""
        inode = self.named(source)
        if self.change("replace", source, target):
            raise Crash
        if self.names.get(target) is not inode:  # of two names of one file, both stay
            del self.names[source]
        self.names[target] = inode
        self.rename()

    def link(self, source: str, target: str) -> None:
        """A second name, where the disk has such a thing."""
        if not self.links:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))
        inode = self.named(source)
        if self.change("link", source, target):
            raise Crash
        self.names[target] = inode
        self.rename()

    def unlink(self, path: str) -> None:
        """Take a name away."""
        self.named(path)
        if self.change("unlink", path):
            raise Crash
        del self.names[path]
        self.rename()

    def copy(self, source: str, target: str) -> None:
        """shutil.copy2, in two writes."""
        data = bytes(self.named(source).data)
        with self.open(target, "w", buffering=1) as file:
            file.write(data[: len(data) // 2])
            file.write(data[len(data) // 2 :])

    def stat(self, path: str) -> Any:
        """Size and number of a file."""
        return _status(self.named(path))

    def fstat(self, number: int) -> Any:
        """The same of an open one."""
        if self.dead:
            raise Crash
        return _status(self.files[number].inode)

    def exists(self, path: str) -> bool:
        """Whether there is such a name."""
        if self.dead:
            raise Crash
        return path in self.names

    def os(self) -> SimpleNamespace:
        """What stands in for the module of that name."""
        path = SimpleNamespace(
            **{name: getattr(posixpath, name) for name in ("dirname", "basename", "split")},
            splitext=posixpath.splitext,
            samefile=lambda one, other: self.named(one) is self.named(other),
            samestat=lambda one, other: one.st_ino == other.st_ino,
            realpath=lambda name: f"/{name}".replace("//", "/"),
            isfile=self.exists,
            exists=self.exists,
            lexists=self.exists,
        )
        return SimpleNamespace(
            **{name: getattr(self, name) for name in ("fsync", "replace", "link", "unlink")},
            path=path,
            stat=self.stat,
            fstat=self.fstat,
            O_RDONLY=os.O_RDONLY,
            open=lambda *_: File(self, self.folder).fileno(),
            close=self.files.pop,
        )

    def shutil(self) -> SimpleNamespace:
        """What stands in for the module of that name."""
        return SimpleNamespace(copymode=lambda *_: None, copy2=self.copy)


class File:
    """An open file."""

    def __init__(self, disk: Disk, inode: Inode, *, append: bool = False) -> None:
        self._disk, self.inode, self._append = disk, inode, append
        self.whole = False  # no write is short
        self._at = 0
        self._number = next(n for n in range(3, 1000) if n not in disk.files)
        disk.files[self._number] = self

    def fileno(self) -> int:
        """Its number among the open files."""
        return self._number

    def seek(self, offset: int) -> None:
        """Go there."""
        self._at = offset

    def read(self, size: int = -1) -> bytes:
        """What is there from here on."""
        if self._disk.dead:
            raise Crash
        end = len(self.inode.data) if size < 0 else self._at + size
        data = bytes(self.inode.data[self._at : end])
        self._at += len(data)
        return data

    def __iter__(self) -> Iterator[bytes]:
        return iter(io.BytesIO(self.inode.data))

    def write(self, data: bytes) -> int:
        """Write it here, or at the end; tell how much of it."""
        offset = len(self.inode.data) if self._append else self._at
        written = self._disk.write(self.inode, offset, bytes(data))
        self._at = offset + written
        if self.whole and written < len(data):
            written += self.write(data[written:])
        return written

    def truncate(self, size: int) -> None:
        """Cut off what is behind."""
        self._disk.truncate(self.inode, size)

    def flush(self) -> None:
        """There is no buffer."""

    def close(self) -> None:
        """Its number is free again."""
        self._disk.files.pop(self._number, None)

    def __enter__(self) -> File:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _apply(data: bytearray, offset: int, written: bytes | None) -> None:
    if written is None:
        data[offset:] = bytes(max(0, offset - len(data)))
    else:
        data.extend(bytes(max(0, offset - len(data))))
        data[offset : offset + len(written)] = written


def _blocks(offset: int, data: bytes | None) -> list[tuple[int, bytes | None]]:
    if data is None:
        return [(offset, None)]
    pieces: list[tuple[int, bytes | None]] = []
    while data:
        size = BLOCK - offset % BLOCK
        pieces.append((offset, data[:size]))
        offset, data = offset + size, data[size:]
    return pieces


def _status(inode: Inode) -> Any:
    mode = stat.S_IFREG | 0o644
    return SimpleNamespace(st_size=len(inode.data), st_ino=inode.number, st_mode=mode)
