"""What goes between processes: items, results, exceptions, and records of `logging`.

Records go the way of the results, to the handlers of the process that started the run.
"""

from __future__ import annotations

import copyreg
import os
import pickle
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from .failures import ErrorText, Failure, Trace, describe
from .prints import say
from .task import Outcome

if TYPE_CHECKING:
    from logging import LogRecord

    from .backlog import Backlog
    from .task import Burst, Task

LARGEST_EXCEPTION = 1 << 16  # bytes of a pickled exception, which may hold a whole page


def forward(
    send: Callable[[bytes], object],
    place: Callable[[], float | None],
    levels: Mapping[str, int] | None,
) -> None:
    """From now on, send the records of this worker away, and handle none here.

    `place` tells which task the worker is at; `levels` are those of the process that gets them.
    """
    import logging
    from logging.handlers import QueueHandler

    from .logs import inherited, loggers

    sender = QueueHandler(cast("Any", Outbox(send, place)))
    for logger in loggers():
        logger.handlers.clear()
        if logger is logging.root or not logger.propagate:
            logger.addHandler(sender)
    for name, number in inherited(levels).items():
        logging.getLogger(name).setLevel(number)


class Outbox:
    """The queue of a QueueHandler: it leads to the process that started this worker."""

    def __init__(self, send: Callable[[bytes], object], place: Callable[[], float | None]) -> None:
        self._send, self._place = send, place
        self._home = os.getpid()

    def put_nowait(self, record: LogRecord) -> None:
        """Send a record; show it here if it cannot be sent."""
        try:
            if os.getpid() != self._home:  # a process that work() has forked has no way to send
                raise BrokenPipeError
            self._send(_pack(self._place(), record))
        except OSError:  # the run is over
            from logging import lastResort

            if lastResort and sys.stderr:
                lastResort.handle(record)


def _pack(place: float | None, record: LogRecord) -> bytes:
    try:
        return pickle.dumps((place, vars(record)), pickle.HIGHEST_PROTOCOL)
    except Exception:  # of something in `extra`: send texts
        texts = {
            name: value if value is None or isinstance(value, int | float) else str(value)
            for name, value in vars(record).items()
        }
        return pickle.dumps((place, texts), pickle.HIGHEST_PROTOCOL)


def show_record(packed: bytes, position_of: Callable[[float], int | None]) -> None:
    """Give a record that a worker has sent to the handlers of the logger of that name."""
    import logging  # first, for logs.show() may wait for it

    from .logs import key_of

    try:
        place, attributes = pickle.loads(packed)  # noqa: S301  # from a worker of ours
    except Exception as exc:
        say(f"a record that work() has logged cannot be unpickled: {describe(exc)}")
        return
    record = logging.makeLogRecord(attributes)
    if place is not None and (position := position_of(place)) is not None:
        vars(record).setdefault("item", key_of(position))
    logger = logging.getLogger(record.name)
    if logger.isEnabledFor(record.levelno):
        logger.handle(record)


def packed(what: str, value: Any) -> tuple[bytes, Failure | None]:
    """Pickle an item or a result for another process, or return why it cannot be pickled."""
    try:
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL), None
    except Exception as exc:
        return b"", Failure(f"{what} cannot be pickled: {describe(exc)}", final=True)


def unpacked(what: str, data: bytes) -> tuple[Any, Failure | None]:
    """Unpickle an item or a result from another process, or return why it cannot be unpickled."""
    try:
        return pickle.loads(data), None  # noqa: S301  # from a process of ours
    except Exception as exc:
        return None, Failure(f"{what} cannot be unpickled: {describe(exc)}", final=True)


def settled(
    backlog: Backlog, task: Task, result: bytes, failure: Failure | None, seconds: float
) -> Burst:
    """The outcome of a task whose pickled result came; nothing where it is tried again."""
    value, unreadable = (None, None) if failure else unpacked("result", result)
    if problem := failure or unreadable:
        return backlog.failed(task, problem, seconds)
    return [Outcome(task[0], task[1], value, None, seconds, task[2])]


def _reduce(error: ErrorText) -> tuple[Any, ...]:
    """Pickle the exception with the error, if that is possible and it is not large."""
    data, _ = packed("exception", error.exception)
    data = data if len(data) <= LARGEST_EXCEPTION else b""
    return _error, (str(error), data, error.where, error.traceback)


def _error(text: str, data: bytes, where: str, traceback: str) -> ErrorText:
    error = ErrorText(text)
    error.trace = Trace(where, traceback)
    error.exception, _ = unpacked("exception", data)  # None: it cannot be unpickled
    return error


copyreg.pickle(ErrorText, _reduce)
