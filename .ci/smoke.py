"""What a user does in a first hour, on whatever this is: Linux, macOS, Windows, any Python.

For every model a project is made, run, tested, killed and timed out; then one is measured, benched,
switched and taken back. `python .ci/smoke.py [MODEL...]` needs concgen and pytest installed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

MODELS = {  # and what of it a task that misbehaves ends in
    "sequential": {"raises"},
    "threading": {"raises", "hangs"},
    "asyncio": {"raises", "hangs"},
    "multiprocessing": {"raises", "hangs", "dies"},
    "hybrid": {"raises", "hangs", "dies"},
}
PATIENT = ("--budget", "40s", "--json")  # for a machine where an interpreter starts slowly
GOOD = 20  # items that nothing is wrong with
WORK = """
import os, subprocess, sys, time

def work(item):
    if item == "raises":
        raise ValueError("on purpose")
    if item == "hangs":
        subprocess.run([sys.executable, "program.py"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    if item == "dies":
        os._exit(7)
    time.sleep(0.02)
    return item * 2
"""
PROGRAM = """
import time

for _ in range(200):
    with open("alive", "a") as file:
        file.write(".")
    time.sleep(0.1)
"""  # what a task starts, and must not outlive the worker process that is ended
ASYNC_WORK = """
import asyncio

async def work(item):
    if item == "raises":
        raise ValueError("on purpose")
    while item == "hangs":
        pass  # it blocks the event loop, and nothing else gets a turn
    await asyncio.sleep(0.02)
    return item * 2
"""
STOPPED = """
import _thread, os, signal, threading, time
from {package}.__main__ import main

def stop():
    while not os.path.exists("stop"):
        time.sleep(0.05)
    _thread.interrupt_main(getattr(signal, "SIGBREAK", signal.SIGTERM))

if __name__ == "__main__":
    threading.Thread(target=stop, daemon=True).start()
    main(["run", *{files}])
"""  # a Ctrl-Break where there may be no console to press it in
MEASURED = """
def work(item):
    return sum(n * n for n in range(20_000))
"""


def main(models: list[str]) -> None:
    """Check all of it, or the models named; exit code 1 with the first thing that is wrong."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="smoke ", ignore_cleanup_errors=True) as scratch:
        for model in models or MODELS:
            project = Path(scratch) / f"by_{model}"
            step(f"{model}: new", new, project, model)
            step(f"{model}: run", run, project)
            step(f"{model}: its own tests", tests, project)
            step(f"{model}: bench", bench, project)
            step(f"{model}: tasks that misbehave", misbehave, project, MODELS[model])
        if not models:
            step("stopped, and resumed", stop, Path(scratch) / "by_multiprocessing")
            project = Path(scratch) / "by_threading"
            step("switch and undo", switch, project)
            step("measure", measure, Path(scratch))
            step("bench of every model", compare, Path(scratch))
            step("demo", demo, Path(scratch))
            step("doctor", doctor, Path(scratch))
    print(f"smoke: all well, {time.monotonic() - began:.0f} s", flush=True)


def step(name: str, check: Callable[..., None], *arguments: Any) -> None:
    """Run one check, and say how long it took."""
    began = time.monotonic()
    check(*arguments)
    print(f"smoke: {name}: {time.monotonic() - began:.1f} s", flush=True)


def new(project: Path, model: str) -> None:
    """Make a project by that model."""
    concgen(project.parent, "new", project.name, "--model", model, "--workload", "mixed", "--yes")


def run(project: Path) -> None:
    """Every item of the sample gets one result; a second run finds nothing left."""
    python(project, "-m", project.name, "run")
    whole = results(project / "results.jsonl")
    assert whole, "no results"
    assert all(row["ok"] for row in whole.values()), whole
    python(project, "-m", project.name, "run")
    assert results(project / "results.jsonl") == whole


def tests(project: Path) -> None:
    """The tests that it was made with pass."""
    python(project, "-m", "pytest", "-q", "-p", "no:cacheprovider")


def bench(project: Path) -> None:
    """It measures its own speedup."""
    done = python(project, "-m", project.name, "bench", "--seconds", "0.5", "--json")
    assert json.loads(done)["speedup"] > 0


def misbehave(project: Path, kinds: set[str]) -> None:
    """A task that raises, hangs or kills its worker fails alone; the others are not touched."""
    work = ASYNC_WORK if project.name == "by_asyncio" else WORK
    (project / project.name / "work.py").write_text(work, encoding="utf-8")
    (project / "program.py").write_text(PROGRAM, encoding="utf-8")
    items = [*range(GOOD // 2), *sorted(kinds), *range(GOOD // 2, GOOD)]
    lines = "".join(json.dumps(item) + "\n" for item in items)
    (project / "bad.jsonl").write_text(lines, encoding="utf-8")
    options = ["--items", "bad.jsonl", "--results", "bad-results.jsonl"]
    if "hangs" in kinds:
        options += ["--timeout", "5"]  # time enough for a program to start
    python(project, "-m", project.name, "run", *options, code=1)
    rows = results(project / "bad-results.jsonl")
    failed = {items[number]: row["error"] for number, row in rows.items() if not row["ok"]}
    assert len(rows) == len(items), rows
    assert set(failed) == kinds, failed
    if "dies" in kinds:
        alive = (project / "alive").stat().st_size
        time.sleep(1)
        assert (project / "alive").stat().st_size == alive, "a program outlived its worker"


def stop(project: Path) -> None:
    """A second run on the same results is refused; Ctrl-Break ends the first; the next goes on."""
    files = ["--items", "many.jsonl", "--results", "many-results.jsonl"]
    program = STOPPED.format(package=project.name, files=files)
    (project / "stopped.py").write_text(program, encoding="utf-8")
    (project / "many.jsonl").write_text("".join(f"{n}\n" for n in range(100_000)), encoding="utf-8")
    quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    first = subprocess.Popen([sys.executable, "stopped.py"], cwd=project, **quiet)
    at = project / "many-results.jsonl"
    end = time.monotonic() + 60
    while not (at.exists() and at.stat().st_size):
        assert time.monotonic() < end, "no result"
        time.sleep(0.1)
    python(project, "-m", project.name, "run", *files, code=2)
    (project / "stop").touch()
    assert first.wait(60) == 130
    reached = max(results(at)) + 1
    python(project, "-m", project.name, "run", *files, "--limit", str(reached))
    assert results(at).keys() == set(range(reached))


def switch(project: Path) -> None:
    """An edit survives a switch, and `undo` takes the switch back, exactly."""
    settings = project / project.name / "settings.py"
    edited = settings.read_text("utf-8").replace("RETRIES: int = 0", "RETRIES: int = 3")
    settings.write_text(edited, encoding="utf-8", newline="")
    before = snapshot(project)
    merged = shutil.which("git") is not None  # without it both versions are left for the user
    concgen(project, "switch", "multiprocessing", code=0 if merged else 4)
    assert "RETRIES: int = 3" in settings.read_text("utf-8")
    assert merged != settings.with_name("settings.py.new").exists()
    python(project, "-m", project.name, "run", "--fresh", "--items", "bad.jsonl", "--limit", "5")
    concgen(project, "undo")
    after = snapshot(project)
    assert before == after, [name for name in before if before[name] != after.get(name)]


def measure(scratch: Path) -> None:
    """A function is measured; how much of it computes, a busy machine cannot always tell."""
    (scratch / "mine.py").write_text(MEASURED, encoding="utf-8")
    (scratch / "items.txt").write_text("item\n" * 200, encoding="utf-8")
    found = concgen(scratch, "measure", "mine.py:work", "--items", "items.txt", *PATIENT)
    profile = json.loads(found)["profile"]
    assert profile["calls"] > 0, profile
    assert profile["failures"] == 0, profile
    assert profile["cpu_fraction"] > 0, profile


def compare(scratch: Path) -> None:
    """Every model runs beside its prediction."""
    rows = concgen(scratch, "bench", "mine.py:work", "--items", "items.txt", *PATIENT)
    found = Counter(row["model"] for row in json.loads(rows)["results"])
    assert {"sequential", "threading", "multiprocessing"} <= set(found), found


def demo(scratch: Path) -> None:
    """Every model shows every task of the demonstration, unless the machine is too slow for it."""
    rows = json.loads(concgen(scratch, "demo", "mixed", "--json"))["results"]
    assert len(rows) == 5, rows
    for row in rows:
        assert len(row["tasks"]) == 8 or "by itself" in row["error"], row


def doctor(scratch: Path) -> None:
    """The machine is described; its memory is known."""
    machine = json.loads(concgen(scratch, "doctor", "--json"))["machine"]
    assert machine["memory_bytes"] > 0, machine


def concgen(where: Path, *arguments: str, code: int = 0) -> str:
    """Run a command of concgen there."""
    return python(where, "-m", "scaffold", *arguments, code=code)


def python(where: Path, *arguments: str, code: int = 0) -> str:
    """Run this Python there, and return what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=where,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=300,
        check=False,
    )
    if done.returncode != code:
        said = f"{done.stdout}\n{done.stderr}"
        sys.exit(f"smoke: {' '.join(arguments)}: exit code {done.returncode}\n{said}")
    return done.stdout


def results(path: Path) -> dict[int, dict[str, Any]]:
    """Return the rows of a results file by id, each of which must be there once."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    by_id = {row["id"]: row for row in rows}
    assert len(by_id) == len(rows), "a result is there twice"
    return by_id


def snapshot(project: Path) -> dict[str, bytes]:
    """Return every file that the life cycle may touch."""
    return {
        path.relative_to(project).as_posix(): path.read_bytes()
        for path in project.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and "undo" not in path.parts
        and "results.jsonl" not in path.name
    }


if __name__ == "__main__":
    main(sys.argv[1:])
