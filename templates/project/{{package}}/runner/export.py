"""`export` and `status`: what the results hold at this moment, joined with the items.

They need no lock, so they also work while a run goes on. Rows are written as they are read, as CSV,
JSON Lines or Parquet. CSV and Parquet need to know all columns first, and read the rows twice.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import islice, takewhile
from math import isfinite
from typing import Any, TextIO

from .failures import count_kind, most_frequent
from .items import CHANGED, Items, ItemsError
from .ledger import DIGEST, HEADER, header_of, is_at
from .lifecycle import OK
from .prints import answering, say
from .results import Refused, read
from .values import json_of

OFFSET = 8  # bytes that say where a result begins
HELD = OFFSET << 20  # bytes of offsets in memory: beyond, they are on the disk
BATCH = 1000  # rows that are written to Parquet together
LARGEST = 2**63  # beyond, Parquet has no integers
KINDS = ".csv, .jsonl, .parquet"
MOST = 10  # kinds of failures that `status` names
Cells = dict[str, Any]


def export(args: argparse.Namespace) -> int:
    """join items and results in the order of the input"""
    with (
        closing(Items(args.items, args.key, say)) as items,
        closing(Snapshot(args.results)) as snapshot,
    ):
        if not items.rewinds:
            raise ItemsError("export reads its items more than once: --items names a file")
        rows = Export(snapshot, items, failed=args.failed, ok=args.ok)
        if args.file is None:
            with answering():
                rows.lines(sys.stdout)
            return OK
        if items.is_one_of(args.file) or snapshot.is_one_of(args.file):
            raise Refused(f"{args.file} is the input of the export: name another file")
        try:
            rows.write(args.file)
        except OSError as exc:
            raise Refused(f"cannot write {args.file}: {exc.strerror}") from None
    missing = f"; {rows.missing:,} items have no result yet" if rows.missing else ""
    say(f"{rows.count:,} {'items' if args.failed else 'rows'} in {args.file}{missing}")
    return OK


def status(args: argparse.Namespace) -> int:
    """count what is done, what failed and why, and what is left"""
    kinds: Counter[str] = Counter()  # of failures
    with (
        closing(Items(args.items, args.key, say)) as items,
        closing(Snapshot(args.results, kinds)) as snapshot,
    ):
        lines = [f"{snapshot.ok:,} ok", f"{snapshot.failed:,} failed"]
        lines += most_frequent(kinds, MOST)
        if items.rewinds:
            left = sum(1 for _ in items.whole()) - snapshot.ok - snapshot.failed
            lines.append(f"{max(0, left):,} left")
    with answering():
        print("\n".join(lines))
    return OK


class Snapshot:
    """The results at this moment. A temporary file has where each begins: memory stays flat."""

    def __init__(self, name: str, kinds: Counter[str] | None = None) -> None:
        """`kinds` gets the count of each kind of failure. Raises Refused."""
        from tempfile import SpooledTemporaryFile  # a run does without: 10 ms

        self.ok = self.failed = 0
        self._kinds = kinds
        path = os.path.realpath(name)
        try:
            self._file = open(path, "rb")  # noqa: SIM115
            self._state = open(f"{path}.state", "rb")  # noqa: SIM115
        except OSError as exc:
            raise Refused(f"cannot read {exc.filename}: {exc.strerror}; run first") from None
        results = os.fstat(self._file.fileno())
        header = header_of(self._state.read(HEADER), results.st_ino)
        if header is None and results.st_size:
            raise Refused(f"{name}.state does not tell which input {name} is of")
        self._area: int = header["area"] if header else HEADER  # no header: there are no results
        known = (os.fstat(self._state.fileno()).st_size - self._area) // DIGEST
        self._begins = SpooledTemporaryFile(HELD)  # noqa: SIM115
        try:
            self._index(name, results.st_size, known)
            self._begins.flush()
        except OSError as exc:
            raise Refused(f"cannot write a temporary file: {exc.strerror}") from None

    def close(self) -> None:
        self._begins.close()
        self._file.close()
        self._state.close()

    def is_one_of(self, path: str) -> bool:
        """Whether that is the file of the results or of their state."""
        return is_at(self._file, path) or is_at(self._state, path)

    def _index(self, name: str, size: int, known: int) -> None:
        begin = following = 0
        whole = takewhile(lambda line: line.endswith(b"\n"), self._file)  # the last may be torn
        for line, result in read(whole, known, name):
            if result is not None and result.id < known:
                if result.id != following:
                    self._begins.seek(OFFSET * result.id)
                self._begins.write((begin + 1).to_bytes(OFFSET, "little"))
                following = result.id + 1
                self.ok += result.ok
                self.failed += not result.ok
                if self._kinds is not None and not result.ok:
                    record = json.loads(line)
                    count_kind(self._kinds, record.get("error", ""), record.get("where", ""))
            begin += len(line)
            if begin >= size:  # more came since
                break

    def join(self, items: Items) -> Iterator[tuple[int, Any, dict[str, Any] | None]]:
        """Every position with its item and its result, None when it has none yet."""
        self._state.seek(self._area)
        self._begins.seek(0)
        for position, record, digest in items.whole():
            begin = int.from_bytes(self._begins.read(OFFSET), "little") - 1
            before, result = self._state.read(DIGEST), None
            if begin >= 0:
                if before != digest:
                    raise ItemsError(f"{items.place}: the item {CHANGED}: restore it, or run again")
                self._file.seek(begin)
                result = json.loads(self._file.readline())
            yield position, items.parse(record), result


class Export:
    """Items with their results: all, only good ones, or only failed items, to be run again."""

    def __init__(
        self, snapshot: Snapshot, items: Items, *, failed: bool = False, ok: bool = False
    ) -> None:
        self._snapshot, self._items = snapshot, items
        self._only = False if failed else True if ok else None
        self._bare = failed
        self.count = self.missing = 0  # rows, and items without a result

    def write(self, name: str) -> None:
        """Write the rows to the file, whole or not at all. Raises Refused, OSError, ItemsError."""
        suffix = os.path.splitext(name)[1].lower()
        write = {".csv": self._csv, ".jsonl": self.lines, ".parquet": self._parquet}.get(suffix)
        if write is None:
            raise Refused(f"{name} has no suffix that can be written: {KINDS}")
        path = os.path.realpath(name)
        new = f"{path}.{os.getpid()}.new"
        try:
            with open(new, "x", encoding="utf-8", newline="") as file:
                write(file)
            if os.path.exists(path):
                shutil.copymode(path, new)
            os.replace(new, path)
        finally:
            if os.path.exists(new):
                os.unlink(new)

    def lines(self, file: TextIO) -> None:
        """Write the rows as JSON Lines."""
        for item, result in self._rows():
            row = item = _without_nan(item)
            if not self._bare:
                first = {name: result.pop(name) for name in ("id", "key") if name in result}
                row = first | {"item": item} | result
            file.write(json_of(row) + "\n")

    def _csv(self, file: TextIO) -> None:
        columns, rows = self._table()
        writer = csv.writer(file)
        writer.writerow([name for name, _ in columns])
        for cells in rows:
            writer.writerow(["" if cell is None else _text(cell) for cell in cells])

    def _parquet(self, file: TextIO) -> None:
        try:
            pyarrow: Any = importlib.import_module("pyarrow")
            parquet: Any = importlib.import_module("pyarrow.parquet")
        except ImportError:
            raise Refused("Parquet needs pyarrow: pip install pyarrow") from None
        columns, rows = self._table()
        own = self._items.types
        arrow: Any = {bool: pyarrow.bool_(), int: pyarrow.int64(), float: pyarrow.float64()}
        schema = pyarrow.schema(
            [(name, own.get(name) or arrow.get(kind, pyarrow.string())) for name, kind in columns]
        )
        with parquet.ParquetWriter(file.buffer, schema) as writer:
            while batch := list(islice(rows, BATCH)):
                arrays = [
                    cells if name in own else [_as(kind, cell) for cell in cells]
                    for (name, kind), cells in zip(columns, zip(*batch, strict=True), strict=True)
                ]
                writer.write_table(pyarrow.table(arrays, schema=schema))

    def _table(self) -> tuple[list[tuple[str, type]], Iterator[list[Any]]]:
        """The columns, each with the type that holds its cells; and the rows.

        The item's fields come first, in the order of their appearance, then those of the result.
        """
        fields: dict[str, type] = {}
        results: dict[str, type] = {}
        for item, result in self._cells():
            _widen(fields, item)
            _widen(results, result)
        columns, own = list(fields.items()), fields.keys() | self._items.types.keys()
        for name, kind in results.items():
            columns.append((f"result.{name}" if name in own else name, kind))
        cells = self._cells()
        rows = ([*map(item.get, fields), *map(result.get, results)] for item, result in cells)
        return columns, rows

    def _cells(self) -> Iterator[tuple[Cells, Cells]]:
        """The cells of each item, and of its result with its value, but without its traceback."""
        for item, result in self._rows():
            value = _cells(result.pop("value"), "value", "value.") if "value" in result else {}
            result.pop("traceback", None)
            yield _cells(item, "item"), {} if self._bare else result | value

    def _rows(self) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Each item with its result."""
        self._items.rewind()
        self.count = self.missing = 0
        for _, item, result in self._snapshot.join(self._items):
            if result is None:
                self.missing += 1
            elif self._only in (None, result["ok"]):
                self.count += 1
                yield item, result


