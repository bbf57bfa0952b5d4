"""A child process that runs the user's function on one thread or two, for as long as it is told.

`main()` gets one JSON object a line on stdin, the first of which says what to import, and answers
each by one line on stdout: that it is ready, and then what the calls took. `process_pair` starts
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

# Of so many items one is spent on a first call that is not timed: it is often a slow one.
SPARE = 10


@dataclass
class Side:
    """What some calls took: seconds less those lost for want of a core, CPU seconds, the lost.

    And how many of the calls failed.
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
    """Return stdin and stdout for us alone: the user's code gets others, with nothing in them."""
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
    """Call on so many threads until the time or the items are over, each a worker of its own."""
    todo = deque(items)
    spare = len(todo) >= SPARE * threads
    sides, cpu = [Side() for _ in range(threads)], list[float]()
    barrier = threading.Barrier(threads, lambda: cpu.append(cpu_seconds()))
    done: SimpleQueue[bool] = SimpleQueue()  # whether a call, or else all that a thread had to do

    def work(side: Side) -> None:
        try:
            with job.open() as call:
                if spare:
                    with suppress(BaseException):
                        call(todo.popleft())
                serve(call, side)
        except BaseException:  # setup() failed, here or in another thread: nothing is told
            barrier.abort()
        finally:
            done.put(False)

    def serve(call: Callable[[Any], Any], side: Side) -> None:
        with queueing() as queued:
            barrier.wait()
            began, waited = time.perf_counter(), queued()
            while todo and time.perf_counter() < began + seconds:
                try:
                    item = todo.popleft()
                except IndexError:  # the other thread was faster
                    break
                if repeat:
                    todo.append(item)
                try:
                    call(item)
                except BaseException:  # whatever it is, it costs this call only
                    side.failures += 1
                side.calls += 1
                if threads > 1:
                    done.put(True)
            side.queued = queued() - waited
            side.own = max(0.0, time.perf_counter() - began - side.queued)
            cpu.append(cpu_seconds())

    # As the engines do: one task at a time in the main thread; several in others, of which it hears
    # after each task, so that it wants the GIL as well.
    workers = [threading.Thread(target=work, args=(side,)) for side in sides if threads > 1]
    for worker in workers:
        worker.start()
    if not workers:
        work(sides[0])
    for _ in workers:
        while done.get():
            pass
    cpu_used = cpu[-1] - cpu[0] if cpu else 0.0  # from the start to where the last one ended
    calls, queued = sum(side.calls for side in sides), sum(side.queued for side in sides)
    failures = sum(side.failures for side in sides)
    return Side(calls, sum(side.own for side in sides), cpu_used, queued, failures)
