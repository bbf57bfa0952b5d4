"""Servers and a run in simulated time: one clock, one heap of events, one seed."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any


class Run:
    """Tasks that begin as the pacer and the limit let them, and a server that answers them."""

    def __init__(
        self, pacing: ModuleType, server: Any, tasks: int, *, rates: Any = (), limit: Any = None
    ) -> None:
        self.now = 0.0
        self.begun: list[float] = []
        self.done = self.refused = self.busy = self.delayed = 0
        self.places: list[tuple[float, int]] = []
        self._server, self._left, self._limit = server, tasks, limit
        self._pacer = pacing.Pacer(rates, limit=limit)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._wake = -1.0
        self._random = random.Random(tasks)

    def at(self, when: float, event: Callable[[], None]) -> None:
        """Let this happen then."""
        self._count += 1
        heapq.heappush(self._events, (when, self._count, event))

    def go(self, until: float = 1e5) -> Run:
        """Run to the end, or to that time."""
        self._begin()
        while self._events and (self._left or self.busy or self.delayed) and self.now < until:
            self.now, _, event = heapq.heappop(self._events)
            event()
        return self

    def _begin(self) -> None:
        while self._left and self.busy < self._pacer.places(10**9, self.now):
            if (due := self._pacer.due()) > self.now:
                self._look_again(due)
                return
            self._pacer.begin(self.now, None)
            self._left -= 1
            self.busy += 1
            self.begun.append(self.now)
            self._server.take(self, partial(self._end, self.now))
        if self._left and self._limit is not None and self._limit.ramping():
            self._look_again(self.now + 0.002)

    def _look_again(self, when: float) -> None:
        if not self.now < self._wake <= when:
            self._wake = when
            self.at(when, self._begin)

    def _end(self, began: float, *, ok: bool = True, after: float | None = None) -> None:
        seconds = self.now - began
        if ok:
            self.done += 1
            if self._limit is not None:
                self._limit.succeeded(self.now, seconds, self.busy)
        else:
            self.refused += 1
            pause = after or 0.0
            if self._limit is not None:
                pause = self._limit.refused(self.now, seconds, self.busy, after)
            if pause:
                self._pacer.pause(self.now + pause)
            self.delayed += 1
            self.at(self.now + (after or self._random.uniform(0, 0.5)), self._again)
        self.busy -= 1
        if self._limit is not None:
            self.places.append((self.now, self._limit.places(self.now)))
        self._begin()

    def _again(self) -> None:
        self.delayed -= 1
        self._left += 1
        self._begin()


class Slots:
    """Serves so many at a time; the others wait, or are refused."""

    def __init__(
        self, slots: Callable[[float], int], service: Callable[[], float], refuses: bool = False
    ) -> None:
        self._slots, self._service, self._refuses = slots, service, refuses
        self._running, self._queue = 0, deque[Any]()

    def take(self, run: Run, end: Any) -> None:
        """A request arrives."""
        if self._running < self._slots(run.now):
            self._serve(run, end)
        elif self._refuses:
            run.at(run.now + 0.001, lambda: end(ok=False))
        else:
            self._queue.append(end)

    def _serve(self, run: Run, end: Any) -> None:
        self._running += 1

        def over() -> None:
            self._running -= 1
            while self._queue and self._running < self._slots(run.now):
                self._serve(run, self._queue.popleft())
            end()

        run.at(run.now + self._service(), over)


class Window:
    """Takes so many in any second, and says when to come back."""

    def __init__(self, many: int, service: Callable[[], float], says: bool) -> None:
        self._many, self._service, self._says = many, service, says
        self._taken: deque[float] = deque()

    def take(self, run: Run, end: Any) -> None:
        """A request arrives."""
        while self._taken and self._taken[0] <= run.now - 1:
            self._taken.popleft()
        if len(self._taken) < self._many:
            self._taken.append(run.now)
            run.at(run.now + self._service(), end)
        else:
            after = self._taken[0] + 1 - run.now if self._says else None
            run.at(run.now + 0.002, lambda: end(ok=False, after=after))
