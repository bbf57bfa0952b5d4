"""Every end is reached, and told: of a worker, of its teardown, of the run."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from engines.assembly import HERE, PROCESS_MODELS, Project

models = pytest.mark.parametrize("model", HERE)


def results(project: Project) -> list[dict[str, Any]]:
    """The records, in the order of the items."""
    lines = (project.root / "results.jsonl").read_text().splitlines()
    return sorted(map(json.loads, lines), key=lambda record: record["id"])


# -- what work() raises


PANIC = """
import asyncio, sys
class Panic(BaseException):
    pass
{kind} work(item):
    if item == 1:
        {raises}
    return item
"""


@models
@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize(
    ("raises", "error"),
    [
        ("raise Panic('rust')", "Panic: rust"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise asyncio.CancelledError", "CancelledError"),
        ("raise GeneratorExit", "GeneratorExit"),
    ],
)
def test_whatever_work_raises_is_the_error_of_its_item(
    model: str, kind: str, raises: str, error: str, tmp_path: Path
) -> None:
    """The others have their results, and the run ends by itself."""
    work = PANIC.format(kind=kind, raises=raises)
    project = Project.make(model, tmp_path, work, "0\n1\n2\n3\n")
    done = project.run("run", "--max-workers", "2")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert [record["ok"] for record in results(project)] == [True, False, True, True]
    assert results(project)[1]["error"].startswith(error)


@pytest.mark.parametrize("model", ["asyncio", "hybrid", "sequential"])
@pytest.mark.parametrize(
    "body",
    [
        "asyncio.current_task().cancel(); await asyncio.sleep(0)",
        "await asyncio.gather(part())",
    ],
)
def test_a_coroutine_that_cancels_itself_or_leaves_in_a_part(
    model: str, body: str, tmp_path: Path
) -> None:
    """One item has failed."""
    work = f"""
import asyncio, sys
async def part():
    sys.exit("enough")
async def work(item):
    await asyncio.sleep(0.001)
    if item == 5:
        {body}
    await asyncio.sleep(0.001)
    return item
"""
    project = Project.make(model, tmp_path, work, "".join(f"{n}\n" for n in range(20)))
    assert project.run("run", "--max-workers", "4").returncode == 1
    assert [record["id"] for record in results(project) if not record["ok"]] == [5]
    assert len(results(project)) == 20


@models
@pytest.mark.parametrize("form", ["wrapped", "lambda item: native(item)"])
def test_a_coroutine_that_a_plain_work_returns_is_awaited(
    model: str, form: str, tmp_path: Path
) -> None:
    """As decorators around `async def` make it."""
    work = f"""
import asyncio, functools
async def native(item):
    await asyncio.sleep(0)
    return item + 1
@functools.wraps(native)
def wrapped(*arguments):
    return native(*arguments)
work = {form}
"""
    if model in PROCESS_MODELS and form != "wrapped":
        work = work.replace("work = lambda item: ", "def work(item): return ")
    work = work.replace("work = wrapped", "def work(item): return wrapped(item)")
    project = Project.make(model, tmp_path, work, "1\n2\n")
    done = project.run("run")
    assert [record.get("value") for record in results(project)] == [2, 3], done.stderr
    assert "RuntimeWarning" not in done.stderr


# -- setup and teardown


@models
@pytest.mark.parametrize("raises", ["sys.exit('no API key')", "raise Panic('no API key')"])
def test_a_setup_that_exits_ends_the_run_with_its_reason(
    model: str, raises: str, tmp_path: Path
) -> None:
    """It does not wait for workers that never come."""
    work = f"import sys\nclass Panic(BaseException): pass\ndef setup(): {raises}\n"
    project = Project.make(model, tmp_path, work + "def work(item, key): return item\n", "1\n2\n")
    done = project.run("run")
    assert done.returncode == 1
    assert "no API key" in done.stderr
    assert "Traceback" not in done.stderr


TEARDOWN = """
import sys, time
def setup():
    yield 1
    {step}
def work(item, one):
    return item
"""


@models
@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("raise OSError('commit failed')", "OSError: commit failed"),
        ("sys.exit('commit failed')", "SystemExit: commit failed"),
        ("time.sleep(3600)", "teardown after setup()"),
    ],
)
@pytest.mark.parametrize("timeout", ["", "--timeout=60"])
def test_a_teardown_that_fails_or_does_not_end_is_told(
    model: str, step: str, message: str, timeout: str, tmp_path: Path
) -> None:
    """Results may depend on what it commits: the run has not ended well."""
    if (model, step, timeout) == ("sequential", "time.sleep(3600)", ""):
        pytest.skip("it runs in the main thread, where a debugger finds it")
    project = Project.make(model, tmp_path, TEARDOWN.format(step=step), "1\n2\n3\n")
    project.shorten("task", "TEARDOWN", 0.5)
    done = project.run("run", *filter(None, [timeout]))
    assert done.returncode == 1
    assert message in done.stderr
    assert [record["ok"] for record in results(project)] == [True] * 3


# -- the end of a process


WRITES = """
import atexit, gzip, os
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
log = open("audit.log", "a")
log.write("once\\n")
pool = ThreadPoolExecutor(2)
packed, lock = None, Lock()
atexit.register(lambda: log.write("bye\\n"))
def work(item):
    global packed
    with lock:
        packed = packed or gzip.open(f"{os.getpid()}.gz", "wt")
        packed.write("x")
    log.write(f"did {item}\\n")
    return pool.submit(abs, item).result()
