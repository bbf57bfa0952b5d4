"""The pool's bookkeeping, in simulated worlds: a seed replays every fault.

`SIMULATION_SEEDS=20000 pytest tests/simulation` looks longer; a seed that fails is in the message.
"""

from __future__ import annotations

import os
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from . import world
from .world import World

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "2000"))
CHUNK = 250  # seeds in one test, so that they spread over the processes


def simulate(seed: int, modules: SimpleNamespace, **decided: Any) -> World:
    """Run one seed, and leave the modules as they were."""
    with pytest.MonkeyPatch.context() as patch:
        return world.simulate(seed, modules, patch.setattr, **decided)


def check(trial: World, modules: SimpleNamespace) -> None:
    """What has to hold of every run."""
    ids = Counter(entry[0] for entry in trial.trace)
    assert not ids or max(ids.values()) == 1, "a task has two outcomes"
    if trial.error is None and trial.clock.now < trial.stop_at:
        assert set(ids) == set(range(trial.count)), "a task has no outcome"
    assert set(ids) <= set(range(trial.pulled)), "an outcome of nothing"
    for index, value, error, attempts in trial.trace:
        assert (error is None) == (value == 2 * index)
        assert 1 <= attempts <= max(trial.times, trial.refusals) + 1
    if not trial.troubles:  # what is to run again waits outside of the window
        assert trial.most_ahead <= 2 * trial.size * world.BATCH, "the window is not bounded"
    if trial.rate:
        begins = sorted(trial.begins)
        most = int(trial.rate) + 1
        for first, last in zip(begins, begins[most:], strict=False):
            assert last - first >= 1.0, "more than the rate in a second"


@pytest.mark.parametrize("start", range(0, SEEDS, CHUNK))
def test_each_task_has_exactly_one_outcome_whatever_happens(
    start: int, modules: SimpleNamespace
) -> None:
    """Workers that die, hang, refuse and start badly; inputs that stall and break; stops; rates."""
    for seed in range(start, start + CHUNK):
        try:
            check(simulate(seed, modules), modules)
        except Exception as exc:
            raise AssertionError(f"seed {seed}: {exc}") from exc


def test_suspects_get_a_worker_though_the_run_pauses(modules: SimpleNamespace) -> None:
    """A task is refused for good; then the only worker dies, with the last batch."""
    calm = {"size": 1, "times": 0, "refusals": 0, "troubles": 0.0, "slow_input": False}
    calm |= dict.fromkeys(("timeout", "recycle", "rate", "breaks_at"))
    for count, refused in ((7, 4), (11, 6)):
        fate = {refused: "later", refused + 1: "die late"}
        trial = simulate(1, modules, **calm, stop_at=world.NEVER, count=count, fate=fate)
        check(trial, modules)
        assert [entry[0] for entry in trial.trace if entry[2]] == [refused, refused + 1]


def test_a_seed_replays_the_same_run(modules: SimpleNamespace) -> None:
    def story(seed: int) -> tuple[Any, ...]:
        trial = simulate(seed, modules)
        return trial.trace, trial.clock.now, trial.begins

    assert all(story(seed) == story(seed) for seed in range(40))


def test_the_seeds_meet_with_every_trouble(modules: SimpleNamespace) -> None:
    """A simulation in which nothing goes wrong shows nothing."""
    errors = " ".join(
        str(entry[2]) for seed in range(300) for entry in simulate(seed, modules).trace
    )
    for trouble in ("ValueError", "worker died", "timeout", "too much", "None"):
        assert trouble in errors
