"""The outcomes of run(results=FILE), in the same journal that the command line writes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from .items import DIGEST, ItemsError
from .results import Journal
from .task import Burst, Numbered


class Journalled:
    """A journal for items that come from the program: it goes on where it ended."""

    def __init__(self, name: str) -> None:
        self._journal = Journal(name)
        if self._journal.size:
            self._journal.load()

    def pending(self, items: Iterable[Any]) -> Iterator[Numbered]:
        """The items without a result. Raises ItemsError at one that is not that of before."""
        journal = self._journal
        count = 0
        for count, item in enumerate(items, 1):
            position = count - 1
            text = json.dumps(item, sort_keys=True, default=_plain).encode()
            digest = hashlib.blake2b(text, digest_size=DIGEST).digest()
            before = journal.digest(position)
            if not (position < len(journal.done) and journal.done[position]):
                if digest != before:
                    journal.note(position, digest)
                yield position, item
            elif digest != before:
                raise self._others()
        if any(journal.done[count:]):
            raise self._others()

    def _others(self) -> ItemsError:
        return ItemsError(
            f"{self._journal.name} has results of other items than these: "
            "delete it, or name another file"
        )

    def write(self, burst: Burst) -> Burst:
        """Append the outcomes; a value that cannot be written has become an error."""
        return self._journal.write(burst, {})

    def close(self) -> None:
        """Let others have the file."""
        self._journal.close()


def _plain(value: Any) -> Any:
    return vars(value) if hasattr(value, "__dict__") else str(value)
