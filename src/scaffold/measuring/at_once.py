"""Several calls at once of a function that waits, which tell whether the other end keeps up.

Two in flight, then four, then eight, while they get more done and calls are left, which are limited
so as not to burden a server. Runs in the child process that measures (`probe`), standard library
only.
"""

from __future__ import annotations

import asyncio
import statistics
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from math import log, sqrt
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from scaffold.measuring.calls import LONGER, Answer, Call, Calls
from scaffold.measuring.clocks import cpu_seconds, queueing
from scaffold.measuring.process_pair import ProcessPair

# Calls count as slower beside others if they take SLOWER times as long, and longer by SURE standard
# errors: one call of a service may take ten times as long as the next, few calls tell little of
# their spread, and a false alarm costs more than a limit that the run finds by itself. SUSPECT
# standard errors are enough when they are seen twice.
SLOWER, SURE, SUSPECT = 1.25, 5.0, 3.0
# The share of their time that calls may wait for a core: above it, the machine is what is slow.
MOST_QUEUED = 0.1
# Seconds too short to compare: shorter calls count as this long.
SHORTEST = 1e-3
# Seconds before the deadline by which the last answer has to be there, for the report.
REPORTING = 0.2
# Two processes with the same number in flight each do not hold each other up if a round of calls
# takes at most APART times as long as one call alone: else it would take twice as long.
APART, ROUNDS = 1.5, 2
# The most in flight that is tried, however many calls there may be: an ordinary pool of threads.
MOST = 32


class Scaling(NamedTuple):
    """The most in flight that was tried, and how many times as much they get done as one call.

    `per_process` tells that a second process gets as much done again: the limit is in the process,
    such as a pool or a lock, and not at the other end. `rest` is how many of the calls are left; a
    limit that was not `seen_twice` may have been a pool that opened its connections.
    """

    in_flight: int = 1
    gain: float = 1.0
    rest: int = 0
    per_process: bool = False
    seen_twice: bool = True

    @property
    def is_saturated(self) -> bool:
        """Tell whether the work done grew less than the number in flight."""
        return self.gain < self.in_flight


Task = tuple[int, Any]  # the position of an item, and itself
# Yields how many are to be in flight, and the tasks; is sent the answers.
Ramp = Generator[tuple[int, list[Task]], list[Answer], Scaling]


def try_out(
    job: Any, request: Mapping[str, Any], calls: Calls, most: int, deadline: float
) -> Scaling:
    """Call with ever more in flight, `most` times in all, and add the calls to `calls`."""
    until, limit = deadline - REPORTING, request.get("in_flight")
    ramp = _ramp(calls, most, until, min(MOST, limit or MOST))
    scaling = asyncio.run(_await(ramp, job, until)) if job.is_async else _call(ramp, job, until)
    apart = limit is None and not request["is_async"]
    if scaling.is_saturated and scaling.rest > scaling.gain and apart:
        scaling = scaling._replace(per_process=_is_per_process(request, calls, scaling, until))
    if scaling.seen_twice or scaling.per_process:
        return scaling
    tried = scaling.in_flight // 2  # where nothing was slow yet
    return Scaling(tried, tried)


def _ramp(calls: Calls, most: int, until: float, limit: int) -> Ramp:
    scaling, level, connects, suspected = Scaling(), 2, False, False
    alone = _Alone(calls)
    longest = max(calls.seconds)
    while most >= 2 and level <= limit and not calls.hopeless():
        # The first level has two calls for each worker, of which one may connect.
        count = min(most, 2 * level if level == 2 else level)
        if time.monotonic() + LONGER * longest * count / level > until:
            break
        taken = (calls.supply.take() for _ in range(count))
        tasks = [(at, calls.supply.items[at]) for at in taken if at is not None]
        if len(tasks) < min(count, level):
            break
        began, used = time.perf_counter(), cpu_seconds()
        answers = yield level, tasks
        seconds = time.perf_counter() - began
        failed = any(isinstance(answer.value, BaseException) for answer in answers)
        if level == 2:  # whether a worker's first call takes longer, as it has to connect
            connects = alone.errors_above([each for each in answers if each.is_first], 1) > SURE
        opening = [each for each in answers if connects and each.is_first]
        usual = [each for each in answers if each not in opening]
        errors = 0.0 if failed else alone.errors_above(usual, level)
        calls.add(opening, 0.0, timed=False)
        timed = not failed and errors <= SUSPECT
        calls.add(usual, cpu_seconds() - used, timed=timed)
        most -= count
        if failed or len(answers) < len(tasks):
            break
        if errors > SUSPECT and most >= level and not suspected:
            # Once more: a pool that was opening connections has them by now.
            suspected = True
            continue
        if errors > (SUSPECT if suspected else SURE):
            gain = min(level, max(1.0, len(answers) * alone.mean / seconds))
            return Scaling(level, gain, most, seen_twice=suspected)
        if errors > SUSPECT:
            break
        suspected = False
        longest = max(longest, *(answer.seconds for answer in answers))
        scaling = Scaling(level, level)
        level *= 2 if 2 * level <= most else 1  # the last level has all the rest
    return scaling


