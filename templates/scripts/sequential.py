from collections.abc import Iterable
from typing import Any

from .blank import work
from .common import Report
from .paced import paced


def run(items: Iterable[Any], gap: float, report: Report) -> None:
    """One task after the other: nothing can be in another's way."""
    for item in paced(items, gap):
        value, error = None, None
        try:
            value = work(item)
        except Exception as exc:  # it costs this item only
            error = exc
        report(item, value, error)
