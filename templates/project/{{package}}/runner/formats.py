"""The kinds of input: JSON Lines, plain lines, tables with a header, Parquet.

A format gives records one after the other, `pack()`s one into the bytes that tell whether it has
changed, and `parse()`s one into the item that work() gets. So what is done already is not parsed.
Lines are UTF-8, of a file or a pipe: read in chunks and never waited for. Other data is named.
"""

from __future__ import annotations

import codecs
import csv
import importlib
import json
import os
import queue
import re
import select
import stat
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

DELIMITERS = ",;\t|"  # of tables
LARGEST_FIELD = 2**31 - 1  # bytes of a field in a table; Python's own limit is 128 KiB
ONE_BY_ONE = "jq -c '.[]' FILE > items.jsonl makes a line of each of its items"
# What to do with files that are no input, by their suffixes.
OTHERS = {
    ".json": f"JSON is read line by line: {ONE_BY_ONE}",
    **dict.fromkeys((".gz", ".bz2", ".xz", ".zst", ".zip"), "unpack it first"),
    **dict.fromkeys((".xlsx", ".xls", ".ods"), "save it as .csv"),
}
SEPARATOR = re.compile(r"sep=(.)\s*", re.IGNORECASE)  # a first line that Excel takes for itself
ROWS = 1000  # of a Parquet file that are Python objects at a time
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
    (b"\x1f\x8b", "gzip: unpack it first"),
    (b"PK\x03\x04", "a ZIP or an Excel workbook: save it as .csv"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook: save it as .csv"),
    (b"BZh", "bzip2: unpack it first"),
    (b"\xfd7zXZ", "xz: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "zstd: unpack it first"),
    (b"PAR1", "Parquet: name it .parquet"),
    (b"SQLite format 3", "an SQLite database: export its table as .csv"),
)


class Unreadable(ValueError):
    """What the input is, and what to do."""


class JsonLines:
    """One JSON value per line. Blank lines are not items."""

    hint = "an item is JSON on one line; a .txt holds plain lines, a .csv a table"
    header = b""  # what belongs to every record
    note = ""  # what the user should know about how it is read
    types: Mapping[str, Any] = {}  # of columns, as Parquet has them

    def __init__(self, file: BinaryIO) -> None:
        self.lines = Lines(file)

    @property
    def line(self) -> int:
        """Where the last record ended."""
        return self.lines.number

    @property
    def share(self) -> float | None:
        """How much of the input was read, from 0 to 1; None of a pipe."""
        return self.lines.bytes_read / self.lines.size if self.lines.size else None

    def records(self) -> Iterator[Any]:
        """Each record; None while a pipe has nothing."""
        for line in self.lines:
            if line is None or (line := line.strip()):
                yield line

    def pack(self, record: Any) -> bytes:
        """What tells whether a record has changed."""
        return record  # type: ignore[no-any-return]

    def parse(self, record: Any) -> Any:
        """The item. Raises ValueError."""
        try:
            return json.loads(record.decode())
        except json.JSONDecodeError as exc:
            if self.line == 1 and record in (b"[", b"{"):
                raise ValueError(f"it is one JSON document on many lines: {ONE_BY_ONE}") from None
            raise exc


class PlainLines(JsonLines):
    """One text per line."""

    hint = "a .txt is text in UTF-8"

    def parse(self, record: Any) -> str:
        return record.decode()  # type: ignore[no-any-return]


class Incomplete(Exception):
    """The next row wants a line that is not there yet."""


class Feed:
    """Lines for a csv.reader, which asks for all that a row has; those of a half row come back."""

    def __init__(self, lines: Lines) -> None:
        self._lines = iter(lines)
        self._row: list[str] = []
        self._again: deque[str] = deque()

    def __iter__(self) -> Feed:
        return self

    def __next__(self) -> str:
        if self._again:
            line = self._again.popleft()
        elif (raw := next(self._lines)) is None:
            self._again.extend(self._row)
            self._row.clear()
            raise Incomplete
        else:
            line = raw.decode() + "\n"
        self._row.append(line)
        return line

    def row_is_read(self) -> None:
        self._row.clear()

    def peek(self) -> str:
        """The first line that is not blank, which stays."""
        while not (line := next(self)).strip():
            self._row.clear()
        self._row.clear()
        self._again.appendleft(line)
        return line


class Table(JsonLines):
    """Rows under a header, as dicts of strings; a field in quotes may span lines.

    Rows whose fields are all empty are none: spreadsheets leave some at the end.
    """

    hint = "a table is UTF-8 text: a header, and as many fields in each row"
    delimiter = ""  # found in the header

    def records(self) -> Iterator[Any]:
        feed = Feed(self.lines)
        reader: Any = None
        while True:
            try:
                if reader is None:
                    reader = self._reader(feed)
                row = next(reader)
            except Incomplete:
                yield None
                continue
            except StopIteration:
                return
            except csv.Error as exc:
                raise ValueError(str(exc)) from None
            feed.row_is_read()
            if not any(row) and len(row) != 1:
                continue
            if self.header:
                yield row
            else:
                self._take_header(row)

    def _reader(self, feed: Feed) -> Any:
        csv.field_size_limit(LARGEST_FIELD)
        if not self.delimiter:
            first = feed.peek()
            if said := SEPARATOR.fullmatch(first):
                next(feed)
                feed.row_is_read()
            self.delimiter = said[1] if said else _delimiter(first)
            if self.delimiter != ",":
                self.note = f"its fields are separated by {self.delimiter!r}"
        return csv.reader(feed, delimiter=self.delimiter, strict=True)

    def _take_header(self, names: list[str]) -> None:
        names = [name.strip() for name in names]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two columns have the name {name!r}: rename one")
        self._names = names
        self.header = self.pack(names)

    def pack(self, record: Any) -> bytes:
        return "\0".join(record).encode()  # no field holds a NUL

    def parse(self, record: Any) -> dict[str, str]:
        if len(record) != len(self._names):
            raise ValueError(f"{len(record)} fields under a header of {len(self._names)}")
        return dict(zip(self._names, record, strict=True))


class TabTable(Table):
    """The same with tabs between the fields."""

    delimiter = "\t"


class Parquet(JsonLines):
    """Rows of a Parquet file, as dicts, read in batches by pyarrow."""

    hint = "pyarrow cannot read it"

    def __init__(self, file: BinaryIO) -> None:
        try:
            parquet: Any = importlib.import_module("pyarrow.parquet")  # few have it
        except ImportError:
            raise Unreadable("Parquet needs pyarrow: pip install pyarrow") from None
        try:
            self._table = parquet.ParquetFile(file)
        except Exception as exc:  # a class for each thing that can be wrong
            raise Unreadable(str(exc)) from None
        self.header = str(self._table.schema_arrow).encode()
        self.types = {field.name: field.type for field in self._table.schema_arrow}
        self._rows = self._table.metadata.num_rows
        self._read = 0

    @property
    def line(self) -> int:
        return self._read

    @property
    def share(self) -> float | None:
        return self._read / self._rows if self._rows else None

    def records(self) -> Iterator[Any]:
        for batch in self._table.iter_batches(ROWS):
            for row in batch.to_pylist():
                self._read += 1
                yield row

    def pack(self, record: Any) -> bytes:
        return repr(record).encode(errors="surrogatepass")

    def parse(self, record: Any) -> Any:
        return record


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


FORMATS: dict[str, Callable[[BinaryIO], JsonLines]] = {
    ".jsonl": JsonLines,
    ".ndjson": JsonLines,
    ".csv": Table,
    ".tsv": TabTable,
    ".txt": PlainLines,
    ".parquet": Parquet,
    "": JsonLines,  # `-`, /dev/fd/63
}
READ = ", ".join(list(FORMATS)[:-1])


def format_of(name: str) -> Callable[[BinaryIO], JsonLines]:
    """How to read a file of that name. Raises Unreadable."""
    suffix = os.path.splitext(name)[1].lower()
    try:
        return FORMATS[suffix]
    except KeyError:
        way_out = f": {OTHERS[suffix]}" if suffix in OTHERS else ""
        text = f"{suffix} is not a kind of input: {READ} and - are read{way_out}"
        raise Unreadable(text.replace("FILE", name)) from None


def _delimiter(header: str) -> str:
    """What separates most names; a comma when nothing does."""
    return max(DELIMITERS, key=lambda mark: len(next(csv.reader([header], delimiter=mark))))
