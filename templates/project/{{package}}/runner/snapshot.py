"""What the results hold at this moment, read without the lock: also while a run goes on."""

from __future__ import annotations

import json
import os
import time
from array import array
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from .items import CHANGED, DIGEST, Items, ItemsError
from .ledger import HEADER, areas
from .results import Refused, parse
from .task import IDLE

NOTHING = -1  # in place of an offset
LONGEST = 100  # characters of an error without a place, where failures are counted by it
TIMES = "\N{MULTIPLICATION SIGN}"
KINDS = 1000  # of failures that are told apart; more fill memory, and nobody reads them


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
        """Close the files."""
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


def count_kind(kinds: Counter[str], error: str, where: str) -> None:
    """Count a failure, by its type and place; or by its text when it has no place."""
    kind = f"{error.partition(':')[0]} at {where}" if where else error[:LONGEST]
    kinds[kind if kind in kinds or len(kinds) < KINDS else "other errors"] += 1
