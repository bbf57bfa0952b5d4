"""Who has tried the sample that came with the project begins anew with items of their own."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import pytest
from engines.assembly import Project

SAMPLE = "1\n2\n3\n"
WORK = "def work(item):\n    return item\n"


@pytest.fixture
def tried(tmp_path: Path) -> Project:
    """A project whose sample was run."""
    project = Project.make("threading", tmp_path, WORK, SAMPLE)
    (tmp_path / ".concgen").mkdir()
    with ZipFile(tmp_path / ".concgen" / "pristine.zip", "w") as pristine:
        pristine.writestr("items.jsonl", SAMPLE)
    assert project.run("run").returncode == 0
    return project


def values(file: Path) -> list[object]:
    """Those of the results."""
    return sorted(json.loads(line)["value"] for line in file.read_text().splitlines())


@pytest.mark.parametrize("name", ["items.jsonl", "own.txt"])
def test_own_items_after_the_sample(tried: Project, name: str) -> None:
    """They run; the sample's results are kept under another name, which is told."""
    (tried.root / name).write_text("7\n8\n")
    done = tried.run("run", "--items", name)
    assert done.returncode == 0
    assert (
        "results.jsonl holds results of the sample: it is results.sample.jsonl now" in done.stderr
    )
    assert values(tried.root / "results.sample.jsonl") == [1, 2, 3]
    assert len(values(tried.root / "results.jsonl")) == 2
    (tried.root / name).write_text("9\n")
    again = tried.run("run", "--items", name)
    assert (again.returncode, "results of its own with --results" in again.stderr) == (2, True)


def test_a_part_of_the_sample(tried: Project) -> None:
    """Was run with --limit, twice."""
    for number in ("", "2"):
        assert tried.run("run", "--fresh", "--limit", "2").returncode == 0
        (tried.root / "own.txt").write_text("7\n")
        assert tried.run("run", "--items", "own.txt").returncode == 0
        assert values(tried.root / f"results.sample{number}.jsonl") == [1, 2]
        (tried.root / "results.jsonl").unlink()


def test_the_sample_with_more(tried: Project) -> None:
    """Goes on where it ended."""
    (tried.root / "items.jsonl").write_text(SAMPLE + "4\n")
    done = tried.run("run")
    assert (done.returncode, "sample" in done.stderr) == (0, False)
    assert values(tried.root / "results.jsonl") == [1, 2, 3, 4]


def test_nothing_is_lost_when_nothing_comes_of_it(tried: Project) -> None:
    """A setup() that fails leaves the sample's results where they were."""
    before = (tried.root / "results.jsonl").read_bytes()
    work = tried.root / "pkg" / "work.py"
    work.write_text(f"def setup():\n    raise OSError('no key')\n{WORK}")
    (tried.root / "own.txt").write_text("7\n")
    assert tried.run("run", "--items", "own.txt").returncode == 1
    assert (tried.root / "results.jsonl").read_bytes() == before


def test_own_results_are_not_taken_for_the_samples(tried: Project) -> None:
    """Other items as many as it had: how to go on is said in full."""
    (tried.root / "own.txt").write_text("7\n8\n9\n")
    assert tried.run("run", "--items", "own.txt").returncode == 0
    done = tried.run("run")
    assert done.returncode == 2
    assert "with --results results.items.jsonl, or start over with --fresh" in done.stderr
    assert tried.run("run", "--results", "results.items.jsonl").returncode == 0
