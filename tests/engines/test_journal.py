"""The results file: what a line holds, and how a run goes on where the last one ended."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .assembly import Project

WORK = """
def work(item):
    if item == "fail":
        raise ValueError("it was told to")
    if item == "object":
        return object()
    if item == "nan":
        return float("nan")
    with open("calls.log", "a") as file:
        file.write(f"{item}\\n")
    return item
"""

Make = Callable[[str], Project]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A project with these items, run by the simplest engine: the journal is the same for all."""
    return lambda items: Project.make("sequential", tmp_path, WORK, items)


def results(project: Project) -> list[dict[str, Any]]:
    """The lines of results.jsonl, by id."""
    lines = (project.root / "results.jsonl").read_text().splitlines()
    return sorted((json.loads(line) for line in lines), key=lambda record: int(record["id"]))


def calls(project: Project) -> list[str]:
    """The items that work() was called with."""
    return (project.root / "calls.log").read_text().split()


def test_a_line_per_task(make: Make) -> None:
    """A line has the id, and either the value or the error."""
    project = make('{"a": 1}\n"fail"\n\n[2]\n')
    done = project.run("run")
    assert done.returncode == 1
    first, second, third = results(project)
    assert (first["id"], first["ok"], first["value"]) == (0, True, {"a": 1})
    assert (second["id"], second["ok"], second["error"]) == (1, False, "ValueError: it was told to")
    assert (third["id"], third["value"]) == (2, [2])  # the blank line is not an item
    assert set(first) == {"id", "ok", "value", "seconds", "attempts"}
    assert set(second) == {"id", "ok", "error", "where", "traceback", "seconds", "attempts"}
    assert "ValueError at work.py:4 in work" in done.stderr
    assert not done.stdout


@pytest.mark.parametrize("item", ["object", "nan"])
def test_a_value_that_json_cannot_represent_is_an_error(make: Make, item: str) -> None:
    """It is the error of its task, by name, and every line stays valid JSON."""
    project = make(f'1\n"{item}"\n')
    assert project.run("run").returncode == 1
    assert results(project)[1]["error"].startswith("result is not JSON: ")


def test_done_tasks_are_skipped(make: Make) -> None:
    """A second run does what the first left, and tells of failures of the first."""
    project = make('1\n2\n"fail"\n4\n5\n')
    assert project.run("run", "--limit", "3").returncode == 1
    assert project.run("run").returncode == 1
    assert project.run("run").returncode == 1
    assert calls(project) == ["1", "2", "4", "5"]
    assert [record["id"] for record in results(project)] == [0, 1, 2, 3, 4]


def test_fresh_starts_over(make: Make) -> None:
    """With --fresh nothing of earlier runs counts."""
    project = make("1\n2\n")
    assert project.run("run").returncode == 0
    (project.root / "items.jsonl").write_text("3\n")
    assert project.run("run", "--fresh").returncode == 0
    assert [record["value"] for record in results(project)] == [3]


def test_failed_tasks_run_again_when_asked(make: Make) -> None:
    """With --retry-failed the failures of earlier runs are forgotten and run again."""
    project = make('1\n"fail"\n3\n')
    assert project.run("run").returncode == 1
    work = project.root / "pkg" / "work.py"
    work.write_text(work.read_text().replace('"fail"', '"never"'))
    assert project.run("run", "--retry-failed").returncode == 0
    assert calls(project) == ["1", "3", "fail"]
    assert [record["value"] for record in results(project)] == [1, "fail", 3]


@pytest.mark.parametrize(
    "tail", [b'{"id": 1, "ok": tr', b'{"id": 1, "ok": true, "value": 2', b"\0\0\0"]
)
def test_a_torn_last_line_is_cut_off(make: Make, tail: bytes) -> None:
    """What kill -9 left half is run again."""
    project = make("1\n2\n3\n")
    assert project.run("run", "--limit", "1").returncode == 0
    with (project.root / "results.jsonl").open("ab") as file:
        file.write(tail)
    assert project.run("run").returncode == 0
    assert [record["value"] for record in results(project)] == [1, 2, 3]


@pytest.mark.parametrize("changed", ["9\n2\n3\n4\n", "1\n2\n", "2\n3\n1\n4\n", ""])
def test_a_changed_input_is_refused(make: Make, changed: str) -> None:
    """Results of other items are worth nothing: say so, and touch nothing."""
    project = make("1\n2\n3\n4\n")
    assert project.run("run", "--limit", "3").returncode == 0
    before = (project.root / "results.jsonl").read_text()
    (project.root / "items.jsonl").write_text(changed)
    done = project.run("run")
    assert done.returncode == 2
    assert "is not what the results in results.jsonl were made of" in done.stderr
    assert "--fresh" in done.stderr
    assert (project.root / "results.jsonl").read_text() == before
    assert calls(project) == ["1", "2", "3"]


@pytest.mark.parametrize("grown", ["1\n2\n3\n4\n", "1\n2\n5\n", "1\r\n2\r\n\r\n3\r\n"])
def test_items_that_were_not_reached_may_change(make: Make, grown: str) -> None:
    """Behind the point that was reached, items may be added and mended."""
    project = make("1\n2\n3")
    assert project.run("run", "--limit", "2").returncode == 0
    (project.root / "items.jsonl").write_text(grown, newline="")
    assert project.run("run").returncode == 0
    assert [record["value"] for record in results(project)] == [int(n) for n in grown.split()]


def test_results_without_their_state_are_refused(make: Make) -> None:
    """Nobody can tell which input they are of."""
    project = make("1\n2\n")
    assert project.run("run", "--limit", "1").returncode == 0
    (project.root / "results.jsonl.state").unlink()
    done = project.run("run")
    assert (done.returncode, "--fresh" in done.stderr) == (2, True)


