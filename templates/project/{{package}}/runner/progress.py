"""What the user sees during a run, and the summary at its end. All of it goes to stderr.

The summary tells what bound the run: a rate, the other end, memory, cores, or how many tasks were
in flight; and what would help. It tells only what the figures show.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from .engine import MODEL
from .failures import count_kind, most_frequent
from .items import Items
from .limits import Ready
from .machine import has_gil, usable_cores
from .pacing import Pacer
from .prints import tell
from .results import Journal
from .task import Burst

REDRAW = 0.1  # seconds between two updates of the line on a terminal
REPORT = 30.0  # seconds between two lines when stderr is a file or a pipe
PAUSE = 0.5  # seconds of a pause that is worth telling
SHOWN = 3  # most frequent errors in the summary
BOUND = 0.85  # share of a resource in use from which on it binds: starting and ending take some
SECONDS = 1.0  # shorter runs mostly start and end: their figures tell little
TASKS = 20  # with fewer tasks, the last ones weigh too much


class Progress:
    """Counts outcomes and tells of them at intervals.

    `again` is the command for the same files, with {} in the place of `run`.
    """

    def __init__(
        self,
        items: Items,
        journal: Journal,
        ready: Ready,
        limit: int | None,
        again: str,
        quiet: bool,
    ) -> None:
        self._items, self._limit, self._again, self._quiet = items, limit, again, quiet
        self._workers, self._pacer = ready.workers, ready.pacer
        self._pacer.on_pause = self._tell_pause
        self._told_pause = -REPORT
        self._cpu = cpu_seconds()
        self._earlier, self._failed_before = journal.ok + journal.failed, journal.failed
        self._tty = sys.stderr.isatty()
        self._began = self._told = time.perf_counter()
        self.done = self.failed = 0
        self._busy = 0.0  # seconds that tasks took, all together
        self._kinds: Counter[str] = Counter()  # of failures

    def add(self, outcomes: Burst) -> None:
        """Count outcomes, and tell when it is time."""
        self.done += len(outcomes)
        for outcome in outcomes:
            self._busy += outcome.seconds
            if (error := outcome.error) is not None:
                self.failed += 1
                count_kind(self._kinds, error, getattr(error, "where", ""))
        now = time.perf_counter()
        if not self._quiet and now - self._told >= (REDRAW if self._tty else REPORT):
            self._told = now
            self._tell(now - self._began)

    def _tell_pause(self) -> None:
        """Say until when the run pauses, for no outcome comes meanwhile."""
        now = time.perf_counter()
        long = self._pacer.pause_left(time.monotonic()) >= PAUSE
        if not self._quiet and long and (self._tty or now - self._told_pause >= REPORT):
            self._told = self._told_pause = now
            self._tell(now - self._began)

    def _tell(self, elapsed: float) -> None:
        rate = self.done / elapsed
        parts = [f"{self.done:,} done", f"{self.failed:,} failed", f"{rate:,.1f}/s"]
        now = time.monotonic()
        if (pause := self._pacer.pause_left(now)) >= PAUSE:
            parts.append(f"paused until {_clock(pause)}, as the other end asks")
        else:
            if (total := self._total()) is not None and rate:
                seconds_left = max(0.0, total - self._earlier - self.done) / rate
                parts.append(f"{_duration(seconds_left)} left")
            parts += self._pacer.words(self._workers, now)
        line = " · ".join(parts)
        tell(_over(line) if self._tty else f"{line}\n")

    def _total(self) -> int | None:
        known = (self._items.total, self._limit)
        return min((count for count in known if count is not None), default=None)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._quiet:
            wiped = _over("") + "\r" if self._tty else ""
            tell(wiped + "".join(f"{line}\n" for line in self._summary()))

    def _summary(self) -> Iterator[str]:
        """Counts, time and throughput; why tasks failed; what to do next."""
        failed = self._failed_before + self.failed
        if not self.done and self._earlier:
            before = f", {self._failed_before:,} of them failed" if self._failed_before else ""
            yield f"nothing to do: {self._earlier:,} items have a result{before}"
        else:
            elapsed = time.perf_counter() - self._began
            parts = [f"{self.done - self.failed:,} ok", f"{self.failed:,} failed"]
            if self._earlier:
                parts.append(f"{self._earlier:,} done before")
            parts += [_duration(elapsed), f"{self.done / elapsed:,.1f}/s"]
            if self._workers:
                most = "" if self._pacer.limit else f" of {self._workers}"  # auto has no maximum
                parts.append(f"{self._busy / elapsed:.1f}{most} in flight on average")
            yield " · ".join(parts)
            cpu = cpu_seconds() - self._cpu
            used = self.done, self._busy, cpu, self._workers
            if bound := what_bound(Usage(elapsed, *used, usable_cores(), MODEL, self._pacer)):
                yield f"bound by {bound}"
        yield from most_frequent(self._kinds, SHOWN)
        if failed:
            yield f"see one:  {self._again.replace('{}', 'try', 1)}"
            yield f"again:    {self._again.replace('{}', 'run', 1)} --retry-failed"


def _over(text: str) -> str:
    """Overwrite the line before, with blanks: not every Windows console knows how to erase."""
    columns = shutil.get_terminal_size().columns - 1
    return f"\r{text[:columns].ljust(columns)}"


def _clock(seconds: float) -> str:
    """The time of day so many seconds from now, and the date if that is another day."""
    now = time.time()
    then = time.localtime(now + seconds)
    day = "" if then.tm_yday == time.localtime(now).tm_yday else "%d %b "
    return time.strftime(f"{day}%H:%M:%S", then)


def _duration(seconds: float) -> str:
    """Return the time in words: 0.52 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 60:
        return f"{seconds:.{2 if seconds < 1 else 1 if seconds < 10 else 0}f} s"
    minutes, remainder = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {remainder} s"
    return f"{minutes // 60} h {minutes % 60} min"


