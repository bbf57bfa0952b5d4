"""The input: the items of the file that --items names, read as they are needed.

The id of an item is its position among the items, from 0. Its key is the value of the field that
--key names. Its digest tells the next run whether it is still the same.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from .formats import ONE_BY_ONE, format_of
from .ledger import DIGEST, is_at
from .prints import to_type
from .task import END, IDLE, Numbered

if TYPE_CHECKING:
    from .results import Journal

KEYS_WATCHED = 1_000_000  # keys that are looked through for duplicates, 100 bytes each
SHOWN = 3  # duplicate keys that are named
CHANGED = "has changed since its result was made"


class ItemsError(Exception):
    """The input cannot be used: what is wrong, and where."""


class Items:
    """The items of a file, or of `-`, which is JSON Lines from standard input.

    With a key, `keys` has the keys of the items that were handed out, until somebody takes them.
    `tell` gets what the user should know about the input.
    """

    def __init__(
        self, name: str, key: str | None = None, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self.name, self.key = name, key
        self.count = 0  # items read
        self.keys: dict[int, Any] = {}  # by position
        self._tell, self._noted = tell, False
        self._seen: set[Any] = set()  # keys, KEYS_WATCHED at most
        self._watched = 0  # items whose keys were looked at
        self._repeated = 0  # keys that came before, since _tell_repeated()
        try:
            self._format = format_of("" if name == "-" else name)
            # A closed sys.stdin is None: AttributeError. An open one is taken away from work().
            self._file = _take_stdin() if name == "-" else open(name, "rb")  # noqa: SIM115
            self._reader = self._format(self._file)
        except (OSError, AttributeError) as exc:
            reason = getattr(exc, "strerror", None) or "it is closed"
            raise ItemsError(f"cannot read {name}: {reason}; --items names another") from None
        except ValueError as exc:
            raise ItemsError(f"cannot read {name}: {exc}") from None
        self.rewinds = self._file.seekable()  # a pipe gives each item once
        self._start = self._file.tell() if self.rewinds else 0

    def close(self) -> None:
        self._file.close()

    @property
    def total(self) -> int | None:
        """About how many items there are, from the share of the file that was read."""
        return round(self.count / share) if (share := self._reader.share) else None

    @property
    def types(self) -> Mapping[str, Any]:
        """The types of columns, where the file has them."""
        return self._reader.types

    def rewind(self) -> None:
        """Start again at the first item."""
        self._tell_repeated()
        self._file.seek(self._start)
        self._reader = self._format(self._file)
        self.count = 0

    def pending(
        self, journal: Journal | None = None, limit: int | None = None
    ) -> Iterator[Numbered | None]:
        """The items without a result, with their positions; None while a pipe has nothing.

        `limit` takes only the first items of the input. Raises ItemsError at an item that has
        changed since its result was made.
        """
        done = journal.done if journal else b""
        item: Any = None  # the last that was handed out
        for position, record, digest in self.records(limit):
            if record is None:
                yield None
                continue
            before = journal.ledger.digest(position) if journal else digest
            if position < len(done) and done[position]:
                if digest != before:
                    raise ItemsError(f"{self.place}: the item {CHANGED}")
                continue
            item = self.parse(record)
            if self.key is not None:
                self.keys[position] = self.key_of(item)
            if journal and digest != before:
                journal.ledger.note(position, digest)
            yield position, item
        self._tell_repeated()
        if self.count == 1 and isinstance(item, list) and len(item) > 1:
            self._tell(f"{self.name}: its only item is a list of {len(item):,}: {ONE_BY_ONE}")

    def records(self, limit: int | None = None) -> Iterator[tuple[int, Any, bytes]]:
        """Yield position, record and digest; the record is None while there is none yet."""
        reader, pack, blank = self._reader, self._reader.pack, hashlib.blake2b(digest_size=DIGEST)
        records = reader.records()
        header = b""
        try:
            while self.count != limit and (record := next(records, END)) is not END:
                if record is None:
                    yield self.count, None, b""
                    continue
                if header != reader.header:  # it came before the first record
                    header = reader.header
                    blank.update(header)
                    if reader.note and not self._noted:
                        self._tell(f"{self.name}: {reader.note}")
                        self._noted = True
                digest = blank.copy()
                digest.update(pack(record))
                self.count += 1
                yield self.count - 1, record, digest.digest()
        except OSError as exc:
            raise ItemsError(f"cannot read {self.name}: {exc.strerror or exc}") from None
        except ValueError as exc:
            raise self._wrong(exc) from None

    def whole(self) -> Iterator[tuple[int, Any, bytes]]:
        """Yield all records; wait for a record that is being written."""
        for position, record, digest in self.records():
            if record is None:
                time.sleep(IDLE)
            else:
                yield position, record, digest

    def parse(self, record: Any) -> Any:
        """The item in a record. Raises ItemsError."""
        try:
            return self._reader.parse(record)
        except (ValueError, RecursionError) as exc:
            raise self._wrong(exc) from None

    def key_of(self, item: Any) -> Any:
        """The key of the last item: the value of its field. Tells of a key that was used before."""
        try:
            key = item[self.key]
        except (TypeError, KeyError):
            fields = ", ".join(map(str, item)) if isinstance(item, dict) else "it is not an object"
            raise ItemsError(f"{self.place}: no field {self.key!r} for --key: {fields}") from None
        if not isinstance(key, str | int | float):
            raise ItemsError(f"{self.place}: the key {key!r} is neither text nor a number")
        if self.count > self._watched:  # not again after rewind()
            self._watched = self.count
            if key in self._seen:
                self._repeated += 1
                if self._repeated <= SHOWN:
                    self._tell(f"{self.place}: the key {key!r} was used before")
            elif len(self._seen) < KEYS_WATCHED:
                self._seen.add(key)
        return key

    def _tell_repeated(self) -> None:
        """Say once how many keys there were beyond those that were named."""
        if self._repeated > SHOWN:
            self._tell(
                f"{self.place}: {self._repeated - SHOWN:,} more keys up to here were used before"
            )
        self._repeated = 0

    def pack(self, record: Any) -> bytes:
        """The bytes that tell whether a record has changed."""
        return self._reader.pack(record)

    def is_one_of(self, *paths: str) -> bool:
        """Whether the input is one of these files."""
        return any(is_at(self._file, path) for path in paths)

    @property
    def place(self) -> str:
        """Where the last item was, in words."""
        return f"{self.name}, line {max(1, self._reader.line):,}"

    def _wrong(self, exc: Exception) -> ItemsError:
        if isinstance(exc, UnicodeDecodeError):
            byte, name = exc.object[exc.start], to_type([self.name])
            way_out = f"save it as UTF-8, such as by iconv -f CP1252 -t UTF-8 {name}"
            return ItemsError(f"{self.place}: the byte {byte:#x} is not UTF-8; {way_out}")
        return ItemsError(f"{self.place}: {exc}; {self._reader.hint}")


def _take_stdin() -> BinaryIO:
    wrapper: Any = sys.stdin
    sys.stdin = open(os.open(os.devnull, os.O_RDONLY), closefd=False)  # noqa: SIM115
    return cast("BinaryIO", wrapper.detach())


def digest_of(data: bytes) -> bytes:
    """Return the digest of the data."""
    return hashlib.blake2b(data, digest_size=DIGEST).digest()
