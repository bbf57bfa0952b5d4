"""What a run may take: how many tasks in flight, and how fast they begin."""

from __future__ import annotations

import argparse
import time
from types import ModuleType

from .. import settings
from .machine import NotReady, make_room
from .memory import memory_left, memory_of_this_process
from .pacing import Pacer, Rate

AUTO = "auto"
MOST = 1000  # tasks in flight that `auto` may find, unless the settings say otherwise
SPARE_MEMORY = 256 << 20  # bytes that are left to others: below, `auto` does not go up


def workers(text: str) -> int | str:
    """A value of --max-workers."""
    if text == AUTO or (text.isdecimal() and int(text) > 0):
        return text if text == AUTO else int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is neither 1 or more nor auto")


def rate(text: str) -> Rate:
    """A value of --rate."""
    try:
        return Rate.parse(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from None


def most_workers(engine: ModuleType, asked: int | str | None, default: int) -> int:
    """Tasks in flight at most, as far as that is known before work.py is."""
    if asked == AUTO and engine.ADAPTS:
        return int(getattr(settings, "AUTO_MAX_WORKERS", MOST))
    return asked if isinstance(asked, int) else default


def find(
    engine: ModuleType, work: ModuleType, most: int, asked: int | str | None, rate: Rate | None
) -> tuple[int, Pacer | None]:
    """Return the tasks in flight, `most` at most, and what paces them, if anything does."""
    rates = [rate] if rate else _rates(getattr(settings, "RATE", None))
    rates += _rates(*getattr(settings, "RATES", ()))
    cost = getattr(work, "cost", None)
    for unit in {each.unit for each in rates if each.unit and cost is None}:
        raise NotReady(f"RATES in settings.py count {unit}: work.py needs a cost(item) that does")
    limit = None
    if asked == AUTO and engine.ADAPTS:
        from .adaptive import AdaptiveLimit

        most = _by_files(engine, _by_memory(most, 0), getattr(work, "OPEN_FILES", 1))
        limit = AdaptiveLimit(most, time.monotonic(), has_memory)
    elif asked == AUTO:
        most = _by_memory(most, memory_of_this_process())
    return most, Pacer(rates, cost, limit) if rates or limit else None


def has_memory() -> bool:
    """Is there enough left for more tasks in flight?"""
    left = memory_left()
    return left is None or left > SPARE_MEMORY


def _rates(*texts: str | None) -> list[Rate]:
    try:
        return [Rate.parse(text) for text in texts if text is not None]
    except ValueError as exc:
        raise NotReady(f"settings.py: {exc}") from None


def _by_memory(most: int, worker: int) -> int:
    """Of `most` workers of so many bytes each, those that fit into what is left."""
    needed = worker + getattr(settings, "TASK_MEMORY", 0)
    left = memory_left()
    return most if not needed or left is None else min(most, max(1, left // needed))


def _by_files(engine: ModuleType, most: int, open_files: int) -> int:
    """Of `most` tasks, those that may have their files open."""
    while most > 1:
        try:
            make_room(most, engine.in_one_process(most), open_files)
        except NotReady:
            most //= 2
        else:
            break
    return most
