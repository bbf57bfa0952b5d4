"""The limits of a run, known before it begins: tasks in flight, and how fast they begin."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any, Concatenate, NamedTuple, Protocol

from .. import settings
from . import engine
from .backlog import Backlog
from .job import Job, load_work
from .machine import (
    NotReady,
    make_room,
    memory_left,
    memory_of_this_process,
    share_cores,
    usable_cores,
)
from .pacing import Cost, Limit, Pacer, Rate
from .prints import say
from .task import NO_RETRY, Bursts, Numbered, Retry, Stop

AUTO = "auto"
MOST = 1000  # tasks in flight that `auto` may find, unless the settings say otherwise
SPARE_MEMORY = 256 << 20  # bytes left to other programs: with less, `auto` does not go up


class Engine(Protocol):
    """What every engine module has. OPTIONS and default_workers(**options) are optional."""

    MODEL: str
    AWAITS: str  # "always", "never" or "with an async client": whether tasks share an event loop
    IN_THREADS: bool  # several workers compute in this process

    @property
    def ADAPTS(self) -> Callable[[int, float, Callable[[], bool]], Limit] | None:
        """AdaptiveLimit, if --max-workers auto adapts during the run; else None."""

    @property
    def run(self) -> Callable[Concatenate[Job, Backlog, ...], Bursts]:
        """run(job, backlog, *, timeout, **options) yields outcomes in bursts."""

    def in_one_process(self, max_workers: int) -> int:
        """Tasks in flight that share the limits of one process, such as that of open files."""


ENGINE: Engine = engine
# Options that only this engine takes: the placeholder of the value, and what it is.
OPTIONS: Mapping[str, tuple[str, str]] = getattr(engine, "OPTIONS", {})
default_workers: Callable[..., int] = getattr(engine, "default_workers", lambda **_: usable_cores())


class Ready(NamedTuple):
    """A run that is known to be possible."""

    work: ModuleType
    job: Job
    workers: int  # tasks in flight at most
    pacer: Pacer
    options: Mapping[str, Any]  # those that only this engine takes

    def start(
        self,
        items: Iterable[Numbered | None],
        *,
        timeout: float | None,
        retry: Retry = NO_RETRY,
        stop: Stop | None = None,
    ) -> Bursts:
        backlog = Backlog(items, self.workers, retry=retry, stop=stop, pacer=self.pacer)
        return ENGINE.run(self.job, backlog, timeout=timeout, **self.options)


def prepare(
    max_workers: int | str | None,
    rate: Rate | None,
    own_options: Mapping[str, Any],
    *,
    quiet: bool = False,
) -> Ready:
    """Import work.py, and make sure that a run can begin. Raises NotReady.

    `own_options` may hold the engine's own options. If not `quiet`, this process is the run's
    alone: the user is told what is odd about work(), and numeric libraries get only the cores of a
    worker.
    """
    options = {name: own_options.get(name) for name in OPTIONS}
    most = default_workers(**options)  # an engine that cannot run says so here
    if max_workers == AUTO and ENGINE.ADAPTS:
        most = getattr(settings, "AUTO_MAX_WORKERS", MOST)
    elif isinstance(max_workers, int):
        most = max_workers
    if ENGINE.IN_THREADS and not quiet:
        share_cores(most, threads=True)  # before work.py imports libraries that read it
    work = load_work()  # not at the top: a worker may import this module without work.py
    open_files = getattr(work, "OPEN_FILES", 1)
    limit = None
    if max_workers == AUTO and ENGINE.ADAPTS:
        most = _by_files(_by_memory(most, 0), open_files)
        limit = ENGINE.ADAPTS(most, time.monotonic(), has_memory)
    elif max_workers == AUTO:
        most = _by_memory(most, memory_of_this_process())
    make_room(most, ENGINE.in_one_process(most), open_files)
    job = Job(work.work, getattr(work, "setup", None), quiet=quiet)
    if not quiet:
        _say_how(job)
    return Ready(work, job, most, _pacer(rate, limit, getattr(work, "cost", None)), options)


def _say_how(job: Job) -> None:
    """Tell the user how work() runs, where that may surprise."""
    if job.is_async and ENGINE.AWAITS == "never":
        say("work() is `async def`: each worker runs it in an event loop of its own, one at a time")
    if not job.is_async and ENGINE.AWAITS == "always":
        say("work() is a plain `def`: it runs in threads, up to --max-workers of them")


def workers(text: str) -> int | str:
    if text == AUTO or (text.isdecimal() and int(text) > 0):
        return text if text == AUTO else int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is neither 1 or more nor auto")


def rate(text: str) -> Rate:
    try:
        return Rate.parse(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from None


def has_memory() -> bool:
    """Is there enough left for more tasks in flight?"""
    unused = memory_left()
    return unused is None or unused > SPARE_MEMORY


def _pacer(rate: Rate | None, limit: Limit | None, cost: Cost | None) -> Pacer:
    """Return the pacer for the rates, the limit, and pauses that the other end asks for."""
    rates = [rate] if rate else _rates(getattr(settings, "RATE", None))
    rates += _rates(*getattr(settings, "RATES", ()))
    for unit in {allowed.unit for allowed in rates if allowed.unit and cost is None}:
        raise NotReady(f"RATES in settings.py count {unit}: work.py needs a cost(item) that does")
    return Pacer(rates, cost, limit)


def _rates(*texts: str | None) -> list[Rate]:
    try:
        return [Rate.parse(text) for text in texts if text is not None]
    except ValueError as exc:
        raise NotReady(f"settings.py: {exc}") from None


def _by_memory(most: int, worker: int) -> int:
    """How many of `most` workers, of so many bytes each, fit into the memory that is left."""
    needed = worker + getattr(settings, "TASK_MEMORY", 0)
    unused = memory_left()
    return most if not needed or unused is None else min(most, max(1, unused // needed))


def _by_files(most: int, open_files: int) -> int:
    """How many of `most` tasks may have their files open at once."""
    while most > 1:
        try:
            make_room(most, ENGINE.in_one_process(most), open_files)
        except NotReady:
            most //= 2
        else:
            break
    return most
