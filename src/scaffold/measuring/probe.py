"""The child process that runs the user's function and measures it.

`child.run_child` calls `main()`, which writes facts, one JSON object a line, to the request's
`report` file. Every fact is written as soon as it is known, so that a crash loses none. Imports
little: the user's modules come on top.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

from scaffold.measuring import gil
from scaffold.measuring.at_once import Scaling, try_out
from scaffold.measuring.calls import (
    LEAST_CPU,
    LONGER,
    MOST_UNSURE,
    SEVERAL_CORES,
    TOO_BUSY,
    Calls,
    Waking,
)
from scaffold.measuring.loading import Refusal, load
from scaffold.measuring.machine import gil_enabled
from scaffold.measuring.parent_death import die_with_parent
from scaffold.measuring.report import Report
from scaffold.measuring.sharing import computes, gil_share, pair
from scaffold.measuring.supply import Supply
from scaffold.measuring.wire import from_text

# Makes calls until a time: at most a number of them, and at most another number if the function
# waits. Returns the longest time that a call blocked the event loop, if there is one.
Caller = Callable[[Calls, float, float, float], float | None]

# The shares of the time left that go into calls one by one: first, and then, if the function
# computes, while two processes import it. Running it in those takes most of the rest.
CALLING, MEANWHILE = 0.2, 0.25
# The shares of the items, if no item runs twice: for calls one by one, for calls that a second
# thread watches, and for those if two threads have shown already what it would see.
ALONE, WATCHED, GLIMPSED = 0.12, 0.6, 0.1
LEAST_CALLS = 3
# The shares of the calls that a function that waits may get: one by one, and watched if it also
# computes. The rest are made with several in flight.
ONE_BY_ONE, LOOKED_AT = 1 / 4, 1 / 5
# A function that computes less than this share of its time waits for what may be at its limit.
MOSTLY_COMPUTES = 0.5
# The share of the time left that may go into controls until they come out right.
CONTROLLING = 0.4
# The share of the time left for calls that a second thread watches.
WATCHING = 0.8
# The share of the time left for the calls of a function that waits, one by one.
WAITING = 0.4
# Seconds that threads of the import may take to come to rest, and that each look takes.
SETTLING, SETTLED = 0.2, 0.01
# If programs that it starts do more than this share of the computing, the rest bounds the GIL's.
MOSTLY_PROGRAMS = 0.2
MOSTLY_WAITS = "it mostly waits, and waiting is side by side"
# Naps show what calling and waking up cost: the most naps, and their seconds in all.
NAPS, NAPPING = 40, 0.2
# Seconds beyond the deadline that the report may take when the calls were over before it.
REPORTING = 0.4


def main() -> None:
    """Measure what stdin asks for; exit code 0 whether or not it went well."""
    die_with_parent(int(sys.argv[1]))
    began = time.time()
    request = from_text(sys.stdin.buffer.read())
    report = Report(request["report"])
    # The time for starting is part of the budget, the time for reading the items is not.
    deadline = time.monotonic() + request["until"] - began
    # The user's module may try to read it.
    sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115
    supply = Supply(request["items"], repeat=request["repeat"])
    calls = Calls(supply, deadline)
    try:
        with ExitStack() as worker:
            with _giving_up(report, calls, deadline):
                reasons = _measure(request, report, calls, deadline, worker)
            # Last, as encode() and a teardown of the user's may hang: all else is reported by now.
            encode = getattr(sys.modules[request["module"]], "encode", None)
            report.tell(writable=calls.carried.writable(encode, reasons), reasons=reasons)
    except Refusal as refusal:
        report.tell(refused=str(refusal))
    os._exit(0)  # without waiting for the user's threads and exit functions


def _measure(
    request: dict[str, Any], report: Report, calls: Calls, deadline: float, worker: ExitStack
) -> dict[str, str]:
    job, facts = load(request)
    report.tell(**facts)
    call = _caller(job, calls, worker)
    _settle()
    request |= {"is_async": facts["is_async"], "until": time.time() + deadline - time.monotonic()}
    block = _alone(call, request, calls, deadline)
    reasons = {"writable": "writing the results as JSON took too long"}  # until it is known
    if computes(calls) and calls.queued < MOST_UNSURE * calls.wall:  # else no engine is tried later
        deadline -= request["spare"]
    beside = _beside(call, request, calls, deadline, reasons)
    scaling = Scaling()
    if calls.cpu_fraction() < MOSTLY_COMPUTES:
        scaling = try_out(job, request, calls, _with_others(calls, request["calls"]), deadline)
    calls.waking = _waking(facts["is_async"], calls.wait(), min(NAPPING, _left(deadline) / 4))
    gil_facts = _gil_facts(call, request, calls, deadline, beside, reasons)
    calls.over = True
    if calls.is_starved:
        reasons.update(dict.fromkeys(reasons.keys() & gil_facts.keys(), TOO_BUSY))
    report.tell(
        **calls.facts(reasons),
        **gil_facts,
        items_taken=calls.supply.taken,
        in_flight_tried=scaling.in_flight,
        in_flight_gain=scaling.gain,
        in_flight_per_process=scaling.per_process,
        longest_loop_block_seconds=block,
        gil_enabled=gil_enabled(),  # the import, or a call, may have switched it on
        reasons=reasons,
        finished=True,
    )
    return reasons


def _settle() -> None:
    """Wait a moment until threads that the import has started have come to rest."""
    until = time.monotonic() + SETTLING
    while time.monotonic() < until:
        before = time.process_time()
        time.sleep(SETTLED)
        if time.process_time() - before < SETTLED / 5:
            return


def _caller(job: Any, calls: Calls, worker: ExitStack) -> Caller:
    """Open the function as a worker does; closing `worker` releases what it holds."""
    if job.is_async:
        from scaffold.measuring.awaiting import call_async

        return partial(call_async, job)
    calls.watch_memory()  # from here: each worker has a setup() of its own
    try:
        call = worker.enter_context(job.open())
    except Exception as error:  # its setup() failed, and says so
        raise Refusal(str(error)) from error

    def run(calls: Calls, until: float, most: float, waiting: float) -> None:
        calls.run(call, until, most, waiting)

    return run


def _alone(call: Caller, request: dict[str, Any], calls: Calls, deadline: float) -> float | None:
    """Make the first calls, and if the function waits, the others that are made one by one."""
    waiting = max(1, int(ONE_BY_ONE * request["calls"]))
    block = call(calls, _after(CALLING, deadline), _share(ALONE, calls), waiting)
    if not calls.waits():
        return block
    more = call(calls, _after(WAITING, deadline), waiting - calls.count, inf)
    return max(block, more or 0.0) if block is not None else None


def _beside(
    call: Caller, request: dict[str, Any], calls: Calls, deadline: float, reasons: dict[str, str]
) -> dict[str, float | None]:
    """Return what two calls at once gain, if they could hinder each other."""
    if not computes(calls):
        reasons |= dict.fromkeys(("thread_gain", "process_gain"), MOSTLY_WAITS)
        return {}
    with pair(request, calls, deadline) as two:
        if not two.worthless and calls.cpu_fraction() < SEVERAL_CORES:
            call(calls, _after(MEANWHILE, deadline), _share(ALONE, calls), inf)
        return two.gains(reasons)


def _with_others(calls: Calls, allowed: int) -> int:
    """Return how many calls may be made with several in flight."""
    if computes(calls):  # it was called more often already
        return allowed
    watched = 0.0 if calls.cpu_fraction() < LEAST_CPU else LOOKED_AT * allowed
    return int(allowed - calls.count - watched)


def _share(share: float, calls: Calls) -> float:
    """Return how many items a share of those that are left is, a few at least."""
    return max(LEAST_CALLS, int(share * calls.supply.left)) if calls.supply.left < inf else inf


def _gil_facts(
    call: Caller,
    request: dict[str, Any],
    calls: Calls,
    deadline: float,
    beside: dict[str, float | None],
    reasons: dict[str, str],
) -> dict[str, float | None]:
    """Return the gains and the share of the GIL: as two have shown it, as watched, or bounded."""
    is_known = beside.get("gil_fraction") is not None
    looked_at = GLIMPSED if is_known else WATCHED
    watched = _gil(call, request, calls, deadline, looked_at, reasons)
    facts = watched | beside if is_known else beside | watched
    if facts["gil_fraction"] is None and calls.programs > MOSTLY_PROGRAMS * calls.cpu:
        facts["gil_fraction"] = max(0.0, 1 - calls.programs / calls.cpu)
    if facts["gil_fraction"] is not None:
        reasons.pop("gil_fraction", None)
    return facts


def _gil(
    call: Caller,
    request: dict[str, Any],
    calls: Calls,
    deadline: float,
    looked_at: float,
    reasons: dict[str, str],
) -> dict[str, float | None]:
    """Let a second thread watch some further calls, if there is any time and any item left."""
    controls = _controls(_after(CONTROLLING, deadline)) if gil_enabled() else None
    watched, lateness = None, gil.Lateness()
    most = _share(looked_at, calls)
    if calls.waits():
        most = min(most, request["calls"] - calls.count)
    in_time = LONGER * calls.each < _left(deadline)
    if controls and in_time and most >= 1 and calls.supply.left and not calls.hopeless():
        watched = Calls(calls.supply, deadline)
        with gil.sampling() as lateness:
            call(watched, _after(WATCHING, deadline), most, inf)
    return gil_share(calls, watched, lateness, controls, reasons)


def _controls(until: float) -> gil.Controls:
    """Measure the controls until they come out right: a machine is often busy for a moment only."""
    while True:
        controls = gil.calibrate()
        if controls.trusted or time.monotonic() > until:
            return controls


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def _after(share: float, deadline: float) -> float:
    return time.monotonic() + share * _left(deadline)


def _waking(is_async: bool, wait: float, napping: float) -> Waking:
    """Return the CPU seconds of a call that does nothing but sleep for about as long as `wait`.

    That is the price of being called one by one from here: an engine pays its own price, which is
    among its costs and not the function's. It grows with the wait (five times from 1 ms to 50 ms,
    on Linux), because a core that idles for longer sleeps deeper and forgets more. The naps take
    `napping` seconds, about.
    """
    nap = max(0.0, min(wait, napping / 2))
    times = min(NAPS, int(napping / nap)) if nap else NAPS
    if is_async:
        from scaffold.measuring import awaiting

        return awaiting.waking(times, nap)
    began = time.thread_time()
    for _ in range(times):
        time.sleep(nap)
    return Waking((time.thread_time() - began) / times)


@contextmanager
def _giving_up(report: Report, calls: Calls, deadline: float) -> Iterator[None]:
    """End the process at the deadline, even while a call hangs, with what is known by then."""

    def give_up() -> None:
        if calls.over:  # on a busy machine the report may be late as well
            time.sleep(REPORTING)
        report.tell(**calls.facts_when_hung(), overran=True)
        os._exit(0)

    timer = threading.Timer(max(0.0, deadline - time.monotonic()), give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
