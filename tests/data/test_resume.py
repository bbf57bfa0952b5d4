"""What becomes of earlier results: nothing is touched before the new run is known to be good."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engines.assembly import Project

WORK = """
import os, time

def setup():
    if os.path.exists("no-setup"):
        raise RuntimeError("no API key")

def work(item):
    if os.path.exists("slow"):
        time.sleep(60)
    value = item["v"] if isinstance(item, dict) else item
    if str(value).startswith("bad"):
        raise ValueError(value)
    with open("calls.log", "a") as file:
        file.write(f"{value}\\n")
    return value
"""

Make = Callable[[str], Project]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A project with these items and the simplest engine."""
    return lambda items: Project.make("sequential", tmp_path, WORK, items)


def results(project: Project) -> list[dict[str, Any]]:
    """The results, by id."""
    lines = (project.root / "results.jsonl").read_text().splitlines()
    return sorted((json.loads(line) for line in lines), key=lambda record: int(record["id"]))


def calls(project: Project) -> list[str]:
    """What work() was called with, and did not fail on."""
    return (project.root / "calls.log").read_text().split()


def snapshot(project: Project) -> dict[str, bytes]:
    """The results and what is beside them."""
    return {file.name: file.read_bytes() for file in project.root.glob("results.jsonl*")}


@pytest.mark.parametrize("option", ["--fresh", "--retry-failed"])
@pytest.mark.parametrize(
    "wrong",
    ["1\n{oops\n", "1\n\udcff\n", None, "a setup() that fails", "a work.py that does not run"],
)
def test_nothing_is_lost_for_what_is_wrong(make: Make, option: str, wrong: str | None) -> None:
    """Input, setup() and work.py are known to be good before an earlier result goes."""
    project = make('1\n"bad"\n3\n')
    assert project.run("run").returncode == 1
    before = results(project)
    items = project.root / "items.jsonl"
    if wrong is None:
        items.unlink()
    elif wrong.startswith("a setup"):
        (project.root / "no-setup").touch()
    elif wrong.startswith("a work"):
        (project.root / "pkg" / "work.py").write_text("import nowhere\n")
    else:
        items.write_bytes(wrong.encode(errors="surrogateescape"))
    done = project.run("run", option)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert results(project) == before
    assert sorted(snapshot(project)) == ["results.jsonl", "results.jsonl.state"]


@pytest.mark.parametrize("option", ["--fresh", "--retry-failed"])
def test_replaced_results_stay_beside_until_the_first_new_one(make: Make, option: str) -> None:
    """Killed before its first result, the run has left the old ones; they go with the first."""
    project = make('1\n"bad"\n3\n')
    project.run("run")
    before = (project.root / "results.jsonl").read_bytes()
    (project.root / "slow").touch()
    process = project.start("run", option)
    while not (project.root / "results.jsonl.bak").exists():
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert (project.root / "results.jsonl.bak").read_bytes() == before
    (project.root / "slow").unlink()
    assert project.run("run").returncode == 1
    assert [record["id"] for record in results(project)] == [0, 1, 2]
    assert sorted(snapshot(project)) == ["results.jsonl", "results.jsonl.state"]


def test_the_only_item_is_done_once(make: Make) -> None:
    """A second run has nothing to do."""
    project = make("1\n")
    assert project.run("run").returncode == 0
    again = project.run("run")
    assert again.returncode == 0, again.stderr
    assert calls(project) == ["1"]


def test_a_backup_of_the_users_own_stays(make: Make) -> None:
    """A .bak that no run has left is not overwritten."""
    project = make("1\n")
    project.run("run")
    own_backup = project.root / "results.jsonl.bak"
    own_backup.write_text("mine")
    done = project.run("run", "--fresh")
    assert (done.returncode, "move it away" in done.stderr) == (2, True)
    assert own_backup.read_text() == "mine"
    assert [record["value"] for record in results(project)] == [1]


@pytest.mark.parametrize("text", ["precious", "precious\n", '{"id": 1, "name": "x"}\n', "{}\n"])
def test_a_file_of_something_else_is_no_results(make: Make, text: str) -> None:
    """--fresh empties nothing that never held results."""
    project = make("1\n")
    (project.root / "notes.txt").write_text(text)
    done = project.run("run", "--results", "notes.txt", "--fresh")
    assert (done.returncode, "does not hold results" in done.stderr) == (2, True)
    assert (project.root / "notes.txt").read_text() == text


