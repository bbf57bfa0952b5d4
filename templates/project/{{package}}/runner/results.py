"""The journal: one JSON line per finished task in the results file, and where to go on.

results.jsonl        {"id": 0, "ok": true, "value": 4, "seconds": 0.012, "attempts": 1}
results.jsonl.state  what the items were; see ledger.py
results.jsonl.bak    what --fresh or --retry-failed replaces, until the new run has its first result

Each burst of outcomes is one write. Once written they survive kill -9, and with fsync a power cut.
Tasks that were running or waited for that write run again, and so do results that a power cut has
damaged; a torn last line is cut off. A line names its task, so lines come in any order.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Iterable, Iterator
from io import FileIO
from typing import Any, NamedTuple

from .failures import Failure, describe
from .ledger import JournalError, Ledger, is_at, sync_names, write_all
from .task import Burst
from .values import Encode, Unwritable, json_of, to_json

LINE = re.compile(
    rb'\{"id": (\d{1,18}), (?:"key": (?P<key>"(?:[^"\\]|\\.)*"|[^",]+), )?"ok": (true|false), '
)
BEGINNING = b'{"id": '  # of a line
GROWTH = 1 << 16  # bytes by which `done` grows at a time
GOOD, BAD, LOST = 1, 2, 3  # what `done` holds for a position; LOST is what a power cut has damaged
CHECK = 1.0  # seconds between two looks whether the results file is still there
AHEAD = 30_000  # results written just before a power cut, whose items the state may not have
HOPELESS = 20  # values that cannot be written, and none before that could: the run stops
BLOCK = 1 << 16  # bytes read at once


class Refused(JournalError):
    """The results file is in use, or not what this run would make: nothing was touched."""


class Line(NamedTuple):
    """What a line of the results says of its task."""

    id: int
    ok: bool
    key: Any = None


class Journal:
    """The results file, open and locked.

    `done` is GOOD or BAD for each position that has a result, `ok` and `failed` count them. Opening
    it changes nothing.
    """

    def __init__(
        self, name: str, *, encode: Encode | None = None, version: str = "", fsync: bool = False
    ) -> None:
        self.name = name
        self.done = bytearray()
        self.ok = self.failed = 0
        self.lost = 0  # results that a power cut has damaged
        self.written = 0  # results of this run
        self._encode, self._version, self._fsync = encode, version, fsync
        self._unwritable = 0  # of them, values that have no JSON
        self._looked = time.monotonic()
        try:
            self.path = os.path.realpath(name)
            self.ledger = Ledger(f"{self.path}.state", fsync=fsync)
            if not os.path.isfile(self.path) and os.path.exists(self.path):
                raise Refused(f"{name} is not a file; --results names another")
            self.file = FileIO(self.path, "a+")
            self._check_kind()
            status = os.fstat(self.file.fileno())
            self.size, self.has_state = status.st_size, self.ledger.load(status.st_ino)
            if not os.path.lexists(f"{self.path}.bak"):  # killed before making or after removing it
                self.ledger.backup = None
        except BlockingIOError:
            raise Refused(
                f"{name} is in use by another run: wait for it, or name another with --results"
            ) from None
        except OSError as exc:
            raise Refused(f"cannot open {name}: {exc.strerror}; --results names another") from None

    def load(self) -> None:
        """Note what is done, and cut off a torn end. Raises Refused if a line is no result."""
        self._cut_tail()
        known, done = self.ledger.known, bytearray()
        for _, result in read(self.lines(), known, self.name):
            if result is None or result.id >= known:
                self.lost += 1
            if result is not None:
                if result.id >= len(done):
                    done.extend(bytes(result.id + 1 - len(done) + GROWTH))
                done[result.id] = LOST if result.id >= known else GOOD if result.ok else BAD
        self.set_done(done)

    def set_done(self, done: bytearray) -> None:
        self.done, self.ok, self.failed = done, done.count(GOOD), done.count(BAD)

    def lines(self) -> Iterator[bytes]:
        with open(self.path, "rb") as lines:
            yield from lines

    def write(self, outcomes: Burst, keys: dict[int, Any]) -> Burst:
        """Append the outcomes. Return them; a value that has no JSON became an error.

        `keys` has the keys of items by their positions; those of the outcomes are taken out.
        """
        lines: list[str] = []
        written: Burst = []
        for outcome in outcomes:
            index, _, value, failure, seconds, attempts = outcome
            if failure is None:
                try:
                    what = f'true, "value": {json_of(value, self._encode)}'
                    self.ok += 1
                except Exception as exc:
                    why = str(exc) if isinstance(exc, Unwritable) else f"encode(): {describe(exc)}"
                    failure = Failure(f"result is not JSON: {why}", final=True)
                    outcome = outcome._replace(value=None, failure=failure)
                    self._unwritable += 1
            if failure is not None:
                origin = getattr(failure.error, "fields", "")  # of an exception
                what = f'false, "error": {to_json(failure.error)}{origin}'
                self.failed += 1
            key = f', "key": {to_json(keys.pop(index))}' if index in keys else ""
            tail = f'"seconds": {seconds:.6f}, "attempts": {attempts}}}\n'
            lines.append(f'{{"id": {index}{key}, "ok": {what}, {tail}')
            written.append(outcome)
        if written:
            self._append("".join(lines).encode(), len(lines))
            if self._unwritable == self.written >= HOPELESS:
                raise JournalError(f"stopped: of all {self.written:,} tasks the {outcome.error}")
        return written

    def close(self) -> None:
        """Release the lock. Raises JournalError when the file was removed or replaced."""
        try:
            if self.written:
                self._look()
        finally:
            self.file.close()
            self.ledger.close()

    def _append(self, data: bytes, count: int) -> None:
        try:
            self.ledger.flush()  # first, so that the state is never behind the results
            write_all(self.file, data)
            if self._fsync:
                os.fsync(self.file.fileno())
            if not self.written:
                self.settle(self.ok + self.failed - count)
        except OSError as exc:
            written = os.fstat(self.file.fileno()).st_size - self.size
            whole = data.rfind(b"\n", 0, max(0, written)) + 1
            with contextlib.suppress(OSError):
                self._cut(self.size + whole)  # no half line stays
            raise JournalError(
                f"cannot write {self.name}: {exc.strerror}; make room, and run again to continue"
            ) from None
        self.size += len(data)
        self.written += count
        if time.monotonic() - self._looked > CHECK:
            self._look()

    def settle(self, earlier: int | None = None) -> None:
        """Drop the backup. After `earlier` results, this run's work.py has made the others."""
        ledger = self.ledger
        if ledger.backup is not None:
            os.fsync(self.file.fileno())
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{self.path}.bak")
            sync_names(os.path.dirname(self.path))  # a .bak that the state forgot is the user's
            ledger.backup = None
        others = not ledger.versions or ledger.versions[-1][1] != self._version
        if earlier is not None and others:
            ledger.versions.append([earlier, self._version])
        ledger.save()
        ledger.compact()
        if self._fsync:
            sync_names(os.path.dirname(self.path))

    def others_work(self) -> list[tuple[int, int]]:
        """The first and the last number, from 1, of results that another work.py has made."""
        starts = [*(start for start, _ in self.ledger.versions), self.ok + self.failed]
        return [
            (start + 1, end)
            for (start, version), end in zip(self.ledger.versions, starts[1:], strict=True)
            if version != self._version and start < end
        ]

    def _look(self) -> None:
        """Raise JournalError if the results or their state were removed or replaced."""
        self._looked = time.monotonic()
        for file, name in ((self.file, self.path), (self.ledger.file, f"{self.path}.state")):
            if not is_at(file, name):
                raise JournalError(
                    f"{name} was removed or replaced while the run wrote to it: "
                    f"what it had written is now in {_rescue(file, name)}"
                )

    def _check_kind(self) -> None:
        """Refuse a file that never held results, even with --fresh."""
        with open(self.path, "rb") as file:
            head = file.read(BLOCK)
        first, end, _ = head.partition(b"\n")
        torn = b"\0" in first or (not end and BEGINNING.startswith(first[: len(BEGINNING)]))
        ours = LINE.match(first) or (end and parse(first)) or (torn and not self.ledger.empty)
        if head and not ours:
            raise Refused(f"{self.name} does not hold results: --results names another file")

    def _cut_tail(self) -> None:
        """Cut off a torn last line, and zeros as a power cut leaves them."""
        end = self.size
        newline = -1
        while end and newline < 0:
            begin = max(0, end - BLOCK)
            self.file.seek(begin)
            newline = self.file.read(end - begin).rfind(b"\n")
            end = begin + newline + 1
        if end < self.size:
            self._cut(end)
            self.size = end

    def _cut(self, size: int) -> None:
        """Cut off what is behind `size`, on the disk too, before anything else comes there."""
        self.file.truncate(size)
        os.fsync(self.file.fileno())