"""


@models
def test_files_are_flushed_and_exit_functions_run(model: str, tmp_path: Path) -> None:
    """Also in workers, with an idle pool of threads, and nothing is written twice."""
    project = Project.make(model, tmp_path, WRITES, "0\n1\n2\n3\n4\n")
    assert project.run("run").returncode == 0
    lines = (tmp_path / "audit.log").read_text().splitlines()
    assert sorted(line for line in lines if line.startswith("did")) == [
        f"did {n}" for n in range(5)
    ]
    assert lines[-1] == "bye"
    if model in PROCESS_MODELS:  # a worker that imports the module writes it too
        assert lines.count("bye") > 1
    else:
        assert (lines.count("once"), lines.count("bye")) == (1, 1)
    packed = [gzip.decompress(path.read_bytes()) for path in tmp_path.glob("*.gz")]
    assert sum(map(len, packed)) == 5


@models
@pytest.mark.parametrize(
    "hangs", ["threading.Thread(target=wait, daemon=False).start()", "atexit.register(wait)"]
)
def test_what_hangs_at_the_end_is_left_behind_and_told(
    model: str, hangs: str, tmp_path: Path
) -> None:
    """The results are there, and the files are flushed."""
    work = f"""
import atexit, threading, time
log = open("audit.log", "a")
def wait(): time.sleep(3600)
def work(item):
    {hangs}
    log.write("did\\n")
    return item
"""
    project = Project.make(model, tmp_path, work, "1\n")
    project.shorten("lifecycle", "LEAVING", 0.5)
    done = project.run("run")
    assert done.returncode == 0
    assert "left behind" in done.stderr
    assert (tmp_path / "audit.log").read_text() == "did\n"


# -- deaths


@pytest.mark.parametrize("model", PROCESS_MODELS)
@pytest.mark.parametrize("retries", [0, 1])
def test_a_worker_that_dies_after_its_task_costs_that_task_an_attempt(
    model: str, retries: int, tmp_path: Path
) -> None:
    """Here work() closes the pipe: its answer never comes, however often it runs."""
    work = "import os\ndef work(item):\n    if item == 5: os.closerange(3, 50)\n    return item\n"
    project = Project.make(model, tmp_path, work, "".join(f"{n}\n" for n in range(12)))
    done = project.run("run", "--max-workers", "2", f"--retries={retries}")
    assert done.returncode == 1, done.stderr
    bad = [record for record in results(project) if not record["ok"]]
    assert [(record["id"], record["attempts"]) for record in bad] == [(5, 1 + retries)]
    assert len(results(project)) == 12


@pytest.mark.parametrize("model", PROCESS_MODELS)
def test_workers_that_die_as_they_start_are_told_once(model: str, tmp_path: Path) -> None:
    """One line with the reason, not a traceback for each."""
    work = "import os\n{0} setup(): os._exit(3)\n{0} work(item, one): return item\n"
    work = work.format("async def" if model == "hybrid" else "def")  # its threads come later
    project = Project.make(model, tmp_path, work, "".join(f"{n}\n" for n in range(100)))
    done = project.run("run", "--max-workers", "1")
    assert done.returncode == 1
    assert done.stderr.count("workers die as they start") == 1
    assert "exit code 3" in done.stderr
    assert "Traceback" not in done.stderr


# -- words that cannot be said, and signals that come together


SLOW = "import time\ndef work(item):\n    time.sleep(0.05)\n    return item\n"


@models
@pytest.mark.parametrize("how", ["closed", "broken"])
def test_a_message_that_cannot_be_written_fails_nothing(
    model: str, how: str, tmp_path: Path
) -> None:
    """The run goes on without a word."""
    project = Project.make(model, tmp_path, SLOW, "1\n2\n3\n4\n")
    project.shorten("progress", "REPORT", 0.01)
    end = "2>&-" if how == "closed" else "2>&1 >/dev/null | true; exit ${PIPESTATUS[0]}"
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m pkg run {end}"],
        cwd=tmp_path, timeout=60, check=False, capture_output=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, b"")
    assert len(results(project)) == 4


@models
def test_signals_in_a_row_end_it(model: str, tmp_path: Path) -> None:
    """The third disturbs nothing that the second has begun."""
    work = SLOW.replace("0.05", "30").replace("    time", "    open('begun', 'w')\n    time", 1)
    project = Project.make(model, tmp_path, work, "1\n2\n3\n4\n5\n")
    begun = tmp_path / "begun"
    for pause in (0.0005, 0.005, 0.05):
        process = project.start("run", "--max-workers", "4")
        while not begun.exists():
            assert process.poll() is None
            time.sleep(0.01)
        for _ in range(3):
            process.send_signal(signal.SIGTERM)
            time.sleep(pause)
        process.communicate(timeout=60)
        assert process.returncode in (130, -signal.SIGTERM)  # it came to an end already
        begun.unlink()


# -- values


@models
@pytest.mark.parametrize("timeout", ["1e10", "1e300", "inf"])
def test_any_timeout_works(model: str, timeout: str, tmp_path: Path) -> None:
    """However long it is."""
    project = Project.make(model, tmp_path, SLOW, "1\n")
    done = project.run("run", "--timeout", timeout)
    assert (done.returncode, len(results(project))) == (0, 1), done.stderr


@pytest.mark.parametrize("text", ["def main(item): pass\n", "work = 1\n"])
def test_a_module_without_work_is_a_line(text: str, tmp_path: Path) -> None:
    """Usage, and nothing was touched."""
    project = Project.make("threading", tmp_path, text, "1\n")
    done = project.run("run")
    assert done.returncode == 2
    assert "no function work(item)" in done.stderr
    assert not (tmp_path / "results.jsonl").exists()
