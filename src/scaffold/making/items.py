"""The items of a function, counted and sampled by the readers that a project has."""

from __future__ import annotations

import time
from array import array
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scaffold.asking.spool import kept
from scaffold.core.errors import UsageError
from scaffold.core.texts import shown
from scaffold.core.units import show_bytes
from scaffold.making.inventory import runner_module

# Items in a sample: enough for a function of a millisecond that must not run an item twice, few
# enough to send to a child process. And their bytes at most, unless one item alone has more.
SAMPLE, SAMPLE_BYTES = 2000, 32_000_000
# The most bytes of an item: larger data belongs in a file that the item names.
LARGEST = 100_000_000
PAUSE = 0.01  # seconds between two looks at a file that is being written
JSON_LINES = (".jsonl", ".ndjson", "")
KINDS = "items are .jsonl, .csv, .tsv, .txt or .parquet"


@dataclass(frozen=True)
class Items:
    """A file of items: how many there are, and a sample spread evenly over it.

    `given` is what the user named, `file` is where the items are: a copy if they came from a pipe.
    """

    file: Path
    count: int
    sample: tuple[Any, ...]
    sample_bytes: int = 0
    given: Path | None = None

    def naming_fields(self) -> list[str]:
        """Return the fields that can name an item: in the sample each item has its own value."""
        first = self.sample[0]
        names = [name for name in first if isinstance(name, str)] if isinstance(first, dict) else []
        return [name for name in names if self._names_all(name)]

    def check_field(self, name: str) -> str:
        """Return the field; raise UsageError if not every item of the sample has it."""
        if not name.isprintable() or any(self._key(item, name) is None for item in self.sample):
            known = ", ".join(self.naming_fields()) or "none does"
            raise UsageError(
                f"--key: no text or number named {shown(name)} in every item",
                hint=f"fields that name them: {known}",
            )
        return name

    def _names_all(self, name: str) -> bool:
        keys = [self._key(item, name) for item in self.sample]
        return None not in keys and len(set(keys)) == len(keys)

    @staticmethod
    def _key(item: Any, name: str) -> str | float | None:
        key = item.get(name) if isinstance(item, dict) else None
        return key if isinstance(key, str | int | float) and key != "" else None


def read_items(file: Path, limit: int = SAMPLE) -> Items:
    """Count the items of `file` and read up to `limit` of them, spread evenly.

    The readers are those of a project. Raises UsageError for a file that cannot be read, that holds
    no item, or in whose sample something is wrong (with the line's number).
    """
    given = file
    try:
        file = kept(given)
        sizes = array("q", (len(raw) for raw, _ in _records(file, given, ())))
    except OSError as error:
        raise UsageError(
            f"cannot read {shown(given)}: {error.strerror or error}",
            hint="name the file with --items FILE",
        ) from error
    count, size = len(sizes), sum(sizes)
    if not count:
        raise UsageError(f"{shown(given)} holds no item", hint="one item per line")
    limit = max(1, min(limit, SAMPLE_BYTES * count // max(1, size)))
    wanted = {number * count // limit for number in range(min(limit, count))}
    if count <= limit:
        wanted = set(range(count))
    sample = tuple(
        item
        for position, (_, item) in enumerate(_records(file, given, wanted))
        if position in wanted
    )
    return Items(file, count, sample, size * len(sample) // count, given)


def lines_of(file: Path) -> Iterator[str]:
    """Yield every item of `file` as a line of JSON."""
    json_of = runner_module("values").json_of
    for raw, item in _records(file, file, None):
        yield raw.decode() if file.suffix in JSON_LINES else json_of(item)


def _records(
    file: Path, given: Path, wanted: Collection[int] | None
) -> Iterator[tuple[bytes, Any]]:
    """Yield the bytes of each item, and the item if it is wanted (None: all). Raises UsageError."""
    module = runner_module("items")
    try:
        with closing(module.Items(str(file))) as items:
            items.name = shown(given)
            for position, record, _ in items.records():
                if record is None:  # it is being written
                    time.sleep(PAUSE)
                    continue
                raw = items.pack(record)
                if len(raw) > LARGEST:
                    raise UsageError(
                        f"{items.place} is larger than {show_bytes(LARGEST)}",
                        hint="carry a path in the item, and let the function read the file",
                    )
                parsed = items.parse(record) if wanted is None or position in wanted else None
                yield raw, parsed
    except module.ItemsError as error:
        message = str(error)
        if shown(given) not in message:
            message = message.replace(str(file), shown(given))
        text, _, hint = message.rpartition("; ")
        raise UsageError(text or hint, hint=hint if text else KINDS) from error
