"""What work() logs reaches the handlers of the run, from every worker, with its item."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from engines.assembly import HERE, MODELS, Project

COUNT = 12
ITEMS = "key,n\n" + "".join(f"k{n},{n}\n" for n in range(COUNT))
FILES = ["--items", "items.csv", "--key", "key"]
WORK = """
import logging

log = logging.getLogger("mine")

def setup():
    log.warning("set up")
    yield
    log.warning("torn down")

def work(item):
    log.info("not shown")
    log.warning("is %s", item["n"])
    return 1
"""
PROGRAM = """
import logging, sys
from pkg import run

class Kept(logging.Handler):
    def emit(self, record):
        print(record.levelname, record.getMessage(), getattr(record, "item", None))

if __name__ == "__main__":
    logging.getLogger("mine").setLevel(logging.INFO)
    logging.root.addHandler(Kept())
    before = logging.root.handlers[:], logging.root.level, logging.getLogRecordFactory()
    for outcome in run([{"n": n} for n in range(4)], max_workers=2):
        assert outcome.ok, outcome.error
    assert before == (logging.root.handlers, logging.root.level, logging.getLogRecordFactory())
"""


def made(model: str, root: Path, work: str = WORK) -> Project:
    """A project with the table."""
    project = Project.make(model, root, work)
    (root / "items.csv").write_text(ITEMS)
    return project


def shown(text: str) -> list[str]:
    """The records, without the time."""
    return [line[24:] for line in text.splitlines() if line[:2] == "20"]


@pytest.mark.parametrize("model", MODELS)
def test_a_record_comes_whole_with_its_key(model: str, tmp_path: Path) -> None:
    """From any worker; what belongs to no item says so; levels are those of the settings."""
    done = made(model, tmp_path).run("run", *FILES)
    assert (done.returncode, done.stdout) == (0, "")
    records = shown(done.stderr)
    tasks = [record for record in records if "is" in record]
    assert sorted(tasks) == sorted(f"WARNING mine [k{n}] is {n}" for n in range(COUNT))
    others = [record for record in records if "is" not in record]
    assert set(others) == {"WARNING mine [-] set up", "WARNING mine [-] torn down"}
    assert others.count("WARNING mine [-] set up") == others.count("WARNING mine [-] torn down")


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("model", ["multiprocessing", "hybrid"])
def test_however_a_process_starts(model: str, method: str, tmp_path: Path) -> None:
    """A forked process has the parent's handlers: each record comes once all the same."""
    if sys.platform == "win32" and method != "spawn":
        pytest.skip("there is only spawn")
    project = made(model, tmp_path)
    processes = tmp_path / "pkg" / "runner" / "processes.py"
    text = processes.read_text()
    processes.write_text(f"{text}\n\ndef start_method(_: int = 1) -> str:\n    return {method!r}\n")
    done = project.run("run", *FILES)
    assert done.returncode == 0
    tasks = [record for record in shown(done.stderr) if "is" in record]
    assert sorted(tasks) == sorted(f"WARNING mine [k{n}] is {n}" for n in range(COUNT))


@pytest.mark.parametrize("model", ["threading", "multiprocessing"])
def test_settings_say_from_which_level(model: str, tmp_path: Path) -> None:
    """LOG_LEVEL holds in every worker."""
    project = made(model, tmp_path)
    with (tmp_path / "pkg" / "settings.py").open("a") as settings:
        settings.write('LOG_LEVEL = "info"\n')
    done = project.run("run", *FILES)
    assert sum("not shown" in record for record in shown(done.stderr)) == COUNT


def test_a_level_that_there_is_not_is_named(tmp_path: Path) -> None:
    """Before anything runs."""
    project = made("threading", tmp_path)
    with (tmp_path / "pkg" / "settings.py").open("a") as settings:
        settings.write('LOG_LEVEL = "LOUD"\n')
    done = project.run("run", *FILES)
    assert done.returncode == 2
    assert "LOG_LEVEL in settings.py is 'LOUD': it may be CRITICAL, " in done.stderr


