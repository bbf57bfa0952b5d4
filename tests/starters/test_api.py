"""Whole runs of the starter for APIs, against its own test server, which keeps to limits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from scaffold.core.domain import Model
from scaffold.making import project

PACKAGE = "made"
KEY = "a-secret-key"  # the server takes no other
WORKERS = 8


@pytest.fixture(params=[Model.THREADING, Model.ASYNCIO])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / PACKAGE
    answers = {"name": PACKAGE, "starter": "api", "model": request.param, "max_workers": WORKERS}
    project.create(path, answers)
    tune(path, MAX_TOKENS=50)
    return path


@pytest.fixture
def url(made: Path) -> Iterator[str]:
    """The API of the project's own tests."""
    with subprocess.Popen(
        [sys.executable, "tests/conftest.py", "1"],  # its limits are for a second
        cwd=made,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        process.kill()


def tune(made: Path, **constants: float) -> None:
    """Set constants of the project's policy."""
    with (made / PACKAGE / "policy.py").open("a") as policy:
        policy.writelines(f"{name} = {value}\n" for name, value in constants.items())


def start(made: Path, url: str, prompts: list[str]) -> subprocess.Popen[str]:
    (made / "items.jsonl").write_text("".join(json.dumps(text) + "\n" for text in prompts))
    return subprocess.Popen(
        [sys.executable, "-m", PACKAGE, "run"],
        cwd=made,
        env=os.environ | {"API_URL": url, "API_KEY": KEY, "API_MODEL": "small"},
        stderr=subprocess.PIPE,
        text=True,
    )


def results(made: Path) -> list[dict]:
    """The records, in the order of the items."""
    records = [json.loads(line) for line in (made / "results.jsonl").read_text().splitlines()]
    return sorted(records, key=lambda record: record["id"])


def seen(url: str) -> dict[str, int]:
    """What the server has charged, given again, and refused."""
    with urlopen(f"{url}/seen") as answer:
        return json.load(answer)


def test_a_run_keeps_to_the_limits_that_it_learns(made: Path, url: str) -> None:
    """Twice what a window allows: all succeed, each is paid once, few are refused."""
    prompts = [f"say {n}" for n in range(100)]
    _, err = (process := start(made, url, prompts)).communicate(timeout=90)
    assert process.returncode == 0, err
    assert [record["value"]["text"] for record in results(made)] == [
        text.upper() for text in prompts
    ]
    assert seen(url)["charged"] == len(prompts)
    assert seen(url)["refused"] <= 2 * WORKERS
    assert f"{len(prompts)} answers, 1,000 tokens sent, 500 received" in err


def test_nothing_is_paid_twice_after_a_crash(made: Path, url: str) -> None:
    """Only what was in flight is asked for again, with the key that it had."""
    prompts = [f"say {n}" for n in range(60)]
    process = start(made, url, prompts)
    journal = made / "results.jsonl"
    while not journal.exists() or journal.read_bytes().count(b"\n") < 10:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    again = start(made, url, prompts)
    again.communicate(timeout=90)
    assert again.returncode == 0
    assert len(results(made)) == len(prompts)
    assert seen(url)["charged"] == len(prompts)
    assert seen(url)["again"] <= 2 * WORKERS  # in flight, or on the way to the file


def test_the_cap_stops_the_run_and_raising_it_goes_on(made: Path, url: str) -> None:
    """What was paid for is kept; the rest has no result until the cap allows it."""
    tune(made, PRICE_IN=1000, PRICE_OUT=1000, MAX_COST=0.4)  # an answer costs 0.015
    prompts = [f"say {n}" for n in range(40)]
    _, err = (process := start(made, url, prompts)).communicate(timeout=90)
    assert process.returncode == 1, err
    assert "MAX_COST" in err
    first = results(made)
    assert all(record["ok"] for record in first)
    assert 0.3 < sum(record["value"]["cost"] for record in first) <= 0.4
    tune(made, MAX_COST=100)
    _, err = (process := start(made, url, prompts)).communicate(timeout=90)
    assert process.returncode == 0, err
    assert len(results(made)) == len(prompts)
    assert seen(url)["charged"] == len(prompts)


def test_the_key_stands_in_no_file_and_no_message(made: Path, url: str) -> None:
    """Not where the server repeats it either."""
    _, err = (process := start(made, url, ["say", "bad", "html"])).communicate(timeout=90)
    assert process.returncode == 1
    assert KEY not in err
    files = [path for path in made.rglob("*") if path.is_file()]
    generated = [path for path in files if not {"tests", ".concgen"} & set(path.parts)]
    assert made / "results.jsonl" in generated
    assert not [path for path in generated if KEY.encode() in path.read_bytes()]