def test_input_and_results_are_two_files(make: Make) -> None:
    """The same file as both is refused, by whatever names."""
    project = make("1\n")
    project.run("run")
    (project.root / "link.jsonl").symlink_to("results.jsonl")
    before = snapshot(project)
    for arguments in (
        ("--items", "results.jsonl"),
        ("--items", "link.jsonl"),
        ("--results", "items.jsonl"),
        ("--results", "items.jsonl", "--fresh"),
    ):
        done = project.run("run", *arguments)
        assert done.returncode == 2
        assert "--results names another" in done.stderr
    assert snapshot(project) == before
    assert (project.root / "items.jsonl").read_text() == "1\n"


def test_a_last_line_without_its_end_stays_where_the_run_is_refused(make: Make) -> None:
    """An editor may have left it so: nothing is cut off before the run is known to be good."""
    project = make("1\n2\n")
    project.run("run")
    path = project.root / "results.jsonl"
    path.write_text(before := path.read_text().rstrip("\n"))
    assert project.run("run", "--items", "results.jsonl").returncode == 2
    (project.root / "results.jsonl.state").unlink()
    assert project.run("run").returncode == 2
    assert path.read_text() == before


@pytest.mark.parametrize("option", ["--fresh", "--retry-failed"])
def test_a_link_stays_a_link_and_a_mode_a_mode(make: Make, option: str) -> None:
    """New results are where the old were, and as private."""
    project = make('1\n"bad"\n')
    (project.root / "big").mkdir()
    link = project.root / "results.jsonl"
    link.symlink_to("big/r.jsonl")
    project.run("run")
    (project.root / "big/r.jsonl").chmod(0o600)
    project.run("run", option)
    assert link.is_symlink()
    assert (project.root / "big/r.jsonl").stat().st_mode & 0o777 == 0o600
    assert len(results(project)) == 2


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_results_that_are_gone_are_an_error(make: Make, how: str) -> None:
    """What was written to a file that has no name any more is kept, and told; not exit 0."""
    project = make("1\n2\n")
    gone = {
        "removed": "os.unlink('results.jsonl')",
        "replaced": "open('mine', 'w').close(); os.replace('mine', 'results.jsonl')",
    }
    (project.root / "pkg/work.py").write_text(
        "import os, time\ndef work(item):\n"
        "    time.sleep(0.01)\n"
        f"    if item == 2: {gone[how]}\n"
        "    return item\n"
    )
    done = project.run("run")
    assert done.returncode == 1
    assert "was removed or replaced" in done.stderr
    kept = "results.jsonl" if how == "removed" else "results.jsonl.rescued"
    lines = (project.root / kept).read_text().splitlines()
    assert [json.loads(line)["value"] for line in lines] == [1, 2]


def test_zeros_of_a_power_cut_are_cut_off_in_blocks(make: Make) -> None:
    """A file that ends in many NULs is read without holding them."""
    project = make("1\n2\n")
    project.run("run", "--limit", "1")
    path = project.root / "results.jsonl"
    os.truncate(path, 1 << 29)  # a hole: it takes no room
    options: dict[str, Any] = {}
    if sys.platform != "win32":
        import resource

        memory = 400 << 20, 400 << 20
        options["preexec_fn"] = lambda: resource.setrlimit(resource.RLIMIT_AS, memory)
    done = project.run("run", **options)
    assert done.returncode == 0, done.stderr
    assert [record["value"] for record in results(project)] == [1, 2]


def test_results_of_more_items_are_of_another_input(make: Make) -> None:
    """A power cut leaves none of those; what it does leave runs again."""
    project = make("1\n2\n")
    project.run("run", "--limit", "1")
    path = project.root / "results.jsonl"
    line = path.read_text()
    path.write_text(line + line.replace('"id": 0', '"id": 1') + line.replace('"id": 0', '"id": 2'))
    before = snapshot(project)
    refused = project.run("run")
    assert (refused.returncode, "1 items that have a result are gone" in refused.stderr) == (
        2,
        True,
    )
    assert snapshot(project) == before
    path.write_text(line + line.replace('"id": 0', '"id": 1'))
    assert project.run("export").stdout.count("\n") == 1
    assert project.run("run").returncode == 0
    assert [record["value"] for record in results(project)] == [1, 2]
    assert calls(project) == ["1", "2"]


def test_a_backup_that_leads_nowhere_is_no_traceback(make: Make) -> None:
    """A dangling link in the place of the backup of a killed run is no traceback."""
    project = make("1\n")
    project.run("run")
    (project.root / "slow").touch()
    process = project.start("run", "--fresh")
    backup = project.root / "results.jsonl.bak"
    while not backup.exists():
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (project.root / "slow").unlink()
    backup.unlink()
    backup.symlink_to("nowhere")
    done = project.run("run")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert [record["value"] for record in results(project)] == [1]


