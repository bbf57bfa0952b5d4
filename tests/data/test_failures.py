"""Where a task failed, from every model; what is told of failures, and what stops a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from engines.assembly import MODELS, Project

WORK = """
class Refused(ValueError):
    pass

def price(item):
    if item == "cause":
        try:
            {}["x"]
        except KeyError as error:
            raise Refused("no price") from error
    if item == "note":
        error = Refused("noted")
        error.add_note("look here")
        raise error
    if item == "group":
        raise ExceptionGroup("several", [Refused("first"), TypeError("second")])
    if item == "long":
        raise Refused("x" * 100_000)
    return item

def work(item):
    return price(item)
"""


@pytest.mark.parametrize("model", MODELS)
def test_results_say_where(model: str, tmp_path: Path) -> None:
    """The user's innermost frame and the whole traceback, bounded, come from every worker."""
    if model == "dask":
        pytest.importorskip("distributed")
    project = Project.make(model, tmp_path, WORK, '"cause"\n"note"\n"group"\n"long"\n1\n')
    assert project.run("run").returncode == 1
    lines = (tmp_path / "results.jsonl").read_text().splitlines()
    cause, note, group, long, good = sorted(map(json.loads, lines), key=lambda record: record["id"])
    assert cause["where"] == "work.py:10 in price"
    assert "KeyError: 'x'" in cause["traceback"]
    assert "direct cause" in cause["traceback"]
    assert "Refused: no price" in cause["traceback"]
    assert "runner" not in cause["traceback"]
    assert "look here" in note["traceback"]
    assert "first" in group["traceback"]
    assert "TypeError: second" in group["traceback"]
    assert group["where"] == "work.py:16 in price"
    assert len(long["traceback"]) < 20_000
    assert set(good) == {"id", "ok", "value", "seconds", "attempts"}


def test_the_summary_groups_by_type_and_place(tmp_path: Path) -> None:
    """Different messages from one line are one kind; the command to run them again is there."""
    work = "def work(item):\n    raise TypeError(f'{item} is no price')\n"
    project = Project.make("sequential", tmp_path, work, "1\n2\n3\n")
    done = project.run("run")
    assert "3 \N{MULTIPLICATION SIGN} TypeError at work.py:2 in work" in done.stderr
    assert "python -m pkg run --retry-failed" in done.stderr
    status = project.run("status")
    assert status.stdout.splitlines() == [
        "0 ok", "3 failed", "  3 \N{MULTIPLICATION SIGN} TypeError at work.py:2 in work", "0 left",
    ]  # fmt: skip


def test_the_command_names_only_what_the_settings_do_not(tmp_path: Path) -> None:
    """A key in settings.py is not typed again, another one is."""
    work = "def work(item):\n    raise TypeError(item)\n"
    project = Project.make("sequential", tmp_path, work, '{"sku": "a", "name": "b"}\n')
    with (tmp_path / "pkg/settings.py").open("a") as settings:
        settings.write('KEY = "sku"\n')
    assert "python -m pkg run --retry-failed" in project.run("run").stderr
    other = project.run("run", "--key", "name", "--fresh").stderr
    assert "python -m pkg run --key name --retry-failed" in other


@pytest.mark.parametrize(("most", "at_least"), [("3", 3), ("10%", 20)])
def test_too_many_failures_stop_the_run(tmp_path: Path, most: str, at_least: int) -> None:
    """--max-failures ends a run that fails; what is left is left for the next."""
    work = "import time\ndef work(item):\n    time.sleep(0.005)\n    raise ValueError(item)\n"
    items = "".join(f"{n}\n" for n in range(2000))
    project = Project.make("threading", tmp_path, work, items)
    done = project.run("run", "--max-failures", most)
    assert (done.returncode, "--max-failures" in done.stderr) == (1, True)
    count = len((tmp_path / "results.jsonl").read_text().splitlines())
    assert 3 <= count < 1000
    assert "ValueError at work.py:4 in work" in done.stderr


@pytest.mark.parametrize("most", ["-1", "x", "101%"])
def test_no_such_share(tmp_path: Path, most: str) -> None:
    """A bound that makes no sense is refused, in words that say what would."""
    project = Project.make("sequential", tmp_path, WORK, "1\n")
    done = project.run("run", "--max-failures", most)
    reason = f"--max-failures: '{most}' is neither a number of tasks nor a percentage"
    assert (done.returncode, reason in done.stderr) == (2, True)


def test_nothing_to_do(tmp_path: Path) -> None:
    """A second run says so; its exit code is that of the results that are there."""
    project = Project.make("sequential", tmp_path, WORK, "1\n2\n")
    project.run("run")
    again = project.run("run")
    assert (again.returncode, "nothing to do: 2 items" in again.stderr) == (0, True)
    (tmp_path / "items.jsonl").write_text('1\n2\n"note"\n')
    assert project.run("run").returncode == 1
    again = project.run("run")
    assert (again.returncode, "1 of them failed" in again.stderr) == (1, True)


def test_another_work_is_told(tmp_path: Path) -> None:
    """Which results an earlier work.py has made is known, and said."""
    project = Project.make("sequential", tmp_path, WORK, "1\n2\n3\n")
    project.run("run", "--limit", "2")
    work = tmp_path / "pkg" / "work.py"
    work.write_text(f"{work.read_text()}\n# another\n")
    done = project.run("run")
    assert "results 1-2 were made by another work.py: --fresh" in done.stderr
    assert done.returncode == 0
    assert "another work.py" in project.run("run").stderr
    assert project.run("run", "--fresh").returncode == 0
    assert "another work.py" not in project.run("run").stderr