def _cells(value: Any, name: str, prefix: str = "") -> Cells:
    """Return a cell for each field of an object, `a.b` if nested; one cell for anything else."""
    if not isinstance(value, dict):
        return {name: _without_nan(value)}
    cells: Cells = {}
    for field, inner in value.items():
        cells |= _cells(inner, f"{prefix}{field}", f"{prefix}{field}.")
    return cells


def _widen(kinds: dict[str, type], cells: Cells) -> None:
    """Widen the type of each column so that it holds these cells: text where types differ."""
    for name, cell in cells.items():
        kind = type(cell) if isinstance(cell, bool | int | float) else str
        if kind is int and not -LARGEST <= cell < LARGEST:
            kind = str
        before = kinds.get(name)
        if cell is None:
            kinds.setdefault(name, type(None))
        elif before in (None, type(None), kind):
            kinds[name] = kind
        else:
            kinds[name] = float if {before, kind} == {int, float} else str


def _without_nan(value: Any) -> Any:
    """Return the value with None for NaN, which stands for a missing cell, and for infinities."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {name: _without_nan(part) for name, part in value.items()}
    return [_without_nan(part) for part in value] if isinstance(value, list) else value


def _as(kind: type, cell: Any) -> Any:
    if cell is None:
        return None
    return kind(cell) if kind in (bool, int, float) else _text(cell)


def _text(cell: Any) -> str:
    """Return text without quotes, also for times and bytes; anything else as JSON."""
    text = cell if isinstance(cell, str) else json_of(cell)
    return json.loads(text) if text is not cell and text[0] == '"' else text
