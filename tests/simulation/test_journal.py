"""The journal on a simulated disk: a seed replays every crash.

`SIMULATION_SEEDS=20000 pytest tests/simulation` looks longer; a seed that fails is in the message.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import partial
from types import SimpleNamespace

import pytest

from . import journal
from .journal import BACKUP, RESULTS, Story

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "2000")) // 2  # both simulations fit into a minute
CHUNK = 250  # seeds in one test, so that they spread over the processes


def simulate(seed: int, modules: SimpleNamespace) -> Story:
    """Run one seed, and leave the modules as they were."""
    with pytest.MonkeyPatch.context() as patch:
        return journal.simulate(seed, modules, partial(patch.setattr, raising=False))


def check(seen: Story) -> None:
    """What has to hold in the end: one good result for each item, of the item as it is now."""
    lines = bytes(seen.disk.names[RESULTS].data).splitlines()
    results = {result["id"]: result for result in map(json.loads, lines)}
    assert len(results) == len(lines), "a task has two results"
    assert [results[position]["value"] for position in sorted(results)] == [
        row.value for row in seen.rows
    ], "a result is of something else"
    if seen.key:
        assert [results[at]["key"] for at in sorted(results)] == [row.key for row in seen.rows]
    left = set(seen.disk.names) - {RESULTS, f"{RESULTS}.state", BACKUP}
    assert not left, "something is left behind"


@pytest.mark.parametrize("start", range(0, SEEDS, CHUNK))
def test_nothing_is_lost_whatever_the_disk_does(start: int, modules: SimpleNamespace) -> None:
    """Kills and power cuts at any write, full disks, interruptions, and items that are edited."""
    for seed in range(start, start + CHUNK):
        try:
            check(simulate(seed, modules))
        except Exception as exc:
            raise AssertionError(f"seed {seed}: {exc!r}") from exc


def test_a_seed_replays_the_same_bytes(modules: SimpleNamespace) -> None:
    def story(seed: int) -> str:
        seen = simulate(seed, modules)
        return hashlib.sha256(repr((seen.disk.trace, seen.told)).encode()).hexdigest()

    assert all(story(seed) == story(seed) for seed in range(40))


def test_the_seeds_meet_with_every_trouble(modules: SimpleNamespace) -> None:
    """A simulation in which nothing goes wrong shows nothing."""
    stories = [simulate(seed, modules) for seed in range(300)]
    changes = {entry[0] for story in stories for entry in story.disk.trace}
    assert changes == {"create", "write", "truncate", "fsync", "replace", "link", "unlink"}
    assert any(BACKUP in entry for story in stories for entry in story.disk.trace)
    assert any("results are damaged" in text for story in stories for text in story.told)