class Usage(NamedTuple):
    """What a run has used, and what it had."""

    seconds: float
    tasks: int
    busy: float  # seconds that tasks took, all together
    cpu: float  # seconds of this process and of those that it has started and that have ended
    workers: int  # tasks in flight at most; 0 where that is not known here
    cores: int
    model: str
    pacer: Pacer | None = None

    @property
    def in_flight(self) -> float:
        """Tasks, on average."""
        return self.busy / self.seconds

    @property
    def in_processes(self) -> bool:
        """Workers are processes, not threads or coroutines."""
        return self.model in ("multiprocessing", "hybrid", "dask")


def cpu_seconds() -> float:
    """CPU seconds of this process, and of those that it has started and that have ended."""
    return sum(os.times()[:4])


def what_bound(usage: Usage) -> str | None:
    """Say what bound the run, and what would help; None where it is not clear."""
    if usage.seconds < SECONDS or usage.tasks < TASKS:
        return None
    return _pace(usage) or _cores(usage) or _in_flight(usage)


def _pace(usage: Usage) -> str | None:
    pacer = usage.pacer
    if pacer is None:
        return None
    if rate := pacer.used_up(BOUND * usage.seconds):
        return f"the rate of {rate}: more workers would not help"
    return None if pacer.limit is None else pacer.limit.bound_by(usage.in_flight)


def _cores(usage: Usage) -> str | None:
    used = usage.cpu / usage.seconds
    if used >= BOUND * usage.cores:
        return f"{_several(usage.cores, 'core')}: quicker code, or more cores, would help"
    if used >= BOUND and not usage.in_processes and has_gil():
        return (
            f"one core of {usage.cores}: Python code in one process takes turns; "
            "concgen switch multiprocessing, or hybrid where tasks wait too"
        )
    return None


def _in_flight(usage: Usage) -> str | None:
    if not usage.workers or usage.in_flight < BOUND * usage.workers:
        return None
    if usage.model == "sequential":
        return "one task at a time, which waits: concgen switch threading"
    if usage.in_processes and sys.platform == "win32":  # it does not tell what children have used
        return None
    more = f"--max-workers {2 * usage.workers}, if the other end takes as many"
    return f"{_several(usage.workers, 'task')} in flight: {more}"


def _several(count: int, noun: str) -> str:
    return f"one {noun}" if count == 1 else f"{count:,} {noun}s"
