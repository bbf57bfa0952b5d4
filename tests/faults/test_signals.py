"""Ctrl-C, SIGTERM and kill -9, sent for real, to a run of every model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from engines.assembly import MODELS, PROCESS_MODELS, Project

TASKS = 150
ITEMS = "".join(f"{n}\n" for n in range(TASKS))
SLOW = """
import time, pathlib
def work(item):
    pathlib.Path("begun.log").open("a").write(f"{item}\\n")
    if not pathlib.Path("hurry").exists():
        time.sleep(0.03)
    return item
"""
SLOW_ASYNC = SLOW.replace("def work", "async def work").replace(
    "time.sleep", "await __import__('asyncio').sleep"
)
ENDLESS = """
import time, pathlib
def work(item):
    pathlib.Path("begun.log").open("a").write(f"{item}\\n")
    while item > 3:
        try:
            time.sleep(3600)
        except BaseException:
            pass
    return item
"""
ENDS_WITHIN = 60.0  # seconds; a bound for a very busy machine, not a promise


def works(model: str) -> str:
    """The kind of work() that is native to the model."""
    return SLOW_ASYNC if model in ("asyncio", "hybrid") else SLOW


@pytest.fixture(params=MODELS)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """A project of each model, with slow work."""
    return Project.make(request.param, tmp_path, works(request.param), ITEMS)


@pytest.fixture
def running(project: Project) -> Iterator[subprocess.Popen[str]]:
    """A run of it that has written some results."""
    process = project.start("run", "--max-workers", "2")
    yield started(project, process)
    if process.poll() is None:
        process.kill()
    process.communicate()


def started(project: Project, process: subprocess.Popen[str]) -> subprocess.Popen[str]:
    """Wait until it has written results."""
    wait_until(lambda: len(results(project)) >= 3 or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    return process


def hung(project: Project, process: subprocess.Popen[str]) -> subprocess.Popen[str]:
    """Wait until it is at the item that never ends, and has written what it could."""
    at_it(project)
    if project.model != "sequential":  # see its BURST
        wait_until(lambda: len(results(project)) == 4 or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    return process


def at_it(project: Project) -> None:
    """Wait until it is at the item that never ends."""
    log = project.root / "begun.log"
    wait_until(lambda: log.exists() and "4\n" in log.read_text())


def in_c_code(project: Project, process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Wait until a worker computes without an end, and return all that are under the run."""
    at_it(project)
    children = family(process)
    begun = {child: child.cpu_times().user for child in children}
    wait_until(lambda: any(child.cpu_times().user > begun[child] + 0.1 for child in children))
    assert process.poll() is None, process.communicate()
    return children


def endless(model: str, root: Path, grace: float) -> Project:
    """Make a project whose work() never ends and swallows every exception."""
    project = Project.make(model, root, ENDLESS, ITEMS)
    project.shorten("task", "GRACE", grace)
    if model == "sequential":  # there it keeps the run itself from an orderly end
        project.shorten("lifecycle", "MARGIN", 0.2)
    return project


def wait_until(condition: Any) -> None:
    """Give up after a long time."""
    end = time.monotonic() + ENDS_WITHIN
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def results(project: Project) -> list[dict[str, Any]]:
    """All whole lines of the results."""
    path = project.root / "results.jsonl"
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """All processes under it."""
    return psutil.Process(process.pid).children(recursive=True)


def assert_gone(processes: list[psutil.Process]) -> None:
    """None of them is alive, within 2 s on an idle machine."""
    _, alive = psutil.wait_procs(processes, timeout=20)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def assert_resumes(project: Project) -> None:
    """Another run completes it: every task exactly once in the results."""
    (project.root / "hurry").touch()
    workers = "2" if project.model == "dask" else "64"  # it starts all of them
    assert project.run("run", "--max-workers", workers).returncode == 0
    assert sorted(record["id"] for record in results(project)) == list(range(TASKS))


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "group"])
def test_the_first_signal_drains(
    project: Project, running: subprocess.Popen[str], how: str
) -> None:
    """It ends with 130, in good order; what was begun is in the results, and it can be resumed."""
    children = family(running)
    if how == "group":
        os.killpg(running.pid, signal.SIGINT)
    else:
        running.send_signal(getattr(signal, how))
    _, err = running.communicate(timeout=ENDS_WITHIN)
    assert running.returncode == 130
    assert "Traceback" not in err
    assert_gone(children)
    begun = set((project.root / "begun.log").read_text().split())
    assert {str(record["id"]) for record in results(project)} == begun
    if how == "group":  # whatever the signal was, the files are as this one leaves them
        assert_resumes(project)


@pytest.mark.parametrize("model", MODELS)
def test_the_second_signal_stops_at_once(model: str, tmp_path: Path) -> None:
    """Even when work() never ends and swallows every exception."""
    project = endless(model, tmp_path, grace=3600)
    process = hung(project, project.start("run", "--max-workers", "2"))
    children = family(process)
    process.send_signal(signal.SIGINT)
    assert process.stderr
    while "stopping: " not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=ENDS_WITHIN)
    assert process.returncode == 130
    assert_gone(children)
    done = len(results(project))
    assert done == 4 or (model == "sequential" and done <= 4)  # see its BURST