def _is_per_process(
    request: Mapping[str, Any], calls: Calls, scaling: Scaling, until: float
) -> bool:
    """Tell whether two processes, with as many in flight each, are done sooner than one process."""
    threads = round(scaling.gain)
    rounds = max(1, min(ROUNDS, scaling.rest // (2 * threads)))
    pair = ProcessPair(request, native=False)
    try:
        if not pair.ready(until - 2 * rounds * calls.each):
            return False
        count = min(scaling.rest, 2 * threads * rounds)
        taken = (calls.supply.take() for _ in range(count))
        items = [calls.supply.items[at] for at in taken if at is not None]
        began = time.perf_counter()
        side = pair.in_processes(items, until - time.monotonic(), False, until, threads)
        seconds = time.perf_counter() - began
    finally:
        pair.end()
    calls.count, calls.untimed = calls.count + side.calls, calls.untimed + side.calls
    return threads < side.calls == count and seconds < APART * rounds * calls.each


class _Alone:
    """The times of calls one by one, to compare the times of calls beside others with."""

    def __init__(self, calls: Calls) -> None:
        seconds = calls.seconds[1:] or calls.seconds  # the first call is a worker's first too
        self.mean = statistics.mean(seconds)
        self._logs = [log(max(SHORTEST, each)) for each in seconds]
        self._computes = calls.computing() / max(1, calls.count - calls.untimed)

    def errors_above(self, answers: list[Answer], level: int) -> float:
        """Return by how many standard errors calls with `level` in flight took longer than alone.

        0 if they did not take SLOWER times as long, beside what the others compute in the meantime.
        """
        if len(self._logs) < 2 or len(answers) < 2:
            return 0.0
        queued = sum(each.queued for each in answers)
        if queued > MOST_QUEUED * sum(each.seconds for each in answers):
            return 0.0
        after = [log(max(SHORTEST, each.seconds - each.queued)) for each in answers]
        longer = statistics.mean(after) - statistics.mean(self._logs)
        held_up = 1 + (level - 1) * self._computes / self.mean
        if longer <= log(SLOWER * held_up):
            return 0.0
        unsure = statistics.stdev(self._logs) * sqrt(1 / len(self._logs) + 1 / len(after))
        return longer / max(unsure, 1e-9)


def _call(ramp: Ramp, job: Any, until: float) -> Scaling:
    """Serve the ramp with threads that stay, as an engine's do."""
    todo: SimpleQueue[Task | None] = SimpleQueue()
    done: SimpleQueue[Answer] = SimpleQueue()
    threads: list[threading.Thread] = []
    answers: list[Answer] | None = None

    def serve() -> None:
        with job.open() as call, queueing() as queued:
            is_first = True
            while (task := todo.get()) is not None:
                done.put(_answer(call, task, queued, is_first))
                is_first = False

    try:
        while True:
            level, tasks = next(ramp) if answers is None else ramp.send(answers)
            while len(threads) < level:
                threads.append(threading.Thread(target=serve, daemon=True))
                threads[-1].start()
            for task in tasks:
                todo.put(task)
            answers = list(_heard(done, len(tasks), until))
    except StopIteration as end:
        scaling: Scaling = end.value
        return scaling
    finally:
        for _ in threads:
            todo.put(None)
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))


def _answer(call: Call, task: Task, queued: Callable[[], float], is_first: bool) -> Answer:
    began, waited = time.perf_counter(), queued()
    try:
        value = call(task[1])
    except BaseException as error:  # whatever it is, it costs this call only
        value = error
    return Answer(task[0], value, time.perf_counter() - began, queued() - waited, is_first)


def _heard(done: SimpleQueue[Answer], count: int, until: float) -> Iterator[Answer]:
    with suppress(Empty):  # the rest takes longer than there is time
        for _ in range(count):
            yield done.get(timeout=max(0.0, until - time.monotonic()))


async def _await(ramp: Ramp, job: Any, until: float) -> Scaling:
    """Serve the ramp on one event loop."""
    answers: list[Answer] | None = None
    opened = 0  # the most in flight so far: these are connected
    async with job.aopen(MOST) as call, _queueing() as queued:
        try:
            while True:
                level, tasks = next(ramp) if answers is None else ramp.send(answers)
                answers = await _awaited(call, queued, level, tasks, until, opened)
                opened = max(opened, level)
        except StopIteration as end:
            scaling: Scaling = end.value
            return scaling


@asynccontextmanager
async def _queueing() -> AsyncIterator[Callable[[], float]]:
    with queueing() as queued:
        yield queued


async def _awaited(
    call: Call,
    queued: Callable[[], float],
    level: int,
    tasks: list[Task],
    until: float,
    opened: int,
) -> list[Answer]:
    todo, answers = deque(tasks), list[Answer]()

    async def serve(is_first: bool) -> None:
        while todo:
            position, item = todo.popleft()
            began, waited = time.perf_counter(), queued()
            try:
                value = await call(item)
            except Exception as error:  # it costs this call only
                value = error
            seconds, lost = time.perf_counter() - began, queued() - waited
            answers.append(Answer(position, value, seconds, lost, is_first))
            is_first = False

    servers = [asyncio.ensure_future(serve(number >= opened)) for number in range(level)]
    await asyncio.wait(servers, timeout=max(0.0, until - time.monotonic()))
    for server in servers:
        server.cancel()
    return answers
