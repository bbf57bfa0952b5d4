"""The input: one item per line, read as it is needed.

JSON Lines, or plain text in a .txt; `-` is JSON Lines from standard input. Blank lines are not
items. The id of an item is its position among the items, from 0.
"""

from __future__ import annotations

import hashlib
import json
import os
import select
import stat
import sys
from collections.abc import Iterator
from typing import Any

from .task import Numbered

CHUNK = 1 << 16  # bytes read at once from a pipe: what a Linux pipe holds


class ItemsError(Exception):
    """The input cannot be used: what is wrong, and where."""


class Items:
    """The input, with the count and a digest of the items that were read so far.

    A result is only worth something for the input that it came from. So the journal notes the
    count and the digest, and a resumed run reads that far and compares before it runs anything.
    Items behind that point may have changed, or been added: nothing was done with them yet.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0  # items read
        self.bytes_read = 0
        self._line = 0
        self._digest = hashlib.blake2b(digest_size=16)
        try:
            # A closed standard input is none at all.
            self._file = sys.stdin.buffer if name == "-" else open(name, "rb")  # noqa: SIM115
        except (OSError, AttributeError) as exc:
            reason = getattr(exc, "strerror", None) or "it is closed"
            raise ItemsError(f"cannot read {name}: {reason}; --items names another") from None
        status = os.fstat(self._file.fileno())
        self._regular = stat.S_ISREG(status.st_mode)
        self.size = status.st_size if self._regular else None  # bytes

    def close(self) -> None:
        """Close the input."""
        self._file.close()

    @property
    def digest(self) -> str:
        """Of the items read so far."""
        return self._digest.hexdigest()

    @property
    def total(self) -> int | None:
        """About how many items there are, from the share of the file that was read."""
        if self.size is None or not self.bytes_read:
            return None
        return round(self.count * self.size / self.bytes_read)

    def pending(
        self, done: bytearray, checked: tuple[int, str] | None, limit: int | None
    ) -> Iterator[Numbered | None]:
        """The items that are not done yet, with their positions; None while a pipe has nothing.

        `done` holds a 1 per finished position; `checked` is the count and the digest that these
        results go with; `limit` takes only the first items of the input.
        """
        lines = self._lines()
        if checked is not None:
            held = []  # little: what was under way when the last run ended
            for numbered in self._read(lines, done, checked[0]):
                if numbered is None:
                    yield None
                elif limit is None or numbered[0] < limit:
                    held.append(numbered)
            if (self.count, self.digest) != checked:
                raise ItemsError(
                    f"{self.name} has changed since the results were made: "
                    "restore it, or start over with --fresh"
                )
            yield from held
        yield from self._read(lines, done, limit)

    def _read(
        self, lines: Iterator[bytes | None], done: bytearray, until: int | None
    ) -> Iterator[Numbered | None]:
        while until is None or self.count < until:
            raw = next(lines, b"")
            if raw is None:
                yield None
            elif not raw:
                return
            else:
                position = self.count
                skip = position < len(done) and done[position]
                item = None if skip else self._parse(raw)  # may fail: then it is not counted
                self.count += 1
                self._digest.update(raw + b"\n")
                if not skip:
                    yield position, item

    def _parse(self, raw: bytes) -> Any:
        try:
            text = raw.decode("utf-8-sig" if self.count == 0 else "utf-8")
            return text if self.name.endswith(".txt") else json.loads(text)
        except (ValueError, RecursionError) as exc:
            hint = "an item is JSON on one line, or plain text in a .txt"
            raise ItemsError(f"{self.name}, line {self._line}: {exc}; {hint}") from None

    def _lines(self) -> Iterator[bytes | None]:
        """Lines without the white space around them, and without the blank ones."""
        for raw in self._file if self._regular else self._pipe():
            if raw is None:
                yield None
                continue
            self._line += 1
            self.bytes_read += len(raw)
            if raw := raw.strip():
                yield raw

    def _pipe(self) -> Iterator[bytes | None]:
        """Lines of a pipe or terminal, without ever waiting for one."""
        rest = b""
        while True:
            if hasattr(select, "poll") and not select.select([self._file], [], [], 0)[0]:
                yield None
                continue
            chunk = os.read(self._file.fileno(), CHUNK)
            if not chunk:
                break
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
        yield rest