def test_a_corrected_item_runs_again(make: Make) -> None:
    """--retry-failed takes what has changed where the result was a failure, and nothing else."""
    project = make('1\n"bad"\n3\n')
    project.run("run")
    items = project.root / "items.jsonl"
    items.write_text('1\n"good"\n3\n')
    refused = project.run("run")
    assert (refused.returncode, "--retry-failed" in refused.stderr) == (2, True)
    assert project.run("run", "--retry-failed").returncode == 0
    assert calls(project) == ["1", "3", "good"]
    assert [record["value"] for record in results(project)] == [1, "good", 3]
    items.write_text('1\n"good"\n4\n')
    before = snapshot(project)
    refused = project.run("run", "--retry-failed")
    assert (refused.returncode, "line 3 differs" in refused.stderr) == (2, True)
    assert snapshot(project) == before


TABLE = "k,v\na,1\nb,bad\nc,3\n"


@pytest.mark.parametrize(
    ("changed", "again", "values"),
    [
        ("k,v\nx,0\na,1\nb,bad\nc,3\ny,4\n", [], ["0", "1", None, "3", "4"]),
        ("k,v\nc,3\na,1\nb,bad\n", [], ["3", "1", None]),
        ("k,v\nx,0\na,1\nb,2\nc,3\n", ["--retry-failed"], ["0", "1", "2", "3"]),
        ("k,v\na,1\nx,0\nc,3\n", ["--retry-failed"], ["1", "0", "3"]),
    ],
)
def test_items_are_inserted_by_key(
    make: Make, changed: str, again: list[str], values: list[str | None]
) -> None:
    """By its key a result finds its item, wherever that is now; only new items run."""
    project = make("")
    table = project.root / "items.csv"
    table.write_text(TABLE)
    command = ["run", "--items", "items.csv", "--key", "k"]
    assert project.run(*command).returncode == 1
    assert [record["key"] for record in results(project)] == ["a", "b", "c"]
    table.write_text(changed)
    done = project.run(*command, *again)
    assert done.returncode == int(None in values)
    keys = [line.split(",")[0] for line in changed.splitlines()[1:]]
    assert [(record["id"], record["key"], record.get("value")) for record in results(project)] == [
        (number, key, value) for number, (key, value) in enumerate(zip(keys, values, strict=True))
    ]
    assert len(calls(project)) == len(set(calls(project)))
    before = snapshot(project)
    assert project.run(*command).returncode == int(None in values)
    assert snapshot(project) == before


@pytest.mark.parametrize("changed", ["k,v\na,9\nb,bad\nc,3\n", "k,v\nb,bad\nc,3\n", "v,k\n1,a\n"])
def test_good_results_of_items_that_changed_are_refused(make: Make, changed: str) -> None:
    """A key does not make another item of it: what is good is not given up unasked."""
    project = make("")
    (project.root / "items.csv").write_text(TABLE)
    command = ["run", "--items", "items.csv", "--key", "k"]
    project.run(*command)
    before = snapshot(project)
    (project.root / "items.csv").write_text(changed)
    for more in ([], ["--retry-failed"]):
        done = project.run(*command, *more)
        assert (done.returncode, "is not what the results in" in done.stderr) == (2, True)
    files = snapshot(project)
    assert files["results.jsonl"] == before["results.jsonl"]
    (project.root / "items.csv").write_text(TABLE)
    assert project.run(*command).returncode == 1


def test_values_that_nobody_can_write_stop_the_run(make: Make) -> None:
    """When the first twenty all have no JSON, the rest is not worth its time."""
    project = make("".join(f"{n}\n" for n in range(1000)))
    (project.root / "pkg/work.py").write_text(
        "import time\ndef work(item):\n    time.sleep(0.01)\n    return object()\n"
    )
    done = project.run("run")
    assert done.returncode == 1
    assert "JSON has no object" in done.stderr
    assert 20 <= len(results(project)) < 100


def test_the_lock_outlives_other_openings(make: Make) -> None:
    """That work() reads the state file does not let a second run in."""
    project = make("1\n2\n")
    (project.root / "pkg/work.py").write_text(
        "import time\ndef work(item):\n"
        "    open('results.jsonl.state').close()\n    open('go', 'w').close()\n"
        "    time.sleep(60)\n"
    )
    process = project.start("run")
    while not (project.root / "go").exists():
        assert process.poll() is None
        time.sleep(0.01)
    second = project.run("run")
    assert (second.returncode, "in use" in second.stderr) == (2, True)
    process.kill()


def test_warnings_as_errors(make: Make) -> None:
    """Everything that is opened is closed."""
    project = make("1\n")
    for command in (["run"], ["bench", "--seconds", "1"]):
        done = project.run(*command, env=os.environ | {"PYTHONWARNINGS": "error"})
        assert (done.returncode, "Warning" in done.stderr) == (0, False)
