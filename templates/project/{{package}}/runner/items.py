"""The input: the items of the file that --items names, read as they are needed.

The id of an item is its position among the items, from 0. Its key is what its own field, the one
that --key names, says. Its digest tells at the next run whether it is still the same.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from .formats import ONE_BY_ONE, format_of
from .prints import to_type
from .task import END, Numbered

if TYPE_CHECKING:
    from .results import Journal

DIGEST = 8  # bytes for each item: one change in 10^19 goes unnoticed
KEYS_WATCHED = 1_000_000  # keys that are looked through for duplicates, 100 bytes each
SHOWN = 3  # duplicate keys that are named
CHANGED = "has changed since its result was made"


class ItemsError(Exception):
    """The input cannot be used: what is wrong, and where."""


Tell = Callable[[str], None]


class Items:
    """The items of a file, or of `-`, which is JSON Lines from standard input.

    With a key, `keys` has those of the items that were given out, until somebody takes them.
    `tell` gets what the user should know about the input.
    """

    def __init__(self, name: str, key: str | None = None, tell: Tell = lambda _: None) -> None:
        self.name, self.key = name, key
        self.count = 0  # items read
        self.keys: dict[int, Any] = {}  # by position
        self._tell = tell
        self._twice = Duplicates(self)
        self._watched = 0  # items whose keys were looked at
        self._noted = False
        try:
            self._format = format_of("" if name == "-" else name)
            # A closed standard input is none at all; an open one is out of the reach of work().
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
        self._twice.count()
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
        self._twice.count()
        if self.count == 1 and isinstance(item, list) and len(item) > 1:
            self._tell(f"{self.name}: its only item is a list of {len(item):,}: {ONE_BY_ONE}")

    def records(self, limit: int | None = None) -> Iterator[tuple[int, Any, bytes]]:
        """The position of each record, itself and its digest; itself None while there is none."""
        reader, pack, blank = self._reader, self._reader.pack, hashlib.blake2b(digest_size=DIGEST)
        records = reader.records()
        header = b""
        while limit is None or self.count < limit:
            try:
                record = next(records, END)
            except OSError as exc:
                raise ItemsError(f"cannot read {self.name}: {exc.strerror or exc}") from None
            except ValueError as exc:
                raise self._wrong(exc) from None
            if record is END:
                return
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

    def parse(self, record: Any) -> Any:
        try:
            return self._reader.parse(record)
        except (ValueError, RecursionError) as exc:
            raise self._wrong(exc) from None

    def key_of(self, item: Any) -> Any:
        """The key of an item: the value of its field. Tells of one that was used before."""
        try:
            key = item[self.key]
        except (TypeError, KeyError, IndexError):
            fields = ", ".join(map(str, item)) if isinstance(item, dict) else "it is no object"
            raise ItemsError(f"{self.place}: no field {self.key!r} for --key: {fields}") from None
        if isinstance(key, str | int | float):
            if self.count > self._watched:  # not again after rewind()
                self._watched = self.count
                self._twice.watch(key)
            return key
        raise ItemsError(f"{self.place}: the key {key!r} is neither text nor a number")

    def pack(self, record: Any) -> bytes:
        """What tells whether a record has changed."""
        return self._reader.pack(record)

    def check(self, record: Any) -> None:
        """Raise ItemsError if there is no item in it, or none with a key."""
        item = self.parse(record)
        if self.key is not None:
            self.key_of(item)

    def tell(self, text: str) -> None:
        """What the user should know of the last record that was read."""
        self._tell(f"{self.place}: {text}")

    def is_one_of(self, *paths: str) -> bool:
        """Whether the input is one of these files."""
        own = os.fstat(self._file.fileno())
        return any(os.path.exists(path) and os.path.samestat(own, os.stat(path)) for path in paths)

    @property
    def place(self) -> str:
        """Where the last item was, in words."""
        return f"{self.name}, line {max(1, self._reader.line):,}"

    def _wrong(self, exc: Exception) -> ItemsError:
        if isinstance(exc, UnicodeDecodeError):
            byte, name = exc.object[exc.start], to_type([self.name])
            way_out = f"save it as UTF-8, such as by iconv -f CP1252 -t UTF-8 {name}"
            return ItemsError(f"{self.place}: the byte {byte:#x} is no UTF-8; {way_out}")
        return ItemsError(f"{self.place}: {exc}; {self._reader.hint}")


class Duplicates:
    """Tells of keys that stand for more than one item."""

    def __init__(self, items: Items) -> None:
        self._items = items
        self._seen: set[Any] = set()
        self._twice = 0

    def watch(self, key: Any) -> None:
        """Look at one more; beyond KEYS_WATCHED only for those that came before."""
        if key in self._seen:
            self._twice += 1
            if self._twice <= SHOWN:
                self._items.tell(f"the key {key!r} was used before")
        elif len(self._seen) < KEYS_WATCHED:
            self._seen.add(key)

    def count(self) -> None:
        """Say how many there were beyond those that were named, once."""
        if self._twice > SHOWN:
            self._items.tell(f"{self._twice - SHOWN:,} more keys up to here were used before")
        self._twice = 0


def _take_stdin() -> BinaryIO:
    wrapper: Any = sys.stdin
    sys.stdin = open(os.open(os.devnull, os.O_RDONLY), closefd=False)  # noqa: SIM115
    return cast("BinaryIO", wrapper.detach())


def digest_of(data: bytes) -> bytes:
    """What tells data from others."""
    return hashlib.blake2b(data, digest_size=DIGEST).digest()
