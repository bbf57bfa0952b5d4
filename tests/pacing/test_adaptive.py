"""The limit that adapts, in simulated time: a seed draws the server, and replays it."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from types import ModuleType

import pytest

from .world import Run, Slots, Window

SEEDS = int(os.environ.get("PACING_SEEDS", "60"))  # of each kind; 2,500 are 10,000 runs
TASKS = 1500


def service(rng: random.Random) -> Callable[[], float]:
    """How long a request takes: always the same, or more or less so."""
    mean = rng.choice([0.01, 0.05, 0.2])
    spread = rng.choice([0.0, 0.2, 0.5])
    return lambda: mean * rng.lognormvariate(-spread * spread / 2, spread)


def settled(run: Run) -> list[int]:
    """The tasks that might be in flight in the second half of the time, but for a start and end."""
    return [places for when, places in run.places if when > run.now / 2]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_server_that_queues(pacing: ModuleType, adaptive: ModuleType, seed: int) -> None:
    """It is kept busy, and its queue stays short."""
    rng = random.Random(seed)
    slots, most = rng.randint(2, 100), 1000
    limit = adaptive.AdaptiveLimit(most, 0.0)
    run = Run(pacing, Slots(lambda _: slots, service(rng)), TASKS, limit=limit).go()
    assert run.done == TASKS
    assert all(1 <= places <= most for _, places in run.places)
    assert sorted(settled(run))[len(settled(run)) // 2] <= 3 * slots + 10


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_server_that_refuses(pacing: ModuleType, adaptive: ModuleType, seed: int) -> None:
    """Little is refused, and everything is done."""
    rng = random.Random(seed)
    slots = rng.randint(5, 60)
    server = Slots(lambda _: slots, service(rng), refuses=True)
    run = Run(pacing, server, TASKS, limit=adaptive.AdaptiveLimit(1000, 0.0)).go()
    assert run.done == TASKS
    assert run.refused <= 0.08 * TASKS


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_server_with_a_rate(pacing: ModuleType, adaptive: ModuleType, seed: int) -> None:
    """The rate is found, whether or not the server says when to come back."""
    rng = random.Random(seed)
    many, tasks = rng.randint(5, 50), 1000
    server = Window(many, service(rng), says=rng.random() < 0.5)
    run = Run(pacing, server, tasks, limit=adaptive.AdaptiveLimit(1000, 0.0)).go()
    assert run.done == tasks
    assert run.refused <= 0.15 * tasks
    assert run.now <= 1.6 * tasks / many + 5


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_server_that_slows_down_and_recovers(
    pacing: ModuleType, adaptive: ModuleType, seed: int
) -> None:
    """It is followed both ways: what a schedule that knows would do takes 30 seconds."""
    rng = random.Random(seed)
    high, low = rng.randint(20, 60), rng.randint(3, 10)
    mean = 0.05
    server = Slots(
        lambda now: low if 10 < now < 20 else high,
        lambda: mean * rng.lognormvariate(-0.02, 0.2),
    )
    tasks = int((20 * high + 10 * low) / mean)
    run = Run(pacing, server, tasks, limit=adaptive.AdaptiveLimit(1000, 0.0)).go()
    assert run.done == tasks
    assert run.now <= 36


def test_without_a_limit_it_goes_to_the_most(pacing: ModuleType, adaptive: ModuleType) -> None:
    """And stays there, but for a look now and then at how fast fewer would be."""
    server = Slots(lambda _: 10**6, lambda: 0.1)
    run = Run(pacing, server, 20_000, limit=adaptive.AdaptiveLimit(500, 0.0)).go()
    assert max(places for _, places in run.places) == 500
    assert run.now <= 1.15 * 20_000 / 500 * 0.1


def test_nothing_grows_where_no_memory_is_left(pacing: ModuleType, adaptive: ModuleType) -> None:
    """What is in flight stays as it is."""
    limit = adaptive.AdaptiveLimit(500, 0.0, lambda: False)
    run = Run(pacing, Slots(lambda _: 10**6, lambda: 0.1), 2000, limit=limit).go()
    assert max(places for _, places in run.places) <= adaptive.START


def test_some_tasks_that_hang_do_not_count_as_refusals(adaptive: ModuleType) -> None:
    """But many at a time do."""
    limit = adaptive.AdaptiveLimit(100, 0.0)
    for n in range(2000):
        limit.succeeded(n * 0.01 + 1, 0.01, 100)
    before = limit.places(100.0)
    for _ in range(3):
        limit.refused(100.0, 5.0, before, None, timeout=True)
    assert limit.places(100.0) == before
    for _ in range(before // 2):
        limit.refused(100.0, 5.0, before, None, timeout=True)
    assert limit.places(100.0) < before
