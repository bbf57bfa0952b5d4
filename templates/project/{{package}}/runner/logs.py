"""Records of `logging`: those of every worker reach the handlers of this process.

Threads and coroutines share these. A worker process sends its records, as QueueHandler does,
through the pipe that its results take; here the logger of the same name handles them. So logging is
set up once: by work.py, by LOG_LEVEL in settings.py, or by the program that calls run().

A record that goes through a pipe has its task's key, or position, as `item`. For those of threads
and coroutines `add_item` is the filter that a handler needs; those of the command line have it.
"""

from __future__ import annotations

import logging
import os
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from logging.handlers import QueueHandler
from typing import Any

from .. import settings
from .failures import describe
from .machine import NotReady
from .prints import say
from .task import CURRENT

FORMAT = "%(asctime)s %(levelname)s %(name)s [%(item)s] %(message)s"
LEVEL = "WARNING"  # as Python has it, where settings.py of an earlier version says nothing

_keys: Mapping[int, Any] = {}  # of the items that are being run, by their positions


def show(keys: Mapping[int, Any]) -> None:
    """From now on, on stderr, unless work.py has set up logging itself."""
    global _keys
    _keys = keys
    root = logging.getLogger()
    if not root.handlers:
        stderr = logging.StreamHandler()
        stderr.setFormatter(logging.Formatter(FORMAT, defaults={"item": "-"}))
        root.addHandler(stderr)
        root.setLevel(level())
    for logger in _loggers():
        for handler in logger.handlers:
            handler.addFilter(add_item)


def level() -> int:
    """What settings.py says. Raises NotReady."""
    name = getattr(settings, "LOG_LEVEL", LEVEL)
    number = logging.getLevelNamesMapping().get(str(name).upper())
    if number is None:
        names = ", ".join(logging.getLevelNamesMapping())
        raise NotReady(f"LOG_LEVEL in settings.py is {name!r}: it may be {names}")
    return number


def levels() -> dict[str, int]:
    """What was set here, by the names of the loggers, for workers to do the same."""
    return {
        "" if logger is logging.root else logger.name: logger.level
        for logger in _loggers()
        if logger.level
    }


def add_item(record: logging.LogRecord) -> bool:
    """Filter of a handler: a record from work() gets the `item` that it tells of."""
    if (position := CURRENT.get()) is not None and not hasattr(record, "item"):
        record.item = _keys.get(position, position)
    return True


def forward(
    send: Callable[[bytes], object],
    place: Callable[[], float | None],
    levels: Mapping[str, int] | None,
    *,
    shared: bool = False,
) -> Callable[[], None]:
    """From now on, send the records of this worker in place of what its handlers do.

    `place` tells where in its work the worker is; `levels` are those of the process that gets them.
    A worker that others share keeps its handlers, and sends only what is logged in a task. Return
    what undoes it.
    """
    sender, before = Sender(send, place, shared=shared), {}
    for logger in _loggers():
        if not shared:
            logger.handlers.clear()
        if logger is logging.root or not (shared or logger.propagate):
            logger.addHandler(sender)
    for name, number in ({"": level()} if levels is None else levels).items():
        logger = logging.getLogger(name)
        if not (shared and name.startswith("distributed")):
            before[logger] = logger.level
            logger.setLevel(number)

    def undo() -> None:
        logging.root.removeHandler(sender)
        for logger, number in before.items():
            logger.setLevel(number)

    return undo


def handle(packed: bytes, position_of: Callable[[float], int | None]) -> None:
    """A record that a worker has sent: its logger's handlers get it."""
    try:
        place, attributes = pickle.loads(packed)  # noqa: S301  # from a worker of ours
    except Exception as exc:
        say(f"a record that work() has logged cannot be unpickled: {describe(exc)}")
        return
    record = logging.makeLogRecord(attributes)
    if place is not None and (position := position_of(place)) is not None:
        vars(record).setdefault("item", _keys.get(position, position))
    logger = logging.getLogger(record.name)
    if logger.isEnabledFor(record.levelno):
        logger.handle(record)


class Sender(QueueHandler):
    """A handler that sends records to the process that has started this one."""

    def __init__(
        self, send: Callable[[bytes], object], place: Callable[[], float | None], *, shared: bool
    ) -> None:
        logging.Handler.__init__(self)
        self._send, self._place, self._shared = send, place, shared
        self._home = os.getpid()

    def emit(self, record: logging.LogRecord) -> None:
        """Send it; show it here where nobody would get it."""
        place = self._place()
        if self._shared and place is None:
            return
        try:
            if os.getpid() != self._home:  # a process that work() has forked has no way to send
                raise BrokenPipeError
            self._send(_pack(place, self.prepare(record)))
        except OSError:  # the run is over
            if logging.lastResort and sys.stderr:
                logging.lastResort.handle(record)
        except Exception:
            self.handleError(record)


def _pack(place: float | None, record: logging.LogRecord) -> bytes:
    try:
        return pickle.dumps((place, vars(record)), pickle.HIGHEST_PROTOCOL)
    except Exception:  # of something in `extra`
        texts = {
            name: value if value is None or isinstance(value, int | float) else str(value)
            for name, value in vars(record).items()
        }
        return pickle.dumps((place, texts), pickle.HIGHEST_PROTOCOL)


def _loggers() -> Iterator[logging.Logger]:
    yield logging.root
    for logger in list(logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            yield logger
