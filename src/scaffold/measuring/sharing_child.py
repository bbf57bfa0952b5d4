"""A child process that runs the user's function on one thread or two, for as long as it is told.

`main()` gets one JSON object a line on stdin, the first of which says what to import, and answers
each with one line on stdout: that it is ready, and then what the calls took. `process_pair` starts
two.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from queue import SimpleQueue
from typing import IO, Any

from scaffold.measuring.clocks import cpu_seconds, queueing
from scaffold.measuring.loading import Refusal, load
from scaffold.measuring.wire import from_text

# With this many items for each thread, its first call is not timed: that is often slow.
SPARE = 10


@dataclass
class Side:
    """What some calls took: seconds without waiting for a core, CPU seconds, seconds of waiting.

    `failures` is how many of the calls failed.
    """

    calls: int = 0
    own: float = 0.0
    cpu: float = 0.0
    queued: float = 0.0
    failures: int = 0


def main() -> None:
    """Answer orders until there are no more."""
    orders, answers = _private_streams()
    request = from_text(orders.readline())
    last = threading.Timer(max(0.0, request["until"] - time.time()), os._exit, (1,))
    last.daemon = True
    last.start()
    try:
        job = load(request)[0]
    except Refusal as refusal:
        _say(answers, {"refused": str(refusal)})
        os._exit(0)
    _say(answers, {"ready": True})
    for line in orders:
        _say(answers, asdict(run(job, **from_text(line))))
    os._exit(0)


def _private_streams() -> tuple[IO[str], IO[str]]:
    """Return stdin and stdout for us alone: the user's code gets the null device instead."""
    orders = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    return orders, answers


def _say(answers: IO[str], fact: Mapping[str, Any]) -> None:
    answers.write(json.dumps(fact) + "\n")
    answers.flush()


def run(job: Any, items: list[Any], threads: int, seconds: float, repeat: bool) -> Side:
    """Call on `threads` threads, each a worker, until the time is up or the items run out."""
    calling = _Calling(job, items, threads, seconds, repeat)
    sides = [Side() for _ in range(threads)]
    if threads == 1:  # as the engines do: one task at a time in the main thread
        calling.work(sides[0])
    else:
        calling.work_on_threads(sides)
    return Side(
        sum(side.calls for side in sides),
        sum(side.own for side in sides),
        calling.cpu_used(),
        sum(side.queued for side in sides),
        sum(side.failures for side in sides),
    )


class _Calling:
    """Threads that begin at the same moment, and share the items."""

    def __init__(
        self, job: Any, items: list[Any], threads: int, seconds: float, repeat: bool
    ) -> None:
        self._job, self._todo, self._seconds, self._repeat = job, deque(items), seconds, repeat
        self._several = threads > 1
        self._spare = len(items) >= SPARE * threads
        self._cpu: list[float] = []  # at the start, and where each thread ended
        self._barrier = threading.Barrier(threads, lambda: self._cpu.append(cpu_seconds()))
        self._done: SimpleQueue[bool] = SimpleQueue()  # True: a call, False: a thread

    def work(self, side: Side) -> None:
        try:
            with self._job.open() as call:
                if self._spare:
                    with suppress(BaseException):
                        call(self._todo.popleft())
                self._serve(call, side)
        except BaseException:  # setup() failed, here or in another thread: nothing is reported
            self._barrier.abort()
        finally:
            self._done.put(False)

    def work_on_threads(self, sides: list[Side]) -> None:
        for side in sides:
            threading.Thread(target=self.work, args=(side,)).start()
        for _ in sides:
            while self._done.get():  # as in the engines, this thread wants the GIL after each task
                pass

    def cpu_used(self) -> float:
        """Return the CPU seconds from the start to where the last thread ended."""
        return self._cpu[-1] - self._cpu[0] if self._cpu else 0.0

    def _serve(self, call: Callable[[Any], Any], side: Side) -> None:
        with queueing() as queued:
            self._barrier.wait()
            began, waited = time.perf_counter(), queued()
            while self._todo and time.perf_counter() < began + self._seconds:
                try:
                    item = self._todo.popleft()
                except IndexError:  # another thread was faster
                    break
                if self._repeat:
                    self._todo.append(item)
                self._call(call, item, side)
            side.queued = queued() - waited
            side.own = max(0.0, time.perf_counter() - began - side.queued)
            self._cpu.append(cpu_seconds())

    def _call(self, call: Callable[[Any], Any], item: Any, side: Side) -> None:
        try:
            call(item)
        except BaseException:  # whatever it is, it costs this call only
            side.failures += 1
        side.calls += 1
        if self._several:
            self._done.put(True)
