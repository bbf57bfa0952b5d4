"""What the results hold at this moment, joined with the items, as CSV, JSON Lines or Parquet.

They are read without the lock, so also while a run goes on. Rows go out as they are read. A table
has to know its columns first, so it goes through them twice.
"""

from __future__ import annotations

import csv
import importlib
import json
import os
import shutil
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple, TextIO

from .failures import count_kind
from .formats import Unreadable
from .items import CHANGED, DIGEST, Items, ItemsError
from .ledger import HEADER, areas
from .results import Refused, parse
from .task import IDLE
from .values import json_of

NOTHING = -1  # in place of an offset
BATCH = 1000  # rows that are written to Parquet together
KINDS = ".csv, .jsonl, .parquet"
Cells = dict[str, Any]


class Joined(NamedTuple):
    """An item and its result, None when it has none yet."""

    id: int
    item: Any
    result: dict[str, Any] | None


class Snapshot:
    """The results by position: 8 bytes for each in memory."""

    def __init__(self, name: str) -> None:
        """Raises Refused."""
        self.name, path = name, os.path.realpath(name)
        self.ok = self.failed = 0
        self._offsets = array("q")
        try:
            self._file = open(path, "rb")  # noqa: SIM115
            self._state = open(f"{path}.state", "rb")  # noqa: SIM115
        except OSError as exc:
            raise Refused(f"cannot read {exc.filename}: {exc.strerror}; run first") from None
        try:
            self._area = areas(self._state.read(HEADER), os.fstat(self._file.fileno()).st_ino)
        except ValueError:
            raise Refused(f"{name}.state does not tell of which input {name} is") from None
        self._index()

    def close(self) -> None:
        self._file.close()
        self._state.close()

    def is_one_of(self, path: str) -> bool:
        """Whether that is the file of the results or of their state."""
        if not os.path.exists(path):
            return False
        status = os.stat(path)
        files = (self._file, self._state)
        return any(os.path.samestat(status, os.fstat(file.fileno())) for file in files)

    def _index(self) -> None:
        offset = 0
        for number, line in enumerate(self._file, 1):
            if not line.endswith(b"\n"):  # torn, or being written
                break
            said = parse(line)
            if said is None or said.id < 0:
                raise Refused(f"{self.name}, line {number:,} is not a result: delete the line")
            missing = said.id + 1 - len(self._offsets)
            if missing > 0:
                self._offsets.extend(array("q", [NOTHING]) * missing)
            self._offsets[said.id] = offset
            self.ok += said.ok
            self.failed += not said.ok
            offset += len(line)

    def result(self, position: int) -> dict[str, Any] | None:
        """The result of the item at that position."""
        if position >= len(self._offsets) or self._offsets[position] == NOTHING:
            return None
        self._file.seek(self._offsets[position])
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
            said = parse(line) if line.endswith(b"\n") else None
            if said is not None and not said.ok:
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
            raise Unreadable(f"{name} is of no kind that is written: {KINDS}")
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
        kinds = {bool: pyarrow.bool_(), int: pyarrow.int64(), float: pyarrow.float64()}
        types = [kinds.get(kind, pyarrow.string()) for kind in table.kinds]
        schema = pyarrow.schema(list(zip(table.names, types, strict=True)))
        rows = iter(table.rows())
        with parquet.ParquetWriter(file.buffer, schema) as writer:
            while batch := list(islice(rows, BATCH)):
                columns = [
                    [_fit(cell, kind) for cell in column]
                    for column, kind in zip(zip(*batch, strict=True), table.kinds, strict=True)
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
        self._fields, self._results = list(fields), list(results)
        self.names = self._fields + [f"result.{x}" if x in fields else x for x in results]
        self.kinds = [*fields.values(), *results.values()]

    def rows(self) -> Iterator[list[Any]]:
        """The cells of each row; None where it has no such field."""
        for item, result in self._rows():
            fields = _cells(item, "item")
            cells = {} if self._bare else self._of_result(result)
            yield [*map(fields.get, self._fields), *map(cells.get, self._results)]

    def _of_result(self, result: dict[str, Any]) -> Cells:
        """Columns of a result: the value has its own, the traceback none: it fits in no cell."""
        kept = {name: cell for name, cell in result.items() if name not in ("value", "traceback")}
        return kept | (_cells(result["value"], "value", "value.") if "value" in result else {})


def _cells(value: Any, name: str, prefix: str = "") -> Cells:
    """An object as a cell for each of its fields, `a.b` for nested ones; anything else as one."""
    if not isinstance(value, dict):
        return {name: value}
    cells: Cells = {}
    for field, inner in value.items():
        cells |= _cells(inner, f"{prefix}{field}", f"{prefix}{field}.")
    return cells


def _widen(kinds: dict[str, type], cells: Cells) -> None:
    """The type that holds all cells of a column: text where they differ."""
    for name, cell in cells.items():
        kind = type(cell) if isinstance(cell, bool | int | float) else str
        before = kinds.get(name)
        if cell is None:
            kinds.setdefault(name, type(None))
        elif before in (None, type(None), kind):
            kinds[name] = kind
        else:
            kinds[name] = float if {before, kind} == {int, float} else str


def _fit(cell: Any, kind: type) -> Any:
    if cell is None:
        return None
    return kind(cell) if kind in (bool, int, float) else _text(cell)


def _text(cell: Any) -> str:
    """Text as it is, anything else as JSON."""
    return cell if isinstance(cell, str) else json_of(cell)


def _key(result: dict[str, Any]) -> dict[str, Any]:
    return {"key": result.pop("key")} if "key" in result else {}
