"""The kinds of input: JSON Lines, plain lines, tables with a header, Parquet.

A format gives records one after the other, `pack()`s one into the bytes that tell whether it has
changed, and `parse()`s one into the item that work() gets. So what is done already is not parsed.
"""

from __future__ import annotations

import csv
import importlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from .reading import Lines, Unreadable

DELIMITERS = ",;\t|"
LARGEST_FIELD = 2**31 - 1  # bytes of a field in a table; Python's own limit is 128 KiB
ROWS = 1000  # of a Parquet file that are Python objects at a time


class JsonLines:
    """One JSON value per line. Blank lines are not items."""

    hint = "an item is JSON on one line; a .txt holds plain lines, a .csv a table"
    header = b""  # what belongs to every record
    note = ""  # what the user should know about how it is read

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
        return json.loads(record.decode())


class PlainLines(JsonLines):
    """One text per line."""

    hint = "a .txt is text in UTF-8"

    def parse(self, record: Any) -> str:
        """The line."""
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
        """Its lines are not needed again."""
        self._row.clear()

    def peek(self) -> str:
        """The first line that is not blank, which stays."""
        while not (line := next(self)).strip():
            self._row.clear()
        self._row.clear()
        self._again.appendleft(line)
        return line


class Table(JsonLines):
    """Rows under a header, as dicts of strings; a field in quotes may span lines."""

    hint = "a table is UTF-8 text: a header, and as many fields in each row"
    delimiter = ""  # found in the header

    def records(self) -> Iterator[Any]:
        """Each row that has fields."""
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
            if row and self.header:
                yield row
            elif row:
                self._take_header(row)

    def _reader(self, feed: Feed) -> Any:
        csv.field_size_limit(LARGEST_FIELD)
        if not self.delimiter:
            self.delimiter = _delimiter(feed.peek())
            if self.delimiter != ",":
                self.note = f"its fields are separated by {self.delimiter!r}"
        return csv.reader(feed, delimiter=self.delimiter, strict=True)

    def _take_header(self, names: list[str]) -> None:
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two columns have the name {twice!r}")
        self._names = names
        self.header = self.pack(names)

    def pack(self, record: Any) -> bytes:
        """The fields, with what no field can hold between them."""
        return "\0".join(record).encode()

    def parse(self, record: Any) -> dict[str, str]:
        """Its fields by their names."""
        if len(record) != len(self._names):
            raise ValueError(f"{len(record)} fields under a header of {len(self._names)}")
        return dict(zip(self._names, record, strict=True))


class TabTable(Table):
    """The same with tabs."""

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
        self._rows = self._table.metadata.num_rows
        self._read = 0

    @property
    def line(self) -> int:
        """The number of the row, from 1."""
        return self._read

    @property
    def share(self) -> float | None:
        """How much of the input was read, from 0 to 1."""
        return self._read / self._rows if self._rows else None

    def records(self) -> Iterator[Any]:
        """Each row."""
        for batch in self._table.iter_batches(ROWS):
            for row in batch.to_pylist():
                self._read += 1
                yield row

    def pack(self, record: Any) -> bytes:
        """Its values in words."""
        return repr(record).encode(errors="surrogatepass")

    def parse(self, record: Any) -> Any:
        """It is one."""
        return record


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
        raise Unreadable(f"{suffix} is not a kind of input: {READ} and - are read") from None


def _delimiter(header: str) -> str:
    """What separates most names; a comma when nothing does."""
    return max(DELIMITERS, key=lambda mark: len(next(csv.reader([header], delimiter=mark))))
