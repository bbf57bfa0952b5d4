"""Lines of a file or a pipe, as UTF-8: read in chunks, never waited for; other data is named."""

from __future__ import annotations

import codecs
import os
import queue
import select
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

CHUNK = 1 << 16  # bytes read at once: what a Linux pipe holds
SETTLED = 2.0  # seconds without a change after which a last line without its end is whole
MARKS = (  # how a text begins, longest first: UTF-32's mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
STRANGERS = (  # how files begin that are taken for text, what they are, and what to do
    (b"\x1f\x8b", "gzip: zcat it into --items -"),
    (b"PK\x03\x04", "a ZIP or an Excel workbook: save it as .csv"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook: save it as .csv"),
    (b"BZh", "bzip2: bzcat it into --items -"),
    (b"\xfd7zXZ", "xz: xzcat it into --items -"),
    (b"\x28\xb5\x2f\xfd", "zstd: zstdcat it into --items -"),
    (b"PAR1", "Parquet: name it .parquet"),
    (b"SQLite format 3", "an SQLite database: export its table as .csv"),
)


class Unreadable(ValueError):
    """What the input is, and what to do."""


class Lines:
    """The lines of a binary file, without their ends. `number` counts them, from 1."""

    def __init__(self, file: BinaryIO) -> None:
        self.number = 0
        self.bytes_read = 0  # of the lines that were handed over
        self._file = file
        status = os.fstat(file.fileno())
        self.regular = stat.S_ISREG(status.st_mode)
        self.size = status.st_size if self.regular else None  # bytes

    def __iter__(self) -> Iterator[bytes | None]:
        """Each line; None while there is nothing yet."""
        parts: list[bytes] = []  # of a line: joined once, when its end has come
        for chunk in self._text():
            if chunk is None:
                yield None
            elif b"\n" not in chunk:
                parts.append(chunk)
            else:
                first, *lines, rest = chunk.split(b"\n")
                lines.insert(0, b"".join([*parts, first]))
                parts = [rest]
                for line in lines:
                    self.number += 1
                    self.bytes_read += len(line) + 1
                    yield line
        self.number += 1
        yield b"".join(parts)

    def _text(self) -> Iterator[bytes | None]:
        """Chunks of UTF-8, whatever marked encoding the file is in."""
        decode: Callable[[bytes], str] | None = None
        head = b""
        begun = False
        for chunk in self._settled() if self.regular else self._pipe():
            if chunk is None:
                yield None
                continue
            if not begun:  # a pipe may bring its first bytes one by one
                head += chunk
                if len(head) < 4 and b"\n" not in head:
                    continue
                begun = True
                mark, encoding = _encoding(head)
                chunk = head[len(mark) :]
                if encoding != "utf-8":
                    decode = codecs.getincrementaldecoder(encoding)().decode
            if decode is not None:
                chunk = decode(chunk).encode()
            if b"\0" in chunk:
                raise Unreadable("it holds NUL bytes, as UTF-16 does: save it as UTF-8")
            yield chunk
        if not begun:
            yield head
        elif decode is not None:
            decode(b"", True)  # type: ignore[call-arg]  # raises for half a character

    def _settled(self) -> Iterator[bytes | None]:
        """Chunks of a file. If it ends within a line, wait until nobody writes to it any more."""
        end = b"\n"
        while True:
            if chunk := self._file.read(CHUNK):
                end = chunk[-1:]
                yield chunk
            elif end in b"\n\0" or self._age() > SETTLED:
                return
            else:
                yield None

    def _age(self) -> float:
        """Seconds since the file was written to; a clock that is ahead counts as long ago."""
        age = time.time() - os.fstat(self._file.fileno()).st_mtime
        return age if age >= 0 else SETTLED + 1

    def _pipe(self) -> Iterator[bytes | None]:
        """Chunks of a pipe or terminal, without ever waiting for one."""
        number = self._file.fileno()
        if sys.platform == "win32":
            yield from _read_ahead(number)
            return
        while True:
            if not select.select([number], [], [], 0)[0]:
                yield None
            elif chunk := os.read(number, CHUNK):
                yield chunk
            else:
                return


def _read_ahead(number: int) -> Iterator[bytes | None]:
    """Windows does not tell whether a pipe has something: a thread waits, one chunk ahead."""
    chunks: queue.Queue[bytes] = queue.Queue(1)
    threading.Thread(target=_fill, args=(number, chunks), daemon=True).start()
    while True:
        try:
            chunk = chunks.get_nowait()
        except queue.Empty:
            yield None
            continue
        if not chunk:
            return
        yield chunk


def _fill(number: int, chunks: queue.Queue[bytes]) -> None:
    chunk = b" "
    while chunk:
        try:
            chunk = os.read(number, CHUNK)
        except OSError:  # its writer was killed
            chunk = b""
        chunks.put(chunk)


def _encoding(head: bytes) -> tuple[bytes, str]:
    """The mark that a text begins with, and its encoding. Raises Unreadable for what is no text."""
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return mark, encoding
    for magic, what in STRANGERS:
        if head.startswith(magic):
            raise Unreadable(f"it is {what}")
    return b"", "utf-8"
