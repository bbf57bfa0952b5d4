"""The child process that runs the user's function and measures it.

    python -P -m scaffold.measuring.probe < request.json

writes facts, one JSON object a line, to the request's `report` file. Every fact is written as soon
as it is known, so that a crash loses none. Imports little: the user's modules come on top.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scaffold.measuring import gil
from scaffold.measuring.calls import Calls, Waking
from scaffold.measuring.loading import Refusal, load
from scaffold.measuring.report import Report

# The share of the time left that may go into controls until they come out right.
CONTROLLING = 0.25
# The share of the time left that goes into calls; the rest is for naps, pickling and the report.
CALLING = 0.85
# Naps show what calling and waking up cost: at most so many of them, for so many seconds in all.
NAPS, NAPPING = 40, 0.2
# Seconds beyond the deadline that the report may take when the calls were over before it.
REPORTING = 0.4


def main() -> None:
    """Measure what stdin asks for; exit code 0 whether or not it went well."""
    request = json.loads(sys.stdin.buffer.read())
    report = Report(request["report"])
    deadline = request["until"] - time.time() + time.monotonic()  # starting took its share
    # The user's module may try to read it.
    sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115
    calls = Calls(request["items"], deadline)
    try:
        with _giving_up(report, calls, deadline):
            _measure(request, report, calls, deadline)
    except Refusal as refusal:
        report.tell(refused=str(refusal))
    os._exit(0)  # threads of the user's, and functions at exit, are nobody's business


def _measure(request: dict[str, Any], report: Report, calls: Calls, deadline: float) -> None:
    function, facts = load(request)
    report.tell(**facts)
    calls.controls = _controls(deadline) if _has_gil() else None
    until = time.monotonic() + CALLING * (deadline - time.monotonic())
    if inspect.iscoroutinefunction(function):
        from scaffold.measuring.awaiting import call_async

        report.tell(longest_loop_block_seconds=call_async(function, calls, until))
    else:
        calls.run(function, until)
    left = deadline - time.monotonic()  # a long last call may have taken most of it
    napping = min(NAPPING, left / 2)
    calls.waking = _waking(inspect.iscoroutinefunction(function), calls.wait(), napping)
    report.tell(**calls.facts(), finished=True)


def _controls(deadline: float) -> gil.Controls:
    """Try again for a while: what keeps a machine busy is often over in a moment."""
    until = time.monotonic() + CONTROLLING * (deadline - time.monotonic())
    while True:
        controls = gil.calibrate()
        if controls.trusted or time.monotonic() > until:
            return controls


def _waking(is_async: bool, wait: float, napping: float) -> Waking:
    """Return the CPU seconds of a call that does nothing but sleep for about as long as `wait`.

    That is the price of being called one by one from here: an engine pays its own, which is among
    the costs and not the function's. It grows with the wait (five times from 1 ms to 50 ms, on
    Linux), because a core that idles for longer sleeps deeper and forgets more. The naps take
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


def _has_gil() -> bool:
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


if __name__ == "__main__":
    main()