def read(lines: Iterable[bytes], known: int, name: str) -> Iterator[tuple[bytes, Line | None]]:
    """Yield each line and its result. Raises Refused for a line that is no result.

    A power cut leaves lines with zeros in them, whose result is None here, and results of items
    that are not among the `known`.
    """
    for number, line in enumerate(lines, 1):
        result = parse(line)
        if not (b"\0" in line if result is None else 0 <= result.id < known + AHEAD):
            raise Refused(
                f"{name}, line {number:,} is not a result of this input: "
                "delete the line, or start over with --fresh"
            )
        yield line, result


def parse(line: bytes) -> Line | None:
    """What a line says; None when it is no result, or has zeros in it as after a power cut."""
    if b"\0" in line:
        return None
    if match := LINE.match(line):  # as write() made it: no need to parse the value
        key = match["key"]
        return Line(int(match[1]), match[3] == b"true", json.loads(key) if key else None)
    try:  # as another tool has written it
        record = json.loads(line)
        return Line(int(record["id"]), bool(record["ok"]), record.get("key"))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def renumbered(line: bytes, index: int) -> bytes:
    """The same result with another id."""
    if match := LINE.match(line):
        return b'{"id": %d' % index + line[match.end(1) :]
    return to_json(json.loads(line) | {"id": index}).encode() + b"\n"


def _rescue(file: FileIO, name: str) -> str:
    """Copy the open file to its name or, if another file has it, next to that; return where."""
    for place in (name, *(f"{name}.rescued{number or ''}" for number in range(100))):
        try:
            with open(place, "xb") as copy:
                file.seek(0)
                while data := file.read(BLOCK):
                    copy.write(data)
        except FileExistsError:
            continue
        except OSError as exc:
            return f"no file: {exc.strerror}"
        return place
    return "no file"
