"""The outcomes of run(results=FILE), in the same journal that the command line writes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from .items import ItemsError
from .results import Journal
from .task import Burst, Numbered


class Journalled:
    """A journal for items that come from the program: it goes on where it ended."""

    def __init__(self, name: str) -> None:
        self.count = 0  # items pulled
        self._digest = hashlib.blake2b(digest_size=16)
        self._journal = Journal(name)

    @property
    def digest(self) -> str:
        """Of the items pulled so far."""
        return self._digest.hexdigest()

    def pending(self, items: Iterable[Any]) -> Iterator[Numbered]:
        """The items without a result. Raises ItemsError when they are not those of before."""
        done, checked = self._journal.done, self._journal.checked
        held: list[Numbered] | None = [] if checked else None  # until it is clear that they are
        for item in items:
            position = self.count
            self.count += 1
            self._digest.update(json.dumps(item, sort_keys=True, default=_plain).encode() + b"\n")
            pending = [] if position < len(done) and done[position] else [(position, item)]
            if held is None:
                yield from pending
                continue
            held += pending
            if checked and self.count == checked[0]:
                self._compare(checked)
                yield from held
                held = None
        if held is not None and checked:
            self._compare(checked)

    def _compare(self, checked: tuple[int, str]) -> None:
        if (self.count, self.digest) != checked:
            raise ItemsError(
                f"{self._journal.name} has results of other items than these: "
                "delete it, or name another file"
            )

    def write(self, burst: Burst) -> Burst:
        """Append the outcomes; a value that cannot be written has become an error."""
        return self._journal.write(burst, self)

    def close(self) -> None:
        """Let others have the file."""
        self._journal.close()


def _plain(value: Any) -> Any:
    return vars(value) if hasattr(value, "__dict__") else str(value)
