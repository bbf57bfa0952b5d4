"""The options that bound a run, on the command line of a project."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from .assembly import PROCESS_MODELS, Project

WORK = "import time\n\ndef work(item):\n    time.sleep(0.01)\n    return time.monotonic()\n"
SETTINGS = "MAX_WORKERS = 4\nTIMEOUT = None\nRETRIES = 0\n"
ITEMS = "1\n" * 20


def settings(project: Project, text: str) -> None:
    """Give the project these settings besides its own."""
    (project.root / "pkg" / "settings.py").write_text(SETTINGS + text)


def spread(project: Project) -> float:
    """Seconds between the first and the last end of a task."""
    lines = (project.root / "results.jsonl").read_text().splitlines()
    stamps = sorted(json.loads(line)["value"] for line in lines)
    return float(stamps[-1] - stamps[0])


@pytest.mark.parametrize("model", ["threading", "multiprocessing"])
@pytest.mark.parametrize("where", ["--rate", "RATE"])
def test_a_rate_is_kept(tmp_path: Path, model: str, where: str) -> None:
    """From the command line, or from the settings."""
    project = Project.make(model, tmp_path, WORK, ITEMS)
    settings(project, 'RATE = "40/s"\n' if where == "RATE" else "")
    done = project.run("run", *(["--rate", "40/s"] if where == "--rate" else []))
    assert done.returncode == 0, done.stderr
    assert spread(project) > 0.75 * 19 / 40


@pytest.mark.parametrize("rate", ["10", "0/s", "-1/s", "ten/s", "10/fortnight"])
def test_what_is_no_rate_is_refused(tmp_path: Path, rate: str) -> None:
    """One line says what a rate looks like."""
    done = Project.make("threading", tmp_path, WORK, ITEMS).run("run", f"--rate={rate}")
    assert done.returncode == 2
    assert f"'{rate}' is not a rate such as 10/s, 600/min, 5000/h" in done.stderr


def test_a_rate_of_another_unit_needs_a_cost(tmp_path: Path) -> None:
    """Who limits tokens has to say how many an item takes."""
    project = Project.make("threading", tmp_path, WORK, ITEMS)
    settings(project, 'RATES = ["90000 tokens/min"]\n')
    done = project.run("run")
    assert done.returncode == 2
    assert "count tokens: work.py needs a cost(item)" in done.stderr


def test_cost_counts_in_other_units(tmp_path: Path) -> None:
    """Both limits hold; here that of tokens is the closer one."""
    work = WORK + "\ndef cost(item):\n    return 10\n"
    project = Project.make("asyncio", tmp_path, work, ITEMS)
    settings(project, 'RATE = "1000/s"\nRATES = ["400 tokens/s"]\n')
    assert project.run("run").returncode == 0
    assert spread(project) > 0.75 * 19 / 40


@pytest.mark.parametrize(
    "model", ["sequential", "threading", "asyncio", "multiprocessing", "hybrid"]
)
def test_auto_finds_how_many(tmp_path: Path, model: str) -> None:
    """Every model takes it, from the settings too."""
    project = Project.make(model, tmp_path, WORK, "1\n" * 200)
    settings(project, 'MAX_WORKERS = "auto"\n')
    done = project.run("run")
    assert done.returncode == 0, done.stderr
    assert "200 ok" in done.stderr


def test_other_words_for_a_number_of_workers_are_refused(tmp_path: Path) -> None:
    """One line says which there are."""
    done = Project.make("threading", tmp_path, WORK, ITEMS).run("run", "--max-workers", "many")
    assert done.returncode == 2
    assert "'many' is neither 1 or more nor auto" in done.stderr


@pytest.mark.parametrize("model", PROCESS_MODELS)
def test_recycle_is_an_option_where_there_are_processes(tmp_path: Path, model: str) -> None:
    """From the command line, or from the settings."""
    project = Project.make(
        model, tmp_path, "import os\n\ndef work(item):\n    return os.getpid()\n", ITEMS
    )
    for text, options in (("", ["--recycle", "5"]), ("RECYCLE = 5\n", [])):
        settings(project, text)
        assert project.run("run", "--fresh", *options).returncode == 0
        lines = (project.root / "results.jsonl").read_text().splitlines()
        assert len({json.loads(line)["value"] for line in lines}) >= 20 / 5
    assert project.run("run", "--recycle", "0").returncode == 2


@pytest.mark.parametrize("options", [[], ["--quiet"], ["--max-workers", "auto"]])
def test_a_pause_that_the_other_end_asks_for_is_told(tmp_path: Path, options: list[str]) -> None:
    """Once, and until when; a second task that is refused with it says nothing new."""
    work = (
        "from pkg.runner.task import RetryAfter\n\n\nrefused = []\n\n\n"
        "def work(item):\n    if len(refused) < 2:\n        refused.append(item)\n"
        "        raise RetryAfter(1.2)\n    return item\n"
    )
    done = Project.make("threading", tmp_path, work, ITEMS).run("run", *options)
    assert done.returncode == 0, done.stderr
    pauses = re.findall(
        r"0 done .* paused until \d\d:\d\d:\d\d, as the other end asks\n", done.stderr
    )
    assert len(pauses) == ("--quiet" not in options)
