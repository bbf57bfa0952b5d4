"""What contract.py tries its promises with: `work` and `setup`, which workers import."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

LOG = "CONTRACT_LOG"  # names the file that set-ups write their events to
CHOSEN = 3  # the item that something happens to


def square(item: int) -> int:
    """Be done at once."""
    return item * item


def slow(item: float) -> float:
    """Take as many seconds as the item says."""
    time.sleep(item)
    return item


async def _slow(item: float) -> float:
    await asyncio.sleep(item)
    return item


def steady(item: int) -> int:
    """Take a twentieth of a second."""
    time.sleep(0.05)
    return item


async def _steady(item: int) -> int:
    await asyncio.sleep(0.05)
    return item


def hanging(item: int) -> int:
    """Never end, for one of the items."""
    if item == CHOSEN:
        time.sleep(3600)
    return item


async def _hanging(item: int) -> int:
    if item == CHOSEN:
        await asyncio.sleep(3600)
    return item


def failing(item: int) -> int:
    """Raise for one of ten."""
    if item % 10 == CHOSEN:
        raise ValueError(f"item {item} is bad")
    return item


def leaving(item: int) -> int:
    """Call sys.exit() for one of the items."""
    if item == CHOSEN:
        sys.exit("left")
    return item


class Demanding(Exception):
    """An exception that pickle writes and cannot read: it wants two arguments, and keeps one."""

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(f"{reason}, code {code}")


def demanding(item: int) -> int:
    """Raise what cannot be sent back, for one of the items."""
    if item == CHOSEN:
        raise Demanding("no", 7)
    return item


def secretive(item: int) -> Any:
    """Return what cannot be sent back, for one of the items."""
    return threading.Lock() if item == CHOSEN else item


def dying(item: int) -> int:
    """Be killed from outside, as by the kernel when memory is out, for one of the items."""
    if item == CHOSEN:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.01)
    return item


def reading(item: int) -> str:
    """Read what the program's standard input holds."""
    return sys.stdin.read() if sys.stdin else ""


def connected(item: int, client: object = None) -> bool:
    """Tell whether setup() has given a client."""
    time.sleep(0.005)
    return client is not None


@contextmanager
def opened() -> Iterator[object]:
    """Note that a worker began, and that it ended."""
    _note("open")
    yield object()
    _note("close")


def refused() -> AbstractContextManager[object]:
    """Fail, as when a database is away."""
    raise ConnectionError("no database")


def _note(event: str) -> None:
    with Path(os.environ[LOG]).open("a") as file:
        file.write(f"{event}\n")


AWAITED: dict[Callable[..., Any], Callable[..., Any]] = {
    slow: _slow,
    steady: _steady,
    hanging: _hanging,
}


def awaited(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same as a coroutine function."""
    if function in AWAITED:
        return AWAITED[function]

    @functools.wraps(function)
    async def work(*arguments: Any) -> Any:
        return function(*arguments)

    return work
