"""The items of a sample, each given out once, unless they may be run again."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any


class Supply:
    """Positions of items, in random order: neighbours in a file are often alike."""

    def __init__(self, items: list[Any], *, repeat: bool) -> None:
        self.items, self.repeat = items, repeat
        order = _order(len(items))
        self._order: Iterator[int] = itertools.cycle(order) if repeat else iter(order)
        self.left: float = float("inf") if repeat else len(order)
        self.taken = 0

    def take(self) -> int | None:
        """Return the position of the next item; None when all were given out."""
        position = next(self._order, None)
        if position is not None:
            self.left -= 1
            self.taken += 1
        return position

    def hand_out(self, share: float, least: int, enough: int) -> list[Any]:
        """Return a share of the items left, from `least` to `enough`; all items if they repeat.

        Two at least; for the sake of `least`, no more than half of what is left.
        """
        if self.repeat:
            return self.items
        half = int(self.left / 2)
        wanted = max(2, min(enough, max(int(share * self.left), min(least, half))))
        positions = (self.take() for _ in range(wanted))
        return [self.items[position] for position in positions if position is not None]


def untaken(items: Sequence[Any], count: int) -> list[Any]:
    """Return the items that a supply of them has left after `count` were taken."""
    return [items[position] for position in _order(len(items))[count:]]


def _order(count: int) -> list[int]:
    order = list(range(count))
    random.Random(count).shuffle(order)  # noqa: S311  # the same at every run
    return order
