"""Runs of the command starter that are stopped: no program is left, whatever the model."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from scaffold.making import project, starters

ENDS_WITHIN = 60.0  # seconds; a bound for a very busy machine
HANGS = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-I", "-c", "import time; time.sleep(300)", __file__])
time.sleep(300)
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere they may live on")


@pytest.fixture(params=starters.load("command").models)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A project of each model whose programs hang, and have a child that hangs too."""
    path = tmp_path / "made"
    project.create(path, {"name": "made", "starter": "command", "model": request.param})
    (path / "hangs.py").write_text(HANGS)
    with (path / "made/work.py").open("a") as work:
        work.write(f"\nPROGRAM = [sys.executable, '-I', {str(path / 'hangs.py')!r}]\n")
    (path / "items.jsonl").write_text('{"args": []}\n' * 2)
    return path


@pytest.fixture
def programs(made: Path) -> Iterator[Callable[[], list[psutil.Process]]]:
    """Gives the processes of all the programs of the run; they are ended after the test."""

    def find() -> list[psutil.Process]:
        processes = psutil.process_iter(["cmdline", "status"])
        hanging = [
            process
            for process in processes
            if str(made / "hangs.py") in (process.info["cmdline"] or ())
        ]
        return [process for process in hanging if process.info["status"] != psutil.STATUS_ZOMBIE]

    yield find
    for process in find():
        process.kill()


def start(made: Path, *options: str) -> subprocess.Popen[str]:
    """Start a run of two at once."""
    command = [sys.executable, "-m", "made", "run", "--max-workers", "2", *options]
    return subprocess.Popen(command, cwd=made, stderr=subprocess.PIPE, text=True)


def wait_until(condition: Callable[[], bool]) -> None:
    """Give up after a long time."""
    end = time.monotonic() + ENDS_WITHIN
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT twice"])
def test_a_run_that_ends_leaves_no_program(
    made: Path, programs: Callable[[], list[psutil.Process]], how: str
) -> None:
    """Killed, or told twice to stop."""
    run = start(made)
    # Each program and its child: one that was forked just now, nobody can have adopted yet.
    alone = 'MODEL = "sequential"' in (made / "made/runner/engine.py").read_text()
    wait_until(lambda: len(programs()) >= (2 if alone else 4))
    if how == "SIGKILL":
        run.kill()
    else:
        run.send_signal(signal.SIGINT)
        assert run.stderr is not None
        assert any("stopping" in line for line in run.stderr)  # reads until it is there
        run.send_signal(signal.SIGINT)
    run.communicate(timeout=ENDS_WITHIN)
    wait_until(lambda: not programs())


@pytest.mark.parametrize("wait", [0, 0.5])
def test_an_interrupted_start_leaves_no_program(
    made: Path, programs: Callable[[], list[psutil.Process]], wait: float
) -> None:
    """A Ctrl-C between the start of a program and the moment when its number is known."""
    script = f"""
import subprocess, time
from made.group import Group
from made.work import PROGRAM
with Group() as group:
    subprocess.Popen(PROGRAM, **group.options)
    time.sleep({wait})
    raise KeyboardInterrupt
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=made, capture_output=True, text=True, check=False)
    assert done.stderr.rstrip().endswith("KeyboardInterrupt")
    wait_until(lambda: not programs())


def test_a_timeout_of_the_engine_leaves_no_program(
    made: Path, programs: Callable[[], list[psutil.Process]]
) -> None:
    """Each task fails, however the engine ends it, and the run leaves nothing behind."""
    run = start(made, "--timeout", "1")
    _, err = run.communicate(timeout=ENDS_WITHIN)
    assert run.returncode == 1, err
    lines = (made / "results.jsonl").read_text().splitlines()
    assert ["timeout" in json.loads(line)["error"] for line in lines] == [True, True]
    wait_until(lambda: not programs())