@pytest.mark.parametrize("model", HERE)
def test_what_work_sets_up_itself_holds(model: str, tmp_path: Path) -> None:
    """Its handlers, of loggers too, write each record once, and know the item."""
    work = """
import logging

log = logging.getLogger("mine")
log.propagate = False
log.addHandler(logging.FileHandler("log.txt"))
log.handlers[0].setFormatter(logging.Formatter("%(item)s %(message)s", defaults={"item": "-"}))
logging.basicConfig(format="root %(message)s", level="INFO")

def work(item):
    log.warning("is %s", item["n"])
    logging.info("info")
    return 1
"""
    done = made(model, tmp_path, work).run("run", *FILES, "--quiet")
    assert done.returncode == 0
    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert sorted(lines) == sorted(f"k{n} is {n}" for n in range(COUNT))
    assert done.stderr.splitlines().count("root info") == COUNT


@pytest.mark.parametrize("model", HERE)
def test_logging_may_be_imported_late(model: str, tmp_path: Path) -> None:
    """In work() itself, or by what it imports there."""
    late = "def work(item):\n    import logging\n    logging.info('is %s', item['n'])\n"
    project = made(model, tmp_path, late)
    with (tmp_path / "pkg" / "settings.py").open("a") as settings:
        settings.write('LOG_LEVEL = "INFO"\n')
    done = project.run("run", *FILES)
    assert done.returncode == 0
    assert sorted(shown(done.stderr)) == sorted(f"INFO root [k{n}] is {n}" for n in range(COUNT))


@pytest.mark.parametrize("model", ["threading", "asyncio", "multiprocessing"])
def test_no_worker_imports_logging_for_nothing(model: str, tmp_path: Path) -> None:
    """Who does not log does not pay for it."""
    quiet = "import sys\n\ndef work(item):\n    return 'logging' in sys.modules\n"
    made(model, tmp_path, quiet).run("run", *FILES)
    values = {
        json.loads(line)["value"] for line in (tmp_path / "results.jsonl").read_text().splitlines()
    }
    assert values == {model == "asyncio"}  # which logs itself


def test_a_traceback_and_what_cannot_be_pickled_come_as_text(tmp_path: Path) -> None:
    """A record of a process has its traceback, and odd values in `extra` as text."""
    work = """
import logging, threading

def work(item):
    try:
        1 / 0
    except ZeroDivisionError:
        logging.exception("failed %s", item["n"], extra={"lock": threading.Lock()})
    logging.getLogger("x" + item["n"]).warning("%s", threading.Lock())
"""
    done = made("multiprocessing", tmp_path, work).run("run", *FILES)
    assert done.returncode == 0
    assert done.stderr.count("ZeroDivisionError: division by zero") == COUNT
    assert sum("_thread.lock" in record for record in shown(done.stderr)) == COUNT


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="there is no fork")
def test_a_forked_program_of_works_own_may_log(tmp_path: Path) -> None:
    """It writes to stderr, and disturbs no pipe."""
    work = """
import logging, os

def work(item):
    if not (pid := os.fork()):
        logging.warning("child %s", item["n"])
        os._exit(0)
    os.waitpid(pid, 0)
    logging.warning("is %s", item["n"])
"""
    # Python warns of a fork beside a thread, which reads ahead there: that is no error here.
    done = made("multiprocessing", tmp_path, work).run("run", *FILES, env=dict(os.environ))
    assert done.returncode == 0
    assert done.stderr.count("child ") == COUNT
    assert len(shown(done.stderr)) == COUNT


@pytest.mark.parametrize("model", HERE)
def test_a_programs_own_handlers_get_the_records(model: str, tmp_path: Path) -> None:
    """run() sets up nothing; levels of the program hold in workers too."""
    Project.make(model, tmp_path, WORK)
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    numbers = range(4) if model in ("multiprocessing", "hybrid") else [None] * 4
    lines = [line for line in done.stdout.splitlines() if " is " in line or "not shown" in line]
    assert sorted(lines) == sorted(
        line
        for n, item in enumerate(numbers)
        for line in (f"INFO not shown {item}", f"WARNING is {n} {item}")
    )
