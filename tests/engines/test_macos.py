"""What macOS does otherwise, simulated: no /proc, no affinity, spawn, 256 open files, odd answers.

A `sitecustomize` changes every process of the run, the workers too. The real thing is tried by the
workflow.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from .assembly import HERE, Project

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="changes what Linux answers")

SOFT = 256  # open files that macOS gives a process at first
MACOS = """
import builtins, errno, io, os, resource, signal, sys

sys.platform = "darwin"
del os.sched_getaffinity, os.sched_setaffinity
os.cpu_count = os.process_cpu_count = lambda: 2

def hidden(function):
    def guarded(path=".", *arguments, **options):
        if isinstance(path, str) and path.startswith(("/proc", "/sys")):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        return function(path, *arguments, **options)
    return guarded

builtins.open = io.open = hidden(io.open)
os.listdir = hidden(os.listdir)

killpg = os.killpg
def killpg_of_macos(group, number):
    # A group of which nothing but remains is left: not "no such process".
    try:
        killpg(group, number)
    except ProcessLookupError:
        raise PermissionError(errno.EPERM, "Operation not permitted") from None
os.killpg = killpg_of_macos

# The hard limit is called infinite, and what is over the kernel's own is invalid.
getrlimit, setrlimit = resource.getrlimit, resource.setrlimit
if "SEEN" not in os.environ:
    os.environ["SEEN"] = "1"
    setrlimit(resource.RLIMIT_NOFILE, (256, getrlimit(resource.RLIMIT_NOFILE)[1]))
def limit_of_macos(what, pair):
    soft = pair[0]
    if soft > 10_240:
        raise ValueError("Invalid argument")
    setrlimit(what, (soft, getrlimit(what)[1]))
resource.getrlimit = lambda what: (getrlimit(what)[0], resource.RLIM_INFINITY)
resource.setrlimit = limit_of_macos
"""
WORK = """
import os, sys, time

def work(item):
    assert sys.platform == "darwin"
    if item == "dies":
        os._exit(7)
    time.sleep(0.01)
    return item * 2
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment in which every Python believes to be on macOS."""
    folder = tmp_path / "macos"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(MACOS)
    return os.environ | {"PYTHONPATH": str(folder)}


@pytest.mark.parametrize("model", HERE)
def test_every_item_gets_its_result(
    model: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    project = Project.make(model, tmp_path, WORK, "".join(f"{n}\n" for n in range(30)))
    done = project.run("run", env=environment)
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "results.jsonl").read_text().splitlines()) == 30


@pytest.mark.parametrize("model", ["multiprocessing", "hybrid"])
def test_a_worker_that_dies_costs_its_task_alone(
    model: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    project = Project.make(model, tmp_path, WORK, '1\n2\n"dies"\n3\n')
    done = project.run("run", env=environment)
    rows = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert {row["id"]: row["ok"] for row in rows} == {0: True, 1: True, 2: False, 3: True}, (
        done.stderr
    )


def test_the_soft_limit_of_open_files_is_raised(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    work = WORK.replace("    time.sleep(0.01)", "    import resource").replace(
        "item * 2", "resource.getrlimit(resource.RLIMIT_NOFILE)[0]"
    )
    project = Project.make("threading", tmp_path, work, "1\n")
    done = project.run("run", "--max-workers", "1000", env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "results.jsonl").read_text())["value"] > SOFT


def test_more_tasks_than_the_kernel_has_files_for_are_refused(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """An infinite hard limit is not taken for a number."""
    project = Project.make("threading", tmp_path, WORK, "1\n")
    done = project.run("run", "--max-workers", "50000", env=environment)
    assert done.returncode == 2
    assert "which may have 10,240: use --max-workers 10176" in done.stderr