def test_a_damaged_result_is_refused(make: Make) -> None:
    """A line that is no result stops the run before it does anything."""
    project = make("1\n2\n")
    assert project.run("run", "--limit", "1").returncode == 0
    with (project.root / "results.jsonl").open("a") as file:
        file.write("hello\n")
    done = project.run("run")
    assert (done.returncode, "line 2" in done.stderr) == (2, True)


def test_results_edited_by_another_tool_are_read(make: Make) -> None:
    """Compact JSON, as other tools write it, counts as done."""
    project = make("1\n2\n")
    assert project.run("run", "--limit", "1").returncode == 0
    path = project.root / "results.jsonl"
    path.write_text(json.dumps(json.loads(path.read_text()), separators=(",", ":")) + "\n")
    assert project.run("run").returncode == 0
    assert calls(project) == ["1", "2"]


@pytest.mark.parametrize("bad", ["{oops", "\udcff"])
def test_a_bad_line_is_told_before_the_first_task(make: Make, bad: str) -> None:
    """The error names the line; a run that goes on looks at what is ahead, too."""
    project = make("")
    path = project.root / "items.jsonl"
    path.write_bytes(f"1\n\n2\n{bad}\n4\n".encode(errors="surrogateescape"))
    done = project.run("run")
    assert (done.returncode, "line 4" in done.stderr) == (2, True)
    assert "Traceback" not in done.stderr
    assert not (project.root / "calls.log").exists()
    assert project.run("run", "--limit", "1").returncode == 0
    assert project.run("run").returncode == 2
    assert calls(project) == ["1"]
    path.write_text("1\n\n2\n3\n4\n")
    assert project.run("run").returncode == 0
    assert calls(project) == ["1", "2", "3", "4"]


def test_a_key_that_is_missing_is_told_before_the_first_task(make: Make) -> None:
    """One that is used twice is told, too, and is no error."""
    project = make('{"k": 1}\n{"k": 1}\n{"l": 1}\n')
    done = project.run("run", "--key", "k")
    assert (done.returncode, "items.jsonl, line 3: no field 'k'" in done.stderr) == (2, True)
    assert "items.jsonl, line 2: the key 1 was used before" in done.stderr
    assert not (project.root / "calls.log").exists()
    (project.root / "items.jsonl").write_text('{"k": 1}\n{"k": 1}\n')
    done = project.run("run", "--key", "k")
    assert (done.returncode, done.stderr.count("was used before")) == (0, 1)


def test_a_bad_line_of_a_pipe_ends_the_run(make: Make) -> None:
    """It cannot be read twice: what came before is done, and mending the line is no change."""
    project = make("")
    for text, code in (("1\n\n2\n{oops\n4\n", 2), ("1\n2\n3\n4\n", 0)):
        process = project.start("run", "--items", "-", stdin=-1)
        process.communicate(text, timeout=60)
        assert process.returncode == code
    assert calls(project) == ["1", "2", "3", "4"]


def test_plain_lines(make: Make) -> None:
    """In a .txt each line is an item."""
    project = make("")
    (project.root / "urls.txt").write_bytes("\ufeffone two\r\n\r\n{three\n".encode())
    assert project.run("run", "--items", "urls.txt").returncode == 0
    assert [record["value"] for record in results(project)] == ["one two", "{three"]


def test_items_from_a_pipe(make: Make, tmp_path: Path) -> None:
    """Standard input works like a file, and so does going on with it."""
    project = make("")
    for text in ("1\n2", "1\n2\n3\n"):
        (tmp_path / "pipe.jsonl").write_text(text)
        with (tmp_path / "pipe.jsonl").open() as file:
            assert project.run("run", "--items", "-", stdin=file).returncode == 0
    process = project.start("run", "--items", "-", stdin=-1)
    process.communicate("1\n2\n3\n4\n", timeout=60)
    assert process.returncode == 0
    assert calls(project) == ["1", "2", "3", "4"]


def test_a_pipe_that_never_ends_is_interrupted(make: Make) -> None:
    """Waiting for input does not hold up an interruption."""
    project = make("")
    process = project.start("run", "--items", "-", stdin=-1)
    assert process.stdin is not None
    process.stdin.write("1\n")
    process.stdin.flush()
    while not (project.root / "calls.log").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert [record["value"] for record in results(project)] == [1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--max-workers", "0"),
        ("--timeout", "0"),
        ("--timeout", "nan"),
        ("--retries", "-1"),
        ("--limit", "x"),
        ("--items", "missing.jsonl"),
        ("--items", "."),
        ("--results", "missing/results.jsonl"),
        ("--results", "."),
    ],
)
def test_usage_errors(make: Make, arguments: tuple[str, ...]) -> None:
    """A value that makes no sense is refused in words."""
    done = make("1\n").run("run", *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr


def test_quiet(make: Make) -> None:
    """With --quiet a good run says nothing."""
    done = make("1\n").run("run", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_bench_prints_both_and_the_speedup(make: Make) -> None:
    """`bench` writes no results; --json is one document."""
    project = make("1\n2\n3\n")
    done = project.run("bench", "--seconds", "2", "--json")
    report = json.loads(done.stdout)
    assert [row["model"] for row in report["results"]] == ["sequential", "sequential"]
    assert [row["items"] for row in report["results"]] == [3, 3]
    assert report["speedup"] > 0
    assert "speedup" in project.run("bench", "--seconds", "2").stdout
    assert not (project.root / "results.jsonl").exists()
