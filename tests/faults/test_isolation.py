"""What work() starts is not part of the run: it gets nothing that is the run's."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from engines.assembly import HERE, PROCESS_MODELS, Project

models = pytest.mark.parametrize("model", HERE)


def values(project: Project) -> list[Any]:
    """What work() returned, or the error, in the order of the items."""
    lines = (project.root / "results.jsonl").read_text().splitlines()
    records = sorted(map(json.loads, lines), key=lambda record: record["id"])
    return [record.get("value", record.get("error")) for record in records]


@models
@pytest.mark.parametrize(
    "reads", ["subprocess.run(['cat'], capture_output=True).stdout", "sys.stdin.buffer.read()"]
)
def test_no_program_and_no_work_reads_the_items(model: str, reads: str, tmp_path: Path) -> None:
    """Standard input is at its end for them, and every item has its result."""
    work = f"import subprocess, sys\ndef work(item):\n    return [item, len({reads})]\n"
    project = Project.make(model, tmp_path, work)
    process = project.start("run", "--items", "-", "--max-workers", "1", stdin=subprocess.PIPE)
    assert process.stdin
    process.stdin.write("0\n")
    process.stdin.flush()
    while not (tmp_path / "results.jsonl").exists() and process.poll() is None:
        time.sleep(0.01)
    process.communicate("1\n2\n", timeout=60)
    assert process.returncode == 0
    assert values(project) == [[0, 0], [1, 0], [2, 0]]


@pytest.mark.parametrize("model", PROCESS_MODELS)
def test_no_terminal_stops_a_worker(model: str, tmp_path: Path) -> None:
    """It leads a session of its own, which has none."""
    work = "import os\ndef work(item):\n    return os.getsid(0) == os.getpid()\n"
    project = Project.make(model, tmp_path, work, "1\n")
    assert project.run("run").returncode == 0
    assert values(project) == [True]


TERMINATE = """
import multiprocessing, time
def work(item):
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    child.start()
    child.terminate()
    child.join()
    return child.exitcode
"""
ASKS = """
import os, signal
def work(item):
    read, write = os.pipe()
    if os.fork() == 0:
        defaults = (
            signal.getsignal(signal.SIGINT) is signal.default_int_handler
            and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
            and signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
            and not signal.pthread_sigmask(signal.SIG_BLOCK, ())
            and signal.set_wakeup_fd(-1) == -1
        )
        os.write(write, b"yes" if defaults else b"no")
        os._exit(0)
    os.wait()
    return os.read(read, 9).decode()
"""


@models
@pytest.mark.parametrize(("work", "value"), [(TERMINATE, -15), (ASKS, "yes")])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_has_the_signals_of_a_new_one(
    model: str, work: str, value: object, tmp_path: Path
) -> None:
    """terminate() ends it at once, even in the moment of the fork; nobody thinks of the run."""
    project = Project.make(model, tmp_path, work, "1\n2\n3\n")
    done = project.run("run", "--timeout", "20", env=None)
    assert (done.returncode, values(project)) == (0, [value] * 3), done.stderr
    assert "stopping" not in done.stderr


AT_IMPORT = """
from contextvars import ContextVar
from decimal import Decimal, getcontext
getcontext().prec = 50
name = ContextVar("name")
name.set("import")
def work(item):
    return [len(str(Decimal(1) / Decimal(7))), name.get()]
"""
IN_SETUP = """
from contextvars import ContextVar
from decimal import Decimal, getcontext
name = ContextVar("name")
async def setup():
    getcontext().prec = 50
    name.set("setup")
async def work(item):
    return [len(str(Decimal(1) / Decimal(7))), name.get()]
"""


@models
@pytest.mark.parametrize(("work", "name"), [(AT_IMPORT, "import"), (IN_SETUP, "setup")])
def test_tasks_have_the_context_of_the_import_and_of_setup(
    model: str, work: str, name: str, tmp_path: Path
) -> None:
    """Decimal precision and context variables are the same on every model, with a timeout too."""
    project = Project.make(model, tmp_path, work, "1\n2\n")
    assert project.run("run", "--timeout", "60").returncode == 0
    assert values(project) == [[52, name]] * 2


def test_what_one_thread_sets_is_not_set_in_another(tmp_path: Path) -> None:
    """Each has a copy of the decimal context, which can be changed."""
    work = """
import threading
from decimal import getcontext
both = threading.Barrier(2)
getcontext().prec = 50
def work(item):
    both.wait(30)
    getcontext().prec = item
    both.wait(30)
    return getcontext().prec
"""
    project = Project.make("threading", tmp_path, work, "11\n12\n")
    assert project.run("run", "--max-workers", "2").returncode == 0
    assert values(project) == [11, 12]
