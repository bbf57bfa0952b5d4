"""The journal: one JSON line per finished task in the results file, and where to go on.

results.jsonl        {"id": 0, "ok": true, "value": 4, "seconds": 0.012, "attempts": 1}
results.jsonl.state  how many items were read, and their digest; never behind the results

Each burst of outcomes is one write. After it they survive kill -9, and with fsync a power cut too;
what kill -9 costs is the tasks that were running or waited for that write: they run again.
A torn last line is cut off on opening. A line names its task, so lines come in any order.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from io import FileIO
from json.encoder import encode_basestring_ascii
from typing import Any, Protocol

from .task import Burst, Failure, describe

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LINE = re.compile(rb'\{"id": (\d{1,18}), "ok": (true|false), ')
GROWTH = 1 << 16  # bytes by which `done` grows at a time
LOCKED_BYTE = 1 << 20  # Windows locks bytes against reading too: one behind the text
encode = json.JSONEncoder(allow_nan=False).encode  # NaN is not JSON: other tools stumble over it
QUICK: dict[type, Callable[[Any], str]] = {int: repr, str: encode_basestring_ascii}  # 1 us less


class Read(Protocol):
    """How far the input was read: all that a journal has to know of it."""

    @property
    def count(self) -> int:
        """Items read so far."""

    @property
    def digest(self) -> str:
        """Of these."""


class JournalError(Exception):
    """The results cannot be written or read: what is wrong, and what to do."""


class Refused(JournalError):
    """The results file is in use, or not what this run would make: nothing was touched."""


class Journal:
    """The results file, open and locked.

    `done` holds a 1 for each position that has a result, `ok` and `failed` count them, and
    `checked` is the count and the digest of the items that they belong to.
    """

    def __init__(
        self, name: str, *, fresh: bool = False, retry_failed: bool = False, fsync: bool = False
    ) -> None:
        self.name = name
        self.done = bytearray()
        self.ok = self.failed = 0
        self.checked: tuple[int, str] | None = None
        self._fsync = fsync
        self._noted = -1  # count of items in the state file
        try:
            self._state = FileIO(f"{name}.state", "r+", opener=_create)
            self._lock()
            if not os.path.isfile(name) and os.path.exists(name):
                raise Refused(f"{name} is not a file; --results names another")
            self._file = FileIO(name, "a+")
            if fresh:
                self._file.truncate(0)
            if os.fstat(self._file.fileno()).st_size:
                self.checked = self._load_state()
            if retry_failed:
                self._forget_failures()
            self._size = self._load()
            if not self._size:
                self.checked = None  # no result depends on the input
        except OSError as exc:
            raise Refused(f"cannot open {name}: {exc.strerror}; --results names another") from None

    def close(self) -> None:
        """Release the lock."""
        self._file.close()
        self._state.close()

    def write(self, outcomes: Burst, items: Read) -> Burst:
        """Append the outcomes. Return them; a value that JSON cannot represent became an error."""
        lines: list[str] = []
        written: Burst = []
        for outcome in outcomes:
            index, _, value, failure, seconds, attempts = outcome
            if failure is None:
                try:
                    what = f'true, "value": {QUICK.get(type(value), encode)(value)}'
                    self.ok += 1
                except Exception as exc:
                    failure = Failure(f"result is not JSON: {describe(exc)}", final=True)
                    outcome = outcome._replace(value=None, failure=failure)
            if failure is not None:
                what = f'false, "error": {encode(failure.error)}'
                self.failed += 1
            tail = f'"seconds": {seconds:.6f}, "attempts": {attempts}}}\n'
            lines.append(f'{{"id": {index}, "ok": {what}, {tail}')
            written.append(outcome)
        self._append("".join(lines).encode(), items)
        return written

    def _append(self, data: bytes, items: Read) -> None:
        try:
            if self._noted != items.count:  # first, so that it is never behind the results
                self._noted = items.count
                self._save_state(items)
            _write(self._file, data)
            if self._fsync:
                os.fsync(self._file.fileno())
        except OSError as exc:
            written = os.fstat(self._file.fileno()).st_size - self._size
            whole = data.rfind(b"\n", 0, max(0, written)) + 1
            self._file.truncate(self._size + whole)  # no half line stays
            raise JournalError(
                f"cannot write {self.name}: {exc.strerror}; make room, and run again to go on"
            ) from None
        self._size += len(data)

    def _load(self) -> int:
        """Note what is done; cut off a torn last line. Return the size in bytes."""
        size = 0
        with open(self.name, "rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.endswith(b"\n"):
                    self._file.truncate(size)
                    break
                size += len(line)
                index, ok = self._parse(line, number)
                if index >= len(self.done):
                    self.done.extend(bytes(index + 1 - len(self.done) + GROWTH))
                self.done[index] = 1
                self.ok += ok
                self.failed += not ok
        return size

    def _parse(self, line: bytes, number: int) -> tuple[int, bool]:
        if match := LINE.match(line):  # as write() made it: no need to parse the value
            index, ok = int(match[1]), match[2] == b"true"
        else:
            index, ok = self._parse_foreign(line)
        if self.checked is not None and 0 <= index < self.checked[0]:
            return index, ok
        raise Refused(
            f"{self.name}, line {number} is not a result of this input: "
            "delete the line, or start over with --fresh"
        )

    def _parse_foreign(self, line: bytes) -> tuple[int, bool]:
        """The same for a line that another tool has written; an id of -1 is none."""
        try:
            record = json.loads(line)
            return int(record["id"]), bool(record["ok"])
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return -1, False

    def _forget_failures(self) -> None:
        """Leave only the good results, in a new file that takes the place of the old."""
        with open(self.name, "rb") as old, open(f"{self.name}.new", "wb") as new:
            for number, line in enumerate(old, 1):
                if line.endswith(b"\n") and self._parse(line, number)[1]:
                    new.write(line)
        self._file.close()  # Windows does not replace an open file
        os.replace(f"{self.name}.new", self.name)
        self._file = FileIO(self.name, "a+")

    def _load_state(self) -> tuple[int, str]:
        try:
            count, digest = self._state.read().decode().split()
            return int(count), digest
        except ValueError:
            raise Refused(
                f"{self.name} has results, but {self._state.name} does not tell of which input: "
                "restore it, or start over with --fresh"
            ) from None

    def _save_state(self, items: Read) -> None:
        self._state.seek(0)
        _write(self._state, f"{items.count:020} {items.digest}\n".encode())
        if self._fsync:
            os.fsync(self._state.fileno())

    def _lock(self) -> None:
        try:
            if sys.platform == "win32":
                self._state.seek(LOCKED_BYTE)
                msvcrt.locking(self._state.fileno(), msvcrt.LK_NBLCK, 1)
                self._state.seek(0)
            else:
                fcntl.lockf(self._state, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refused(
                f"{self.name} is in use by another run: wait for it, or name another with --results"
            ) from None


def _create(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o666)


def _write(file: FileIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:  # a short write is legal: a disk that fills up, a signal
        rest = rest[file.write(rest) :]
