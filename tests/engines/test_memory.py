"""Worker processes and memory: replaced in time, and fewer where it does not suffice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from .assembly import PROCESS_MODELS
from .conftest import Model, paying


@pytest.fixture(params=PROCESS_MODELS)
def pooled(request: pytest.FixtureRequest, models: dict[str, Model]) -> Model:
    """Each model with worker processes in turn."""
    return models[request.param]


@pytest.mark.parametrize("recycle", [1, 3])
def test_a_worker_that_is_soon_replaced_costs_no_permit(
    pooled: Model, kind: str, recycle: int
) -> None:
    """What a task costs is spent once, whoever has room for it."""
    pacer, paid = paying(pooled)
    job, items = pooled.job("square", kind), range(40)
    outcomes = pooled.run(job, items, max_workers=8, pacer=pacer, recycle=recycle)
    assert [outcome.error for outcome in outcomes] == [None] * 40
    assert sorted(paid) == [*items]


@pytest.mark.parametrize("rate", [None, "500/s"])
def test_a_worker_is_replaced_after_so_many_tasks(
    pooled: Model, kind: str, rate: str | None
) -> None:
    """No process runs more, and every item has its outcome."""
    pacer = pooled.pacing.Pacer([pooled.pacing.Rate.parse(rate)]) if rate else None
    outcomes = pooled.run(pooled.job("own_pid", kind), range(60), recycle=7, pacer=pacer)
    assert [outcome.error for outcome in outcomes] == [None] * 60
    tasks = Counter(outcome.value for outcome in outcomes)
    assert max(tasks.values()) <= 7
    assert len(tasks) >= 60 // 7


def test_workers_killed_for_memory_make_the_pool_smaller(
    pooled: Model, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said, and the run goes on to its end."""
    outcomes = pooled.run(pooled.job("killed", kind), range(20), max_workers=2)
    assert [outcome.id for outcome in outcomes if outcome.error] == [0, 1, 2, 3]
    assert {outcome.error for outcome in outcomes[:4]} == {"worker died: SIGKILL (out of memory?)"}
    messages = capsys.readouterr().err
    assert (
        "2 workers were killed, it seems for memory: continuing with fewer workers, 1" in messages
    )


def test_a_kill_that_the_kernel_counts_is_named(
    pooled: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no doubt then."""
    kills = iter(range(100))
    monkeypatch.setattr(pooled.pool, "kills_for_memory", lambda: next(kills))
    outcomes = pooled.run(pooled.job("killed", "def"), [0, 9])
    assert outcomes[0].error == "worker died: out of memory, and the system killed it"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_memory_that_is_left_is_the_least_of_all_limits(pooled: Model, tmp_path: Path) -> None:
    """A cgroup's limit less what it uses, cached files aside, or what the machine has."""
    root, proc = tmp_path / "cgroup", tmp_path / "proc"
    _write(proc / "own", "0::/app\n")
    _write(proc / "meminfo", "MemTotal: 9000 kB\nMemAvailable: 8000 kB\n")
    paths = str(proc / "own"), str(root), str(proc)
    assert pooled.machine.memory_left(*paths) == 8000 * 1024
    _write(root / "app" / "memory.max", "5000000\n")
    _write(root / "app" / "memory.current", "4000000\n")
    _write(root / "app" / "memory.stat", "anon 1\ninactive_file 500000\n")
    assert pooled.machine.memory_left(*paths) == 1_500_000
    _write(root / "app" / "memory.max", "max\n")
    assert pooled.machine.memory_left(*paths) == 8000 * 1024


def test_kills_are_counted_where_the_kernel_does(pooled: Model, tmp_path: Path) -> None:
    """Elsewhere it is not known."""
    assert pooled.pool.kills_for_memory(str(tmp_path)) is None
    _write(tmp_path / "vmstat", "pgfault 3\noom_kill 2\n")
    assert pooled.pool.kills_for_memory(str(tmp_path)) == 2