@pytest.mark.parametrize("model", MODELS)
def test_one_signal_ends_a_hung_run_too(model: str, tmp_path: Path) -> None:
    """The grace is limited."""
    project = endless(model, tmp_path, grace=0.5)
    process = hung(project, project.start("run", "--max-workers", "2"))
    children = family(process)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=ENDS_WITHIN)
    assert process.returncode == 130
    assert_gone(children)


def test_killing_the_parent_leaves_no_orphan(
    project: Project, running: subprocess.Popen[str]
) -> None:
    """After kill -9 no worker is left, and the next run goes on from what was written."""
    children = family(running)
    running.kill()
    running.communicate()
    acknowledged = {record["id"] for record in results(project)}
    assert_gone(children)
    assert_resumes(project)
    assert acknowledged <= {record["id"] for record in results(project)}


STUCK = """
import pathlib, re
def work(item):
    if item >= 3:
        pathlib.Path("begun.log").open("a").write("4\\n")
        re.match(r"(a+)+$", "a" * 64 + "b")  # for ages, in C, with the GIL
    return item
"""


@pytest.mark.parametrize("model", PROCESS_MODELS)
def test_no_orphan_even_in_c_code_that_holds_the_gil(model: str, tmp_path: Path) -> None:
    """The kernel ends it, not a thread of the worker."""
    project = Project.make(model, tmp_path, STUCK, ITEMS)
    process = project.start("run", "--max-workers", "1")
    children = in_c_code(project, process)
    process.kill()
    process.communicate()
    assert_gone(children)


@pytest.mark.parametrize("model", PROCESS_MODELS)
def test_c_code_that_holds_the_gil_times_out(model: str, tmp_path: Path) -> None:
    """The worker is killed and replaced, and the run ends."""
    project = Project.make(model, tmp_path, STUCK.replace(">= 3", "== 3"), "0\n1\n2\n3\n4\n5\n")
    assert project.run("run", "--timeout", "0.5").returncode == 1
    bad = [record for record in results(project) if not record["ok"]]
    assert [record["id"] for record in bad] == [3]
    assert "timeout" in bad[0]["error"]


CHILD = """
import subprocess, pathlib
def work(item):
    child = subprocess.Popen(["sleep", "3600"])
    pathlib.Path("children.log").open("a").write(f"{child.pid}\\n")
    child.wait()
"""


@pytest.mark.parametrize("model", PROCESS_MODELS)
@pytest.mark.parametrize("end", ["timeout", "kill"])
def test_programs_that_work_started_end_with_it(model: str, end: str, tmp_path: Path) -> None:
    """A timeout, and the death of the parent, end them too."""
    if (model, end) == ("hybrid", "timeout"):
        pytest.skip("an abandoned thread of a process that lives on keeps its program")
    project = Project.make(model, tmp_path, CHILD, "0\n")
    log = tmp_path / "children.log"
    process = project.start("run", "--timeout", "1" if end == "timeout" else "3600")
    wait_until(lambda: log.exists() and log.read_text().endswith("\n"))
    program = psutil.Process(int(log.read_text()))
    if end == "kill":
        process.kill()
    process.communicate(timeout=ENDS_WITHIN)
    assert_gone([program])


@pytest.mark.parametrize("model", PROCESS_MODELS)
def test_killing_workers_at_random(model: str, tmp_path: Path) -> None:
    """Every task is in the results exactly once, and the run ends."""
    project = Project.make(model, tmp_path, works(model), ITEMS)
    process = started(project, project.start("run", "--max-workers", "4"))
    for _ in range(10):
        time.sleep(0.1)
        victims = [child for child in family(process) if "tracker" not in " ".join(child.cmdline())]
        if not victims:
            break
        victims[len(victims) // 2].kill()
    _, err = process.communicate(timeout=ENDS_WITHIN)
    assert process.returncode in (0, 1), err
    assert sorted(record["id"] for record in results(project)) == list(range(TASKS))


@pytest.mark.parametrize("model", MODELS)
def test_a_second_run_on_the_same_results_is_refused(model: str, tmp_path: Path) -> None:
    """Two runs at the same time would do everything twice."""
    project = Project.make(model, tmp_path, works(model), ITEMS)
    process = started(project, project.start("run", "--max-workers", "1"))
    second = project.run("run")
    assert (second.returncode, "in use" in second.stderr) == (2, True)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=ENDS_WITHIN)
    assert process.returncode == 130


def test_a_second_signal_while_the_first_is_noted(tmp_path: Path) -> None:
    """The first holds a lock at that moment, which the second must not wait for."""
    project = Project.make("sequential", tmp_path, "def work(item):\n    return item\n", "1\n")
    script = project.root / "signals.py"
    script.write_text(
        "import os, signal, threading\n"
        "from pkg.runner.lifecycle import Interrupted, stop_on_signals\n"
        "notify_all = threading.Condition.notify_all\n"
        "def again(condition):\n"
        "    threading.Condition.notify_all = notify_all\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    notify_all(condition)\n"
        "try:\n"
        "    with stop_on_signals():\n"
        "        threading.Condition.notify_all = again\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "except Interrupted:\n"
        "    print('interrupted', flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, script],
        check=False,
        cwd=project.root,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.stdout == "interrupted\n"
