"""What SECURITY.md says of network, files and programs, seen by an audit hook."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="names descriptors by /proc, /dev")

# Runs each command line in argv, as JSON, and prints what the interpreter was asked for meanwhile.
DRIVER = """
import json, os, sys

events = []

def absolute(path, folder=-1):
    base = os.readlink(f"/proc/self/fd/{folder}") if folder not in (-1, None) else os.getcwd()
    return os.path.normpath(os.path.join(base, os.fsdecode(path)))

def hook(event, args):
    if event.startswith("socket."):
        events.append(("network", event))
    elif event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork"):
        events.append(("run", str(args[1] if len(args) > 1 else "")))
    elif event == "open" and not isinstance(args[0], int) and args[2] & ~os.O_CLOEXEC & 0o3103:
        events.append(("write", absolute(args[0])))
    elif event in ("os.mkdir", "os.chmod"):
        events.append(("write", absolute(args[0], args[2])))
    elif event in ("os.remove", "os.rmdir"):
        events.append(("write", absolute(args[0], args[1])))
    elif event in ("os.rename", "os.link"):
        events.extend([("write", absolute(args[0])), ("write", absolute(args[1]))])

from scaffold import cli
sys.addaudithook(hook)
codes = []
for words in json.loads(sys.argv[1]):
    sys.argv = ["concgen", *words]
    codes.append(cli.run())
sys.stdout.flush()
print("\\n" + json.dumps({"codes": codes, "events": events, "modules": sorted(sys.modules)}))
"""
# What Copier runs to render, and its libraries as they are imported; git merges as well.
RENDERING = {"git", "uname"}
# A function that leaves a mark wherever it is imported.
MARKED = "from pathlib import Path\nPath({mark!r}).touch()\ndef work(item):\n    return item\n"


def audit(here: Path, *commands: list[str]) -> dict[str, list[list[str]]]:
    """Run the commands in `here`, with directories of the user's beside it; return the events."""
    user = here.parent
    places = {name: str(user / name) for name in ("cache", "state", "temp", "home")}
    for place in places.values():
        Path(place).mkdir(exist_ok=True)
    variables = {
        "XDG_CACHE_HOME": places["cache"],
        "XDG_STATE_HOME": places["state"],
        "TMPDIR": places["temp"],
        "HOME": places["home"],
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, json.dumps(commands)],
        cwd=here,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    report: dict[str, list[list[str]]] = json.loads(done.stdout.splitlines()[-1])
    assert set(report["codes"]) <= {0, 4, 5}, done.stderr
    return report


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """An empty current directory."""
    place = tmp_path / "here"
    place.mkdir()
    return place


def written(report: dict[str, list[list[str]]], here: Path) -> set[str]:
    """What was written, relative to the directory of all the directories; temporary files apart."""
    paths = [Path(path) for kind, path in report["events"] if kind == "write"]
    named = {
        path.relative_to(here.parent).as_posix() if path.is_relative_to(here.parent) else str(path)
        for path in paths
        if path != Path(os.devnull)
    }
    return {name for name in named if not name.startswith("temp/")}


def programs(report: dict[str, list[list[str]]]) -> set[str]:
    """The names of the programs that were run."""
    return {Path(ast.literal_eval(words)[0]).name for words in run(report)}


def run(report: dict[str, list[list[str]]]) -> set[str]:
    """The programs that were run, and with what word."""
    return {path for kind, path in report["events"] if kind == "run"}


def test_advice_writes_nothing_and_stays_off_the_network(here: Path) -> None:
    """Nor does it run anything: only the renderer asks git."""
    report = audit(
        here,
        ["recommend", "--yes"],
        ["rules"],
        ["rules", "R4"],
        ["models"],
    )
    dry_report = audit(here, ["new", "crawl", "--yes", "--dry-run"])
    assert written(report, here) == written(dry_report, here) == set()
    assert run(report) == set()
    assert not any(kind == "network" for kind, _ in report["events"])


def test_new_writes_its_destination_alone(here: Path) -> None:
    """And the staging directory beside it, which becomes it."""
    report = audit(here, ["new", "crawl", "--yes"])
    names = written(report, here)
    assert names
    assert all(name.startswith(("here/crawl", "here/.crawl.concgen-")) for name in names)
    assert programs(report) <= RENDERING
    assert not any(kind == "network" for kind, _ in report["events"])
    assert [path.name for path in here.iterdir()] == ["crawl"]
    assert not any((here.parent / "home").iterdir())


def test_the_life_of_a_project_stays_in_it_and_runs_git_alone(here: Path) -> None:
    """Neither is the project's own code imported."""
    audit(here, ["new", "crawl", "--yes"])
    mark = here.parent / "mark"
    (here / "crawl/crawl/work.py").write_text(MARKED.format(mark=str(mark)))
    (here / "crawl/README.md").write_text("mine\n")
    report = audit(
        here / "crawl",
        ["switch", "threading"],
        ["diff"],
        ["undo"],
        ["update"],
        ["check"],
    )
    assert not mark.exists()
    assert all(f"{name}/".startswith("crawl/") for name in written(report, here / "crawl"))
    assert programs(report) <= RENDERING
    assert not any(kind == "network" for kind, _ in report["events"])


def test_the_users_function_runs_where_the_command_says_so(here: Path) -> None:
    """In a child process of the same interpreter, which is all that is run."""
    mark = here.parent / "mark"
    (here / "work.py").write_text(MARKED.format(mark=str(mark)))
    (here / "items.jsonl").write_text("1\n2\n")
    report = audit(here, ["measure", "work.py:work", "--items", "items.jsonl", "--budget", "1"])
    assert mark.exists()
    assert all("scaffold.measuring.probe" in words for words in run(report))
    assert "work" not in report["modules"]
    assert written(report, here) == set()
