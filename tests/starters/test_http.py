"""Whole runs of the starters that fetch, against their own test server and all its faults."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scaffold.core.domain import Model
from scaffold.making import project

PACKAGE = "made"


@pytest.fixture(
    params=[("http", Model.ASYNCIO), ("http", Model.THREADING), ("pipeline", Model.HYBRID)],
    ids="-".join,
)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    starter, model = request.param
    path = tmp_path / PACKAGE
    answers = {"name": PACKAGE, "starter": starter, "model": model, "max_workers": 4}
    project.create(path, answers)
    return path


@pytest.fixture
def server(made: Path) -> Iterator[str]:
    """The server of the project's own tests."""
    with subprocess.Popen(
        [sys.executable, "tests/conftest.py"],
        cwd=made,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.kill()


def start(made: Path, paths: list[str], server: str, *options: str) -> subprocess.Popen[str]:
    lines = "".join(json.dumps({"url": f"{server}/{path}"}) + "\n" for path in paths)
    (made / "items.jsonl").write_text(lines)
    command = [sys.executable, "-m", PACKAGE, "run", *options]
    return subprocess.Popen(command, cwd=made, stderr=subprocess.PIPE, text=True)


def results(made: Path) -> list[dict[str, object]]:
    """The records, one for each item, in the order of the items."""
    records = [json.loads(line) for line in (made / "results.jsonl").read_text().splitlines()]
    records.sort(key=lambda record: record["id"])
    assert [record["id"] for record in records] == list(range(len(records)))
    return records


def test_every_fault_costs_only_its_own_task(made: Path, server: str) -> None:
    """Pages in between arrive; a body without end is ended by --timeout, as a last resort."""
    faults = ["status/404", "endless/200", "truncated", "huge", "redirect/100"]
    paths = [path for n, fault in enumerate(faults) for path in (fault, f"page/{n}")]
    process = start(made, paths, server, "--timeout", "5", "--retries", "0")
    _, err = process.communicate(timeout=90)
    assert process.returncode == 1, err
    assert [record["ok"] for record in results(made)] == [False, True] * len(faults)
    errors = [str(record["error"]) for record in results(made)[::2]]
    assert "404" in errors[0]
    assert "timeout" in errors[1]
    assert "larger than" in errors[3]
    assert "redirects" in errors[4]


def test_a_run_killed_in_the_middle_goes_on(made: Path, server: str) -> None:
    """After SIGKILL the same command fetches the rest, and every page has one result."""
    paths = [f"page/{n}" for n in range(20)] + ["slow/0.5"] * 8 + ["page/20"] * 20
    process = start(made, paths, server)
    journal = made / "results.jsonl"
    while not journal.exists() or not journal.read_bytes():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = journal.read_bytes().count(b"\n")
    assert 0 < done < len(paths)
    again = start(made, paths, server)
    again.communicate(timeout=90)
    assert again.returncode == 0
    assert len(results(made)) == len(paths)


def test_the_engine_tries_again_what_another_try_may_mend(made: Path, server: str) -> None:
    """Retry-After is kept and counted; a 404 is final; what stays broken fails after RETRIES."""
    began = time.monotonic()
    process = start(made, ["flaky/a", "dropped/b", "status/404", "status/502"], server)
    _, err = process.communicate(timeout=90)
    assert process.returncode == 1, err
    assert time.monotonic() - began >= 2  # twice the second that the server asks for
    busy, dropped, gone, broken = results(made)
    assert (busy["ok"], busy["attempts"]) == (True, 3)
    assert (dropped["ok"], dropped["attempts"] in (2, 3)) == (True, True)
    assert (gone["ok"], gone["attempts"]) == (False, 1)
    assert (broken["ok"], broken["attempts"]) == (False, 4)
