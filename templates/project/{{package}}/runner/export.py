"""`export` and `status`: what the results hold at this moment, joined with the items.

They are read without the lock, so also while a run goes on. Rows go out as they are read: as CSV,
JSON Lines or Parquet. A table has to know its columns first, so it goes through them twice.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import importlib
import json
import mmap
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from math import isfinite
from tempfile import TemporaryFile
from typing import Any, BinaryIO, NamedTuple, TextIO, cast

from .failures import count_kind, most_frequent
from .formats import Unreadable
from .items import CHANGED, DIGEST, Items, ItemsError
from .ledger import HEADER, areas
from .lifecycle import OK
from .prints import answering, say
from .results import AHEAD, Refused, parse
from .task import IDLE
from .values import json_of

HELD = 1 << 20  # offsets in memory, 8 bytes each
BATCH = 1000  # rows that are written to Parquet together
LARGEST = 2**63  # beyond, Parquet has no integers
KINDS = ".csv, .jsonl, .parquet"
MOST = 10  # kinds of failures that `status` names
Cells = dict[str, Any]


def export(args: argparse.Namespace) -> int:
    """join items and results in the order of the input"""
    with _opened(args) as (items, snapshot):
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
        except Unreadable as exc:
            raise Refused(str(exc)) from None
        except OSError as exc:
            raise Refused(f"cannot write {args.file}: {exc.strerror}") from None
    missing = f"; {rows.missing:,} items have no result yet" if rows.missing else ""
    say(f"{rows.count:,} {'items' if args.failed else 'rows'} in {args.file}{missing}")
    return OK


def status(args: argparse.Namespace) -> int:
    """count what is done, what failed and why, and what is left"""
    with _opened(args) as (items, snapshot):
        total = sum(record is not None for _, record, _ in items.records()) if items.rewinds else 0
        done = snapshot.ok + snapshot.failed
        lines = [f"{snapshot.ok:,} ok", f"{snapshot.failed:,} failed"]
        lines += most_frequent(snapshot.failures(), MOST)
        if items.rewinds:
            lines.append(f"{max(0, total - done):,} left")
    with answering():
        print("\n".join(lines))
    return OK


@contextlib.contextmanager
def _opened(args: argparse.Namespace) -> Iterator[tuple[Items, Snapshot]]:
    with (
        contextlib.closing(Items(args.items, args.key, say)) as items,
        contextlib.closing(Snapshot(args.results)) as snapshot,
    ):
        yield items, snapshot


class Joined(NamedTuple):
    """An item and its result, None when it has none yet."""

    id: int
    item: Any
    result: dict[str, Any] | None


class Offsets:
    """Where each result begins, by position, in a file of its own: memory stays flat."""

    def __init__(self, count: int, folder: str) -> None:
        size = 8 * max(1, count)
        # The folder may be somebody else's, its disk may be full, and that of others, too.
        self._file = _zeros(size, folder) or _zeros(size, None)
        self._map = mmap.mmap(self._file.fileno() if self._file else -1, size)
        self._begins = memoryview(self._map).cast("q")
        self._touched = 0

    def __getitem__(self, position: int) -> int:
        self._touch()
        return self._begins[position] - 1

    def __setitem__(self, position: int, offset: int) -> None:
        self._touch()
        self._begins[position] = offset + 1

    def _touch(self) -> None:
        """Now and then, let go of what is in memory; the file has it. Windows does so itself."""
        self._touched += 1
        if self._file and sys.platform != "win32" and self._touched % HELD == 0:
            self._map.madvise(mmap.MADV_DONTNEED)

    def close(self) -> None:
        """And gone."""
        self._begins.release()
        self._map.close()
        if self._file:
            self._file.close()


def _zeros(size: int, folder: str | None) -> BinaryIO | None:
    """A file that has its blocks, or None: to write into a mapping on a full disk is SIGBUS."""
    try:
        with contextlib.ExitStack() as closing:
            file = closing.enter_context(TemporaryFile(dir=folder))
            for begin in range(0, size, HELD):
                file.write(bytes(min(HELD, size - begin)))
            file.flush()
            closing.pop_all()
            return cast("BinaryIO", file)
    except OSError:
        return None


class Snapshot:
    """The results by position, as they are at this moment."""

    def __init__(self, name: str) -> None:
        """Raises Refused."""
        self.name = name
        self.ok = self.failed = 0
        try:
            path = os.path.realpath(name)
            self._file = open(path, "rb")  # noqa: SIM115
            self._state = open(f"{path}.state", "rb")  # noqa: SIM115
        except OSError as exc:
            raise Refused(f"cannot read {exc.filename}: {exc.strerror}; run first") from None
        results = os.fstat(self._file.fileno())
        try:
            self._area = areas(self._state.read(HEADER), results.st_ino)
        except ValueError:
            if results.st_size:
                raise Refused(f"{name}.state does not tell which input {name} is of") from None
            self._area = HEADER  # there was no item
        known = os.fstat(self._state.fileno()).st_size - self._area  # all of those results
        self._count = max(0, known // DIGEST)
        self._offsets = Offsets(self._count, os.path.dirname(path))
        self._index(results.st_size)

    def close(self) -> None:
        """Close the files."""
        self._offsets.close()
        self._file.close()
        self._state.close()

    def is_one_of(self, path: str) -> bool:
        """Whether that is the file of the results or of their state."""
        if not os.path.exists(path):
            return False
        status = os.stat(path)
        files = (self._file, self._state)
        return any(os.path.samestat(status, os.fstat(file.fileno())) for file in files)

    def _index(self, size: int) -> None:
        offset = 0
        for number, line in enumerate(self._file, 1):
            if offset >= size or not line.endswith(b"\n"):  # torn, or being written
                break
            result = parse(line)
            # What a power cut left, the next run repairs.
            ahead = result is not None and self._count <= result.id < self._count + AHEAD
            if ahead or (result is None and b"\0" in line):
                offset += len(line)
                continue
            if result is None or not 0 <= result.id < self._count:
                raise Refused(f"{self.name}, line {number:,} is not a result: delete the line")
            self._offsets[result.id] = offset
            self.ok += result.ok
            self.failed += not result.ok
            offset += len(line)

    def result(self, position: int) -> dict[str, Any] | None:
        """The result of the item at that position."""
        if position >= self._count or (offset := self._offsets[position]) < 0:
            return None
        self._file.seek(offset)
        return json.loads(self._file.readline())  # type: ignore[no-any-return]

    def join(self, items: Items) -> Iterator[Joined]:
        """Every item with its result, in the order of the input. Raises ItemsError."""
        self._state.seek(self._area)
        for position, record, digest in items.records():
            if record is None:
                time.sleep(IDLE)
                continue
            result = self.result(position)
            if self._state.read(DIGEST) != digest and result is not None:
                raise ItemsError(f"{items.place}: the item {CHANGED}: restore it, or run again")
            yield Joined(position, items.parse(record), result)

    def failures(self) -> Counter[str]:
        """How often each kind of failure is there."""
        kinds: Counter[str] = Counter()
        self._file.seek(0)
        for line in self._file:
            result = parse(line) if line.endswith(b"\n") else None
            if result is not None and not result.ok:
                record = json.loads(line)
                count_kind(kinds, record["error"], record.get("where", ""))
        return kinds


class Export:
    """The rows: all, only good ones, or only failed items, as they can be run again."""

    def __init__(
        self, snapshot: Snapshot, items: Items, *, failed: bool = False, ok: bool = False
    ) -> None:
        self._snapshot, self._items = snapshot, items
        self._only = False if failed else True if ok else None
        self._bare = failed
        self.count = self.missing = 0  # rows, and items without a result

    def write(self, name: str) -> None:
        """Write them to the file, whole or not at all. Raises Unreadable, OSError, ItemsError."""
        suffix = os.path.splitext(name)[1].lower()
        write = {".csv": self._csv, ".jsonl": self.lines, ".parquet": self._parquet}.get(suffix)
        if write is None:
            raise Unreadable(f"{name} has no suffix that can be written: {KINDS}")
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
        """Write them as JSON Lines."""
        for item, result in self._rows():
            item = _without_nan(item)
            row = item if self._bare else {"id": result.pop("id"), **_key(result), "item": item}
            file.write(json_of(row if self._bare else row | result) + "\n")

    def _csv(self, file: TextIO) -> None:
        table = self._table()
        writer = csv.writer(file)
        writer.writerow(table.names)
        for cells in table.rows():
            writer.writerow(["" if cell is None else _text(cell) for cell in cells])

    def _parquet(self, file: TextIO) -> None:
        try:
            pyarrow: Any = importlib.import_module("pyarrow")
            parquet: Any = importlib.import_module("pyarrow.parquet")
        except ImportError:
            raise Unreadable("Parquet needs pyarrow: pip install pyarrow") from None
        table = self._table()
        own = {name: self._items.types[name] for name in table.fields if name in self._items.types}
        arrow: Any = {bool: pyarrow.bool_(), int: pyarrow.int64(), float: pyarrow.float64()}
        kinds = [
            (name, None if name in own else kind)
            for name, kind in zip(table.names, table.kinds, strict=True)
        ]
        types = [(name, own.get(name) or arrow.get(kind, pyarrow.string())) for name, kind in kinds]
        schema = pyarrow.schema(types)
        rows = iter(table.rows())
        with parquet.ParquetWriter(file.buffer, schema) as writer:
            while batch := list(islice(rows, BATCH)):
                columns = [
                    column if kind is None else [_fit(cell, kind) for cell in column]
                    for column, (_, kind) in zip(zip(*batch, strict=True), kinds, strict=True)
                ]
                writer.write_table(pyarrow.table(columns, schema=schema))

    def _table(self) -> Table:
        return Table(lambda: self._rows(), bare=self._bare)

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


class Table:
    """Rows as cells: the item's fields, then what is in the result. Nested values are flattened."""

    def __init__(
        self, rows: Callable[[], Iterable[tuple[Any, dict[str, Any]]]], *, bare: bool
    ) -> None:
        self._rows, self._bare = rows, bare
        fields: dict[str, type] = {}  # of items, by their names, in the order of their appearance
        results: dict[str, type] = {}
        for item, result in rows():
            _widen(fields, _cells(item, "item"))
            if not bare:
                _widen(results, self._of_result(result))
        self.fields, self._results = list(fields), list(results)
        self.names = self.fields + [
            f"result.{field}" if field in fields else field for field in results
        ]
        self.kinds = [*fields.values(), *results.values()]

    def rows(self) -> Iterator[list[Any]]:
        """The cells of each row; None where it has no such field."""
        for item, result in self._rows():
            fields = _cells(item, "item")
            cells = {} if self._bare else self._of_result(result)
            yield [*map(fields.get, self.fields), *map(cells.get, self._results)]

    def _of_result(self, result: dict[str, Any]) -> Cells:
        """Columns of a result: the value has its own, the traceback none: it fits in no cell."""
        kept = {name: cell for name, cell in result.items() if name not in ("value", "traceback")}
        return kept | (_cells(result["value"], "value", "value.") if "value" in result else {})


def _cells(value: Any, name: str, prefix: str = "") -> Cells:
    """An object as a cell for each of its fields, `a.b` for nested ones; anything else as one."""
    if not isinstance(value, dict):
        return {name: _without_nan(value)}
    cells: Cells = {}
    for field, inner in value.items():
        cells |= _cells(inner, f"{prefix}{field}", f"{prefix}{field}.")
    return cells


def _widen(kinds: dict[str, type], cells: Cells) -> None:
    """The type that holds all cells of a column: text where they differ."""
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
    """None in place of each NaN, which is what they stand for in tables, and infinity."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {name: _without_nan(part) for name, part in value.items()}
    return [_without_nan(part) for part in value] if isinstance(value, list) else value


def _fit(cell: Any, kind: type) -> Any:
    if cell is None:
        return None
    return kind(cell) if kind in (bool, int, float) else _text(cell)


def _text(cell: Any) -> str:
    """Text as it is, also that of times and bytes; anything else as JSON."""
    text = cell if isinstance(cell, str) else json_of(cell)
    return json.loads(text) if text is not cell and text[0] == '"' else text


def _key(result: dict[str, Any]) -> dict[str, Any]:
    return {"key": result.pop("key")} if "key" in result else {}
