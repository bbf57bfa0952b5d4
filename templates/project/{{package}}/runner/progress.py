"""What the user sees while it runs, and the summary at the end. All of it on stderr."""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter

from .items import Items
from .pacing import Pacer
from .task import Burst, tell

REDRAW = 0.1  # seconds between two updates of the line on a terminal
REPORT = 30.0  # seconds between two lines when stderr is a file or a pipe
KINDS = 1000  # different errors counted one by one; more fill memory, and nobody reads them
SHOWN = 3  # most frequent errors in the summary
WIDEST = 200  # characters of an error shown; the results have all of it


class Progress:
    """Counts outcomes and tells of them at intervals; `earlier` were done by runs before."""

    def __init__(
        self, items: Items, *, workers: int, pacer: Pacer | None, earlier: int, quiet: bool
    ) -> None:
        self._items, self._workers, self._earlier, self._quiet = items, workers, earlier, quiet
        self._pacer = pacer
        self._tty = sys.stderr.isatty()
        self._began = self._told = time.perf_counter()
        self.done = self.failed = 0
        self._errors: Counter[str] = Counter()

    def add(self, outcomes: Burst) -> None:
        """Count outcomes, and tell when it is time."""
        self.done += len(outcomes)
        for outcome in outcomes:
            if outcome.error is not None:
                self.failed += 1
                known = outcome.error in self._errors or len(self._errors) < KINDS
                self._errors[str(outcome.error) if known else "other errors"] += 1
        now = time.perf_counter()
        if not self._quiet and now - self._told >= (REDRAW if self._tty else REPORT):
            self._told = now
            self._tell(now - self._began)

    def _tell(self, elapsed: float) -> None:
        rate = self.done / elapsed
        parts = [f"{self.done:,} done", f"{self.failed:,} failed", f"{rate:,.1f}/s"]
        if (total := self._items.total) is not None and rate:
            left = max(0.0, total - self._earlier - self.done) / rate
            parts.append(f"{_duration(left)} left")
        if self._pacer is not None:
            parts += self._pacer.words(self._workers, time.monotonic())
        elif self._workers:  # otherwise as many as a cluster has
            parts.append(f"{self._workers} at once")
        line = " · ".join(parts)
        tell(_over(line) if self._tty else f"{line}\n")

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._summary()

    def _summary(self) -> None:
        """Counts, time, throughput, and the most frequent errors."""
        if self._quiet:
            return
        elapsed = time.perf_counter() - self._began
        parts = [f"{self.done - self.failed:,} ok", f"{self.failed:,} failed"]
        if self._earlier:
            parts.append(f"{self._earlier:,} done before")
        parts += [_duration(elapsed), f"{self.done / elapsed:,.1f}/s"]
        line = " · ".join(parts)
        tell(f"{_over(line) if self._tty else line}\n")
        for error, count in self._errors.most_common(SHOWN):
            tell(f"  {count:,} times {error[:WIDEST]}\n")


def _over(text: str) -> str:
    """Over the line before, with blanks: not every console of Windows knows the code that wipes."""
    columns = shutil.get_terminal_size().columns - 1
    return f"\r{text[:columns].ljust(columns)}"


def _duration(seconds: float) -> str:
    """Such as 0.52 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 60:
        return f"{seconds:.{2 if seconds < 1 else 1 if seconds < 10 else 0}f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
