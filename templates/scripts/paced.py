import time
from collections.abc import Iterable, Iterator
from typing import Any

from .common import stop


def paced(items: Iterable[Any], gap: float) -> Iterator[Any]:
    """The items, at least `gap` seconds apart, until Ctrl-C."""
    for item in items:
        if stop.is_set():
            return
        yield item
        time.sleep(gap)
