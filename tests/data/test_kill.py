"""Kill -9 at random moments: nothing that was written down is lost, and nothing is there twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from engines.assembly import Project

ROUNDS = int(os.environ.get("KILLS", "8"))  # KILLS=100 for longer
ITEMS = 300
WORK = """
import os, time
def work(item):
    time.sleep(0.001)
    if int(item["n"]) % 3 == 0 and not os.path.exists("up"):
        raise ValueError("down")
    return int(item["n"])
"""
FILES = ["--items", "items.csv", "--key", "k"]


def killed(project: Project, *arguments: str) -> int | None:
    """Run the command for a random time, then kill it; its exit code if it was faster."""
    process = project.start(*arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return process.wait(random.uniform(0.05, 0.6))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None


def lines(path: Path) -> dict[str, bool]:
    """Whether each result is good, by its key. Each key is there once."""
    whole = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
    ok_by_key = {record["key"]: record["ok"] for record in whole}
    assert len(ok_by_key) == len(whole)
    return ok_by_key


def values(path: Path) -> dict[str, int]:
    """The values of the good results, by their keys."""
    whole = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
    return {record["key"]: record["value"] for record in whole if record["ok"]}


def table(keys: list[int]) -> str:
    """Items with these keys."""
    return "k,n\n" + "".join(f"k{key},{key}\n" for key in keys)


@pytest.mark.parametrize("option", ["--retry-failed", "inserted"])
def test_a_good_result_outlives_every_kill(tmp_path: Path, option: str) -> None:
    """What is good stays good while the results are replaced, or items are inserted by key."""
    project = Project.make("threading", tmp_path, WORK)
    keys = list(range(ITEMS))
    items, results = tmp_path / "items.csv", tmp_path / "results.jsonl"
    items.write_text(table(keys))
    assert project.run("run", *FILES).returncode == 1
    more = ["--retry-failed"] if option == "--retry-failed" else []
    known = lines(results)
    for number in range(ROUNDS):
        if not more:
            keys.insert(random.randrange(len(keys)), 1000 + number)
            items.write_text(table(keys))
        killed(project, "run", *FILES, *more)
        now = lines(results)
        assert {key for key, ok in known.items() if ok} <= {key for key, ok in now.items() if ok}
        if not more:
            assert set(known) <= set(now)
        known = now
        time.sleep(0.05)
    (tmp_path / "up").touch()
    project.run("run", *FILES, "--retry-failed")
    assert lines(results) == {f"k{key}": True for key in keys}
    for result in map(json.loads, results.read_text().splitlines()):
        assert result["key"] == f"k{keys[result['id']]}"
    assert project.run("run", *FILES).returncode == 0
    assert not list(tmp_path.glob("results.jsonl.*.new"))


EDITED = """
import os, time
def work(item):
    with open("calls.log", "a") as file:
        file.write(item["k"] + "\\n")
    time.sleep(0.001)
    if int(item["n"]) % 3 == 0:
        raise ValueError("no good")
    return int(item["n"])
"""


def edit(rows: dict[str, int], good: dict[str, int], number: int) -> dict[str, int]:
    """Correct, remove, insert and move items; those with a good result stay as they are."""
    edited = []
    for key, n in rows.items():
        if key in good or random.random() < 0.4:
            edited.append((key, n))
        elif random.random() < 0.8:
            edited.append((key, n + random.randrange(3)))
    for more in range(30):
        new = f"k{number}-{more}", random.randrange(1000)
        edited.insert(random.randint(0, len(edited)), new)
    if random.random() < 0.3:
        random.shuffle(edited)
    return dict(edited)


def test_items_that_are_edited_between_kills(tmp_path: Path) -> None:
    """What is good is kept and not run again; all others end with a result of their own."""
    project = Project.make("threading", tmp_path, EDITED)
    items, results, log = (tmp_path / name for name in ("items.csv", "results.jsonl", "calls.log"))
    log.touch()
    rows = {f"k{key}": key for key in range(ITEMS)}
    good: dict[str, int] = {}
    for number in range(ROUNDS):
        rows = edit(rows, good, number)
        items.write_text("k,n\n" + "".join(f"{key},{n}\n" for key, n in rows.items()))
        before = log.stat().st_size
        code = killed(project, "run", *FILES, "--retry-failed")
        assert code in (None, 0, 1)
        called = log.read_text()[before:].split()
        assert not good.keys() & set(called)
        if not results.exists():
            continue
        now = values(results)
        assert good.items() <= now.items()
        assert all(rows[key] == value for key, value in now.items())
        good = now
        time.sleep(0.05)
    rows = {key: n if key in good else 3 * n + 1 for key, n in rows.items()}
    items.write_text("k,n\n" + "".join(f"{key},{n}\n" for key, n in rows.items()))
    done = project.run("run", *FILES, "--retry-failed")
    assert done.returncode == 0, done.stderr
    assert values(results) == rows
    assert lines(results) == dict.fromkeys(rows, True)
    for result in map(json.loads, results.read_text().splitlines()):
        assert result["key"] == list(rows)[result["id"]]
    assert project.run("run", *FILES).returncode == 0
    assert not list(tmp_path.glob("results.jsonl.*.new"))


def test_an_export_is_whole_or_what_was_there_before(tmp_path: Path) -> None:
    """An export that was killed has changed nothing."""
    project = Project.make("threading", tmp_path, WORK)
    (tmp_path / "items.csv").write_text(table(list(range(ITEMS))))
    project.run("run", *FILES)
    out = tmp_path / "out.csv"
    assert project.run("export", *FILES, "out.csv").returncode == 0
    whole, results = out.read_bytes(), (tmp_path / "results.jsonl").read_bytes()
    for _ in range(ROUNDS):
        killed(project, "export", *FILES, "out.csv")
        assert out.read_bytes() == whole
        assert (tmp_path / "results.jsonl").read_bytes() == results
