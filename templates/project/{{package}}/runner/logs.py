"""Records of `logging`: those of every worker reach the handlers of this process.

Threads and coroutines share the handlers; a worker process sends its records here. So logging is
set up once: by work.py, by LOG_LEVEL in settings.py, or by the program that calls run().

A record from another process has its task's key, or position, as `item`. Other records get theirs
from the filter `add_item`, which a handler needs; those of the command line have it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from .. import settings
from .machine import NotReady
from .task import CURRENT

FORMAT = "%(asctime)s %(levelname)s %(name)s [%(item)s] %(message)s"
LEVEL = "WARNING"  # as Python has it, where settings.py of an earlier version says nothing

_keys: Mapping[int, Any] = {}  # of the items that are being run, by their positions


def show(keys: Mapping[int, Any]) -> None:
    """Show records on stderr from now on, unless work.py has set up logging itself."""
    global _keys
    _keys = keys
    root = logging.getLogger()
    if not root.handlers:
        stderr = logging.StreamHandler()
        stderr.setFormatter(logging.Formatter(FORMAT, defaults={"item": "-"}))
        root.addHandler(stderr)
        root.setLevel(level())
    for logger in loggers():
        for handler in logger.handlers:
            handler.addFilter(add_item)


def level() -> int:
    """Return the level that settings.py names. Raises NotReady."""
    name = getattr(settings, "LOG_LEVEL", LEVEL)
    number = logging.getLevelNamesMapping().get(str(name).upper())
    if number is None:
        names = ", ".join(logging.getLevelNamesMapping())
        raise NotReady(f"LOG_LEVEL in settings.py is {name!r}: it may be {names}")
    return number


def levels() -> dict[str, int]:
    """Return the levels that were set here, by the names of the loggers, for workers to set."""
    return {
        "" if logger is logging.root else logger.name: logger.level
        for logger in loggers()
        if logger.level
    }


def inherited(levels: Mapping[str, int] | None) -> Mapping[str, int]:
    """The levels of a worker: those of the process that gets its records, if it has any."""
    return {"": level()} if levels is None else levels


def add_item(record: logging.LogRecord) -> bool:
    """Filter of a handler: a record from work() gets the `item` that it tells of."""
    if (position := CURRENT.get()) is not None and not hasattr(record, "item"):
        record.item = key_of(position)
    return True


def key_of(position: int) -> Any:
    """Return what names the item at that position: its key, or the position if it has none."""
    return _keys.get(position, position)


def loggers() -> Iterator[logging.Logger]:
    yield logging.root
    for logger in list(logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            yield logger
