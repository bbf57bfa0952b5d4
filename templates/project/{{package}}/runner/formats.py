"""The kinds of input: JSON Lines, plain lines, tables with a header, Parquet.

A format yields records, `pack()`s a record into the bytes that tell whether it has changed, and
`parse()`s it into the item that work() gets. So records that have a result are not parsed.
Lines are UTF-8, from a file or a pipe, read in chunks; nothing waits for a line, except within a
row of a table. Data of another kind is an error that names it.
"""

from __future__ import annotations

import codecs
import csv
import importlib
import json
import os
import re
import select
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any, BinaryIO

from .task import END, IDLE

if sys.platform == "win32":
    import _winapi
    import msvcrt

DELIMITERS = ",;\t|"  # of tables
LARGEST_FIELD = 2**31 - 1  # bytes of a field in a table; Python's own limit is 128 KiB
ONE_BY_ONE = "jq -c '.[]' FILE > items.jsonl makes a line of each of its items"
# What to do with files that are no input, by their suffixes.
OTHERS = {
    ".json": f"JSON is read line by line: {ONE_BY_ONE}",
    **dict.fromkeys((".gz", ".bz2", ".xz", ".zst", ".zip"), "unpack it first"),
    **dict.fromkeys((".xlsx", ".xls", ".ods"), "save it as .csv"),
}
SEPARATOR = re.compile(r"sep=(.)\s*", re.IGNORECASE)  # a first line that is meant for Excel
ROWS = 1000  # of a Parquet file that are Python objects at a time
CHUNK = 1 << 16  # bytes read at once: what a Linux pipe holds
SETTLED = 2.0  # seconds without a change after which a last line without a line end is whole
MARKS = (  # how a text begins, longest first: UTF-32's mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
STRANGERS = (  # the first bytes of files that are no text, what they are, and what to do
    (b"\x1f\x8b", "gzip: unpack it first"),
    (b"PK\x03\x04", "a ZIP or an Excel workbook: save it as .csv"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook: save it as .csv"),
    (b"BZh", "bzip2: unpack it first"),
    (b"\xfd7zXZ", "xz: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "zstd: unpack it first"),
    (b"PAR1", "Parquet: name it .parquet"),
    (b"SQLite format 3", "an SQLite database: export its table as .csv"),
)


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
        """The share of the input that was read, from 0 to 1; None for a pipe."""
        return self.lines.bytes_read / self.lines.size if self.lines.size else None

    def records(self) -> Iterator[Any]:
        """Each record; None while a pipe has nothing."""
        for line in self.lines:
            if line is None or (line := line.strip()):
                yield line

    def pack(self, record: Any) -> bytes:
        """The bytes that tell whether a record has changed."""
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


class Table(JsonLines):
    """Rows under a header, as dicts of strings; a field in quotes may span lines.

    Rows whose fields are all empty are skipped: spreadsheets leave some at the end.
    """

    hint = "a table is UTF-8 text: a header, and as many fields in each row"
    delimiter = ""  # found in the header

    def records(self) -> Iterator[Any]:
        lines, begun = iter(self.lines), list[bytes]()
        csv.field_size_limit(LARGEST_FIELD)
        reader: Any = None
        for line in lines:
            if line is None:
                yield None
                continue
            if reader is None:
                if not line.strip() or self._find_delimiter(line.decode()):
                    continue
                text = _text_of_rows(begun, lines)
                reader = csv.reader(text, delimiter=self.delimiter, strict=True)
            begun.append(line)
            try:
                row = next(reader)
            except csv.Error as exc:
                raise ValueError(str(exc)) from None
            if not any(row) and len(row) != 1:
                continue
            if self.header:
                yield row
            else:
                self._take_header(row)

    def _find_delimiter(self, first: str) -> bool:
        """Find the delimiter in the first line; return whether the line holds nothing else."""
        if self.delimiter:
            return False
        separator = SEPARATOR.fullmatch(first)
        self.delimiter = separator[1] if separator else _delimiter(first)
        if self.delimiter != ",":
            self.note = f"its fields are separated by {self.delimiter!r}"
        return separator is not None

    def _take_header(self, names: list[str]) -> None:
        self._names = [name.strip() for name in names]
        for name in self._names:
            if self._names.count(name) > 1:
                raise ValueError(f"two columns have the name {name!r}: rename one")
        self.header = self.pack(self._names)

    def pack(self, record: Any) -> bytes:
        return "\0".join(record).encode()  # no field holds a NUL

    def parse(self, record: Any) -> dict[str, str]:
        if len(record) != len(self._names):
            raise ValueError(f"{len(record)} fields under a header of {len(self._names)}")
        return dict(zip(self._names, record, strict=True))


class TabTable(Table):
    """A table with tabs between the fields."""

    delimiter = "\t"


class Parquet(JsonLines):
    """Rows of a Parquet file, as dicts, read in batches by pyarrow."""

    hint = "pyarrow cannot read it"

    def __init__(self, file: BinaryIO) -> None:
        try:
            parquet: Any = importlib.import_module("pyarrow.parquet")  # few have it
        except ImportError:
            raise ValueError("Parquet needs pyarrow: pip install pyarrow") from None
        try:
            self._table = parquet.ParquetFile(file)
        except Exception as exc:  # pyarrow has many classes of errors
            raise ValueError(str(exc)) from None
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
        self.size = status.st_size if stat.S_ISREG(status.st_mode) else None  # bytes

    def __iter__(self) -> Iterator[bytes | None]:
        """Each line; None while there is nothing yet."""
        parts: list[bytes] = []  # of a line: joined once, when its end has come
        for chunk in self._text():
            if chunk is None:
                yield None
                continue
            *lines, end = chunk.split(b"\n")
            if lines:
                lines[0] = b"".join([*parts, lines[0]])
                parts = []
            parts.append(end)
            for line in lines:
                self.number += 1
                self.bytes_read += len(line) + 1
                yield line
        self.number += 1
        yield b"".join(parts)

    def _text(self) -> Iterator[bytes | None]:
        """Chunks of UTF-8, whatever marked encoding the file is in."""
        chunks = self._pipe() if self.size is None else self._settled()
        head = b""
        for chunk in chunks:
            head += chunk or b""
            if len(head) >= len(MARKS[0][0]) or b"\n" in head:
                break
            yield None  # a pipe may bring its first bytes one by one
        mark, encoding = _encoding(head)
        decoder = codecs.getincrementaldecoder(encoding)()
        for chunk in chain([head[len(mark) :]], chunks):
            if chunk and encoding != "utf-8":
                chunk = decoder.decode(chunk).encode()
            if chunk and b"\0" in chunk:
                raise ValueError("it holds NUL bytes, as UTF-16 does: save it as UTF-8")
            yield chunk
        decoder.decode(b"", final=True)  # raises for half a character

    def _settled(self) -> Iterator[bytes | None]:
        """Chunks of a file. If it ends within a line, wait until nobody writes to it any more."""
        end = b"\n"
        while True:
            while chunk := self._file.read(CHUNK):
                end = chunk[-1:]
                yield chunk
            changed = os.fstat(self._file.fileno()).st_mtime  # in the future, if a clock is ahead
            if end in b"\n\0" or abs(time.time() - changed) > SETTLED:
                return
            yield None

    def _pipe(self) -> Iterator[bytes | None]:
        """Chunks of a pipe or terminal, without ever waiting for one."""
        number = self._file.fileno()
        while True:
            if not _has_bytes(number):
                yield None
            elif chunk := os.read(number, CHUNK):
                yield chunk
            else:
                return


def _text_of_rows(begun: list[bytes], lines: Iterator[bytes | None]) -> Iterator[str]:
    """Yield the line that a row begins with, and wait for those that it goes on with."""
    line: Any
    while (line := begun.pop() if begun else next(lines, END)) is not END:
        if line is None:
            time.sleep(IDLE)
        else:
            yield line.decode() + "\n"


def _has_bytes(pipe: int) -> bool:
    """Whether there is something to read, or the end."""
    if sys.platform == "win32":
        try:
            return _winapi.PeekNamedPipe(msvcrt.get_osfhandle(pipe))[0] != 0
        except OSError:  # it has ended; or is a console, which has to be waited for
            return True
    return bool(select.select([pipe], [], [], 0)[0])


def _encoding(head: bytes) -> tuple[bytes, str]:
    """The mark that a text begins with, and its encoding. Raises ValueError for what is no text."""
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return mark, encoding
    for magic, what in STRANGERS:
        if head.startswith(magic):
            raise ValueError(f"it is {what}")
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
    """Return the format of a file with that name. Raises ValueError."""
    suffix = os.path.splitext(name)[1].lower()
    try:
        return FORMATS[suffix]
    except KeyError:
        way_out = f": {OTHERS[suffix]}" if suffix in OTHERS else ""
        text = f"{suffix} is not a kind of input: {READ} and - are read{way_out}"
        raise ValueError(text.replace("FILE", name)) from None


def _delimiter(header: str) -> str:
    """Return what separates most names of the header; a comma when nothing does."""
    return max(DELIMITERS, key=lambda mark: len(next(csv.reader([header], delimiter=mark))))
