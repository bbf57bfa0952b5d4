"""What goes wrong in a generated project, from its own command line: one line, the way out."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from engines.assembly import Project

WORK = "def work(item):\n    return item\n"


class Case(NamedTuple):
    """Files, the command, and what is told; `first` runs the project before the files change."""

    command: str
    code: int
    words: tuple[str, ...]
    files: Mapping[str, str] = MappingProxyType({})
    first: bool = False
    model: str = "sequential"
    options: Mapping[str, Any] = MappingProxyType({})


def result(line: str) -> dict[str, str]:
    """A results file that has one more line."""
    return {"results.jsonl": '{"id": 0, "ok": true, "value": 1}\n' + line + "\n"}


OUT_OF_RANGE = "out of range: it begins"
CASES = {
    "an unknown command": Case("ruun", 2, ("'ruun'", "choose from", "run")),
    "an unknown option": Case("run --itms x", 2, ("--itms", "unrecognized", "usage:")),
    "no number": Case("run --retries many", 2, ("'many'", "--retries", "invalid int")),
    "no worker": Case("run --max-workers 0", 2, ("'0' is", "--max-workers", "nor auto")),
    "no time": Case("run --timeout nan", 2, ("nan is", "--timeout", OUT_OF_RANGE)),
    "no items": Case("run --items no", 2, ("cannot read no", "No such file", "--items")),
    "a directory": Case("run --items .", 2, ("cannot read .", "Is a directory", "--items")),
    "no input": Case(
        "run --items -", 2, ("cannot read -", "it is closed", "--items"),
        options={"preexec_fn": lambda: __import__("os").close(0)},
    ),
    "an item that is not JSON": Case(
        "run", 2, ("items.jsonl, line 2", "Expecting", ".txt"), {"items.jsonl": "1\n{\n"},
    ),
    "an item that is too deep": Case(
        "run", 2, ("items.jsonl, line 1", "decoding a JSON array", ".txt"),
        {"items.jsonl": "[" * 100_000},
    ),
    "text that is not UTF-8": Case(
        "run --items binary.txt", 2, ("binary.txt, line 1", "the byte 0xff is not UTF-8", "UTF-8"),
        {"binary.txt": "\udcff"},
    ),
    "another input": Case(
        "run", 2, ("is not what the results in results.jsonl", "restore it", "--fresh"),
        {"items.jsonl": "7\n8\n9\n"}, first=True,
    ),
    "results of nothing": Case(
        "run", 2, ("results.jsonl has results", "does not tell", "--fresh"),
        {"results.jsonl.state": ""}, first=True,
    ),
    "a result below zero": Case(
        "run", 2, ("line 2", "not a result of this input", "--fresh"),
        result('{"id": -1, "ok": true}'), first=True,
    ),
    "a result beyond the input": Case(
        "run", 2, ("line 2", "not a result of this input", "--fresh"),
        result('{"id": 99999999999, "ok": true, "value": 1}'), first=True,
    ),
    "a result of nine thousand digits": Case(
        "run", 2, ("line 2", "not a result of this input", "--fresh"),
        result(f'{{"id": {"9" * 9000}, "ok": true, "value": 1}}'), first=True,
    ),
    "a result that is too deep": Case(
        "run", 2, ("line 2", "not a result of this input", "--fresh"),
        result("[" * 100_000), first=True,
    ),
    "a place for no file": Case("run --results .", 2, (". is not a file", "--results")),
    "a device for results": Case(
        "run --results /dev/full", 2, ("/dev/full", "is not a file", "--results"),
    ),
    "a full disk behind bench": Case(
        "bench > /dev/full", 1, ("cannot print the results", "No space left"),
    ),
    "a full disk behind export": Case(
        "export > /dev/full", 1, ("cannot print the results", "No space left"), first=True,
    ),
    "items that break off": Case(  # to read the start of its own memory is EIO
        "run --items /proc/self/mem", 2, ("cannot read /proc/self/mem", "Input/output error"),
    ),
    "items that break off behind export": Case(
        "export --items /proc/self/mem", 2, ("cannot read /proc/self/mem",), first=True,
    ),
    "no time for one item": Case(
        "bench --seconds 0.001", 1, ("no item was finished in 0.001 s", "--seconds"),
        {"pkg/work.py": "import time\ndef work(item):\n    time.sleep(9)\n"},
    ),
    "a set-up that fails": Case(
        "run", 1, ("setup() failed", "ValueError: no server"),
        {"pkg/work.py": f"{WORK}def setup():\n    raise ValueError('no server')\n"},
    ),
    "a set-up that fails in a process": Case(
        "run", 1, ("setup() failed", "ValueError: no server"),
        {"pkg/work.py": f"{WORK}def setup():\n    raise ValueError('no server')\n"},
        model="multiprocessing",
    ),
    "a set-up that ends its process": Case(
        "run", 1, ("workers die as they start", "exit code 3"),
        {"pkg/work.py": f"{WORK}def setup():\n    __import__('os')._exit(3)\n"},
        model="multiprocessing",
    ),
}  # fmt: skip


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("name", CASES)
def test_the_error_is_told(name: str, tmp_path: Path) -> None:
    """The exit code, the value, the reason and the way out; no traceback."""
    case = CASES[name]
    project = Project.make(case.model, tmp_path, WORK, "1\n2\n3\n")
    if case.first:
        assert project.run("run").returncode == 0
    for path, text in case.files.items():
        (tmp_path / path).write_bytes(text.encode(errors="surrogateescape"))
    words, _, place = case.command.partition(" > ")
    with open(place or "/dev/null", "w") as out:  # noqa: PTH123
        done = project.run(*words.split(), stdout=out, **case.options)
    assert done.returncode == case.code, done.stderr
    for word in case.words:
        assert word.lower() in done.stderr.lower()
    assert "Traceback" not in done.stderr


def test_results_in_use_are_refused(tmp_path: Path) -> None:
    """A second run names the way out, and the first one goes on."""
    slow = "import time\ndef work(item):\n    time.sleep(0.5)\n"
    project = Project.make("sequential", tmp_path, slow, "1\n2\n3\n4\n")
    first = project.start("run")
    while not (tmp_path / "results.jsonl").exists():
        assert first.poll() is None
    second = project.run("run")
    assert second.returncode == 2
    assert "in use by another run" in second.stderr
    assert "--results" in second.stderr
    assert first.wait(60) == 0


@pytest.mark.parametrize("command", ["bench", "export", "status", "try"])
def test_a_reader_that_leaves_early_has_seen_enough(command: str, tmp_path: Path) -> None:
    project = Project.make("sequential", tmp_path, WORK, "1\n")
    project.run("run")
    reader = subprocess.Popen(["true"], stdin=subprocess.PIPE)
    reader.wait()
    done = project.run(command, stdout=reader.stdin)
    assert done.returncode == 0
    assert not done.stderr
