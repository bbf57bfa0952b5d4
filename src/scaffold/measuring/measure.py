"""Measure the user's function in a child process: crash, hang or chatter cost only a report."""

from __future__ import annotations

import time
from collections.abc import Callable

from scaffold.asking.target import Target
from scaffold.core.errors import UsageError
from scaffold.core.observed import Profile
from scaffold.making.items import Items
from scaffold.measuring.child import Facts, run_child

DEFAULT_BUDGET = 3.0
# Less leaves no time for a verdict about the GIL; more is a benchmark.
LEAST_BUDGET, MOST_BUDGET = 1.0, 600.0
# Seconds beyond the budget that the child gets to write its report before it is killed: on a busy
# machine it has to wait for a core first.
GRACE = 2.0
# Calls of a function that waits: enough for a mean, few enough not to burden a server.
CALLS = 30
READING = 5e6  # bytes a second of a request, at least


def measure(
    target: Target,
    items: Items,
    budget: float = DEFAULT_BUDGET,
    watch: Callable[[float], None] = lambda _: None,
    *,
    repeat: bool = False,
    calls: int = CALLS,
    spare: float = 0.0,
    in_flight: int | None = None,
) -> Profile:
    """Run `target` on the sample for at most `budget` seconds and return its profile.

    No item is run twice unless they may `repeat`, and a function that mostly waits is called at
    most `calls` times, so as not to burden a server. If the function computes, `spare` seconds of
    the budget are left for pilot runs of engines. `watch` is told now and then how many seconds
    have passed.

    Raises UsageError when the function cannot be imported or called with one item, when it kills
    its process, and when no call returns in time.
    """
    request = {
        **target.place,
        "items": items.sample,
        "repeat": repeat,
        "calls": calls,
        "spare": spare,
        "in_flight": in_flight,
        "until": time.time() + budget,
    }
    facts, ended = run_child(
        "scaffold.measuring.probe",
        request,
        budget + GRACE + items.sample_bytes / READING,
        lambda elapsed, _: watch(elapsed),
        target.python,
    )
    return _profile(target, facts, ended, budget)


def _profile(target: Target, facts: Facts, ended: str, budget: float) -> Profile:
    if "refused" in facts:
        raise UsageError(
            facts["refused"],
            hint="name a function of one item, at the top of a module that can be imported",
        )
    if not (facts.get("finished") or facts.get("overran")):
        doing = "a call" if "is_async" in facts else "importing it"
        raise UsageError(
            f"{target}: {doing} ended the whole process ({ended})",
            hint="fix that first: in a project it would end a worker each time",
        )
    if facts.get("overran") and not facts.get("calls"):
        raise UsageError(
            f"{target}: {_unfinished(facts)} in {budget:g} s", hint="allow more time with --budget"
        )
    names = Profile.__dataclass_fields__
    return Profile(**{name: value for name, value in facts.items() if name in names})


def _unfinished(facts: Facts) -> str:
    if "is_async" not in facts:
        return "importing it did not finish"
    if facts["hung_item"] is None:
        return "the machine was too busy for a single call"
    return "one call did not finish"
