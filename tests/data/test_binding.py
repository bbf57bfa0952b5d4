"""The line that tells what a run was bound by."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Load

LONG = {"seconds": 10.0, "tasks": 100, "busy": 10.0, "cpu": 0.1, "workers": 8, "cores": 4}


def said(load: Load, model: str = "threading", **more: Any) -> str | None:
    """What is told of a run."""
    binding = load("progress")
    words: str | None = binding.what_bound(binding.Usage(**(LONG | {"model": model} | more)))
    return words


def pacer(load: Load, rate: str, spent: int) -> Any:
    """One that has let so many begin."""
    pacing = load("pacing")
    made = pacing.Pacer([pacing.Rate.parse(rate)], cost=lambda _: 1.0)
    for _ in range(spent):
        made.begin(0.0, None)
    return made


@pytest.mark.parametrize("rate", ["10/s", "600/min", "36000 tokens/h"])
def test_a_rate_that_was_used_up(load: Load, rate: str) -> None:
    """It comes before all else, whatever its unit."""
    unit = " tokens" if "tokens" in rate else ""
    words = f"the rate of 10{unit}/s: more workers would not help"
    assert said(load, pacer=pacer(load, rate, 95), cpu=40.0, busy=80.0) == words
    assert said(load, pacer=pacer(load, rate, 50)) is None


@pytest.mark.parametrize("model", ["multiprocessing", "hybrid", "threading", "sequential"])
def test_all_cores(load: Load, model: str) -> None:
    """Every one of them computes."""
    assert str(said(load, model, cpu=38.0)).startswith("4 cores: ")
    assert str(said(load, model, cpu=9.5, cores=1)).startswith("one core: ")


def test_one_core_of_several(load: Load) -> None:
    """Threads that share a GIL; a process of many is no bound."""
    words = "one core of 4: Python code in one process takes turns; concgen switch multiprocessing"
    if load("machine").has_gil():
        assert str(said(load, cpu=9.6, busy=80.0)).startswith(words)
    assert said(load, "multiprocessing", cpu=9.6) is None


def test_how_many_were_in_flight(load: Load) -> None:
    """All workers were busy, and nothing else was used up."""
    words = "8 tasks in flight: --max-workers 16, if the other end takes as many"
    assert said(load, busy=78.0) == words
    assert said(load, busy=40.0) is None
    assert said(load, "sequential", busy=9.9, workers=1) == (
        "one task at a time, which waits: concgen switch threading"
    )


def test_the_other_end(load: Load) -> None:
    """A limit that was found, in flight or as a rate."""
    limit = load("adaptive").AdaptiveLimit(1000, 0.0)
    now = 0.0
    for _ in range(400):  # 20 at a time: past that, they wait for each other
        busy = limit.places(now)
        now += 0.1 * max(1.0, busy / 20)
        for _ in range(busy):
            limit.succeeded(now, 0.1 * max(1.0, busy / 20), busy)
    bound = said(load, pacer=load("pacing").Pacer(limit=limit), busy=200.0, workers=1000)
    assert str(bound).startswith("the other end: more than about ")
    limit.refused(now, 0.1, 1, 2.0)
    bound = said(load, pacer=load("pacing").Pacer(limit=limit), busy=200.0, workers=1000)
    assert str(bound).startswith("the other end: it refused more than about ")


def test_memory(load: Load) -> None:
    """There was none for more."""
    limit = load("adaptive").AdaptiveLimit(1000, 0.0, lambda: False)
    limit.refused(1.0, 0.1, 8, None)
    bound = said(load, pacer=load("pacing").Pacer(limit=limit), busy=60.0)
    assert bound == "memory: there is none for more tasks in flight"


@pytest.mark.parametrize("few", [{"seconds": 0.5, "busy": 4.0}, {"tasks": 5, "busy": 80.0}])
def test_too_little_to_tell(load: Load, few: dict[str, Any]) -> None:
    """Then nothing is told."""
    assert said(load, **few) is None
