"""What `concgen bench` measured of a project is in its record and its CONCURRENCY.md."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from scaffold.changing import record
from scaffold.commands import bench_record, check, diff, switch, undo, update
from scaffold.commands.bench import Bench, Result
from scaffold.commands.progress import SILENT
from scaffold.core.costs import DEFAULT_COSTS
from scaffold.core.domain import Model, Workload
from scaffold.measuring import machine
from scaffold.terminal import bench_dialogue

from .conftest import edit, make, snapshot

RESULTS = (
    Result(Model.SEQUENTIAL, 1, 4000.0, 4100.0, 20, 0, extrapolated=True),
    Result(Model.THREADING, 256, 16.0, 17.0, 20_000, 0, extrapolated=False),
    Result(Model.ASYNCIO, 1000, 4.0, 5.0, 20_000, 19_000, False, "OSError: no"),
)


def benched(results=RESULTS):
    return Bench(
        Workload(tasks=20_000), machine.inspect(), DEFAULT_COSTS, results, True, day="2026-01-31"
    )


@pytest.fixture
def project(tmp_path):
    return make(tmp_path / "crawl")


def told(project):
    return (project / "CONCURRENCY.md").read_text()


def test_the_times_the_fastest_the_day_and_the_machine_are_told(project):
    """A model that failed is none of the fast ones."""
    assert bench_record.keep(benched(), project) == ("CONCURRENCY.md", record.ANSWERS)
    kept = record.load(project).answers["bench"]
    assert kept["fastest"] == "threading"
    assert [row["measured"] for row in kept["results"]] == ["17 s", "68 min", "failed"]
    assert "Fastest: **threading**" in told(project)
    assert "ran 20,000 items on 2026-01-31" in told(project)
    assert "| threading | 17 s | 16 s | 256 in flight |" in told(project)
    assert kept["machine"][0] in told(project)


def test_a_second_bench_takes_the_place_of_the_first(project):
    """There is one, the last."""
    bench_record.keep(benched(), project)
    faster = replace(RESULTS[1], measured_seconds=11.0)
    bench_record.keep(benched((faster,)), project)
    assert told(project).count("## Measured") == 1
    assert "17 s" not in told(project)


def test_it_is_no_edit_and_an_update_has_nothing_to_do(project):
    """What concgen writes is its own."""
    bench_record.keep(benched(), project)
    assert not diff.edits(project)
    assert not update.prepare(project).plan.changes


def test_the_decision_is_checked_as_before(project, capsys):
    """And stays what was decided."""
    before = check.check(project, remeasure=False, progress=SILENT)
    bench_record.keep(benched(), project)
    after = check.check(project, remeasure=False, progress=SILENT)
    assert (after.decided, after.flipped) == (before.decided, before.flipped)


def test_a_switch_keeps_the_times(project):
    """They are of every model."""
    bench_record.keep(benched(), project)
    switch.prepare(project, Model.THREADING).carry_out()
    assert "Fastest: **threading**" in told(project)
    assert not diff.edits(project)


def test_undo_takes_back_the_switch_before_it(project):
    """A bench shows whether the switch was right: it must not stand in the way of undoing it."""
    before = snapshot(project)
    switch.prepare(project, Model.THREADING).carry_out()
    bench_record.keep(benched(), project)
    bench_record.keep(benched(), project)
    assert undo.undo(project).command == "switch"
    assert snapshot(project) == before


def test_alone_there_is_nothing_to_undo(project):
    """As before."""
    bench_record.keep(benched(), project)
    assert not (project / ".concgen/undo").exists()


def test_an_edit_elsewhere_in_the_text_is_kept(project):
    """Both are there."""
    edit(project / "CONCURRENCY.md", "# Concurrency", "# Our concurrency")
    bench_record.keep(benched(), project)
    assert told(project).startswith("# Our concurrency")
    assert "## Measured" in told(project)


def test_a_text_of_the_users_own_stays_as_it_is(project):
    """The record has the figures."""
    (project / "CONCURRENCY.md").write_text("ours\n")
    assert bench_record.keep(benched(), project) == (record.ANSWERS,)
    assert told(project) == "ours\n"
    assert record.load(project).answers["bench"]["fastest"] == "threading"


@pytest.mark.parametrize(
    "results",
    [
        benched((RESULTS[2],)),
        replace(benched(), complete=False),
    ],
    ids=["no model did the work", "cut short"],
)
def test_a_run_that_failed_is_not_recorded(project, results):
    """It tells nothing of the models."""
    before = snapshot(project)
    bench_dialogue.record(results, request(project))
    assert snapshot(project) == before


def test_a_record_that_cannot_be_written_is_told(project, capsys):
    """The results are printed already."""
    (project / record.ANSWERS).chmod(0o444)
    bench_dialogue.record(benched(), request(project))
    assert "not recorded: '.concgen/answers.json' is read-only" in capsys.readouterr().err


def test_it_says_in_a_line_that_it_did(project, capsys):
    """By the names of the files."""
    bench_dialogue.record(benched(), request(project))
    assert capsys.readouterr().err == "recorded in CONCURRENCY.md and .concgen/answers.json\n"


def request(project):
    return bench_dialogue.BenchRequest(None, None, 20.0, project)


@pytest.mark.parametrize("damage", [{"fastest": "a\nb"}, {"results": [{}]}, {"more": "x"}])
def test_a_damaged_bench_is_refused(project, damage):
    """The record may be somebody else's."""
    bench_record.keep(benched(), project)
    path = project / record.ANSWERS
    content = json.loads(path.read_text())
    content["answers"]["bench"] |= damage
    path.write_text(json.dumps(content))
    with pytest.raises(record.UsageError, match="bench is"):
        record.load(project)
