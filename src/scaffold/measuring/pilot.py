"""The child process that tries engines of the laboratory for a moment, the better half again.

`child.run_child` calls `main()`, which writes to the request's `report` file what a task took in
each engine, from its first results on: without the start, a short run speaks for a long run.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scaffold.measuring.report import Report
from scaffold.measuring.trial import answer, bursts

# The fewest tasks after the first results for a verdict, for each worker.
LEAST_TASKS = 3
# The share of the time left for a round; the rest is for the better half.
ROUND = 0.5


@dataclass
class Contender:
    """An engine on the function: seconds to its first results, and what came after them."""

    request: dict[str, Any]
    started: float = 0.0
    tasks: int = 0
    seconds: float = 0.0

    @property
    def each(self) -> float | None:
        """The seconds from one result to the next; None if too few were seen."""
        enough = LEAST_TASKS * self.request["max_workers"]
        return self.seconds / self.tasks if self.tasks >= enough else None

    @property
    def whole(self) -> float:
        """The seconds that all the tasks would take; infinite if that is not known."""
        if self.each is None:
            return float("inf")
        tasks: int = self.request["tasks"]
        return self.started + tasks * self.each

    def run(self, items: deque[Any], folder: str, until: float) -> None:
        """Run until `until`, or until the items run out."""
        stop = threading.Event()
        begun: dict[int, Any] = {}
        outcomes = bursts(self.request, folder, _numbered(items, begun), stop)
        began, first, last, tasks = time.monotonic(), 0.0, 0.0, 0
        for burst in outcomes:
            for outcome in burst:
                del begun[outcome.id]
                if outcome.error is not None:
                    raise RuntimeError(outcome.error)
            if stop.is_set():  # these were in flight
                continue
            last = time.monotonic()
            tasks += len(burst) if first else 0
            first = first or last
            if last > until:
                stop.set()
        self.started = first - began
        self.tasks, self.seconds = self.tasks + tasks, self.seconds + last - first
        items.extend(begun.values())  # taken, but not begun


def _numbered(items: deque[Any], begun: dict[int, Any]) -> Iterator[tuple[int, Any]]:
    for number in itertools.count():
        if not items:
            return
        begun[number] = items.popleft()
        yield number, begun[number]


def main() -> None:
    """Run what stdin asks for."""
    answer(halve)


def halve(request: dict[str, Any], report: Report) -> None:
    """Try all engines in turn, then the better half again and again, until the time is up."""
    items, until = deque(request["items"]), time.monotonic() + request["until"] - time.time()
    contenders = remaining = [Contender(run) for run in request["runs"]]
    while remaining and items and time.monotonic() < until:
        last = len(remaining) == 1
        now = time.monotonic()
        span = (1.0 if last else ROUND) * (until - now) / len(remaining)
        share = len(items) if last else int(ROUND * len(items) / len(remaining))
        for number, contender in enumerate(remaining):
            own = deque(items.popleft() for _ in range(min(share, len(items))))
            contender.run(own, request["folder"], now + (number + 1) * span)
            items.extendleft(reversed(own))  # what it did not begin
        report.tell(each=[contender.each for contender in contenders])
        remaining = sorted(remaining, key=lambda contender: contender.whole)[: len(remaining) // 2]
