"""Start-up of the command line, beside a bare Typer app, cookiecutter and Copier in one run.

    python benchmarks/startup.py [RUNS]

Runs every command in turn, RUNS times (default 15) after one warm-up, and prints medians and the
ratio of ours to each peer's. Each run is a process of its own, as a user's would be. The peers
generate the very files that `concgen new` does: Copier from the same template, cookiecutter from a
template of these files, finished. A peer that is missing is left out: pip install cookiecutter
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from common import as_installed, read_count

from scaffold.core.costs import DEFAULT_COSTS
from scaffold.making import inventory, project
from scaffold.measuring import calibration, machine

BARE = """
import typer

app = typer.Typer()

@app.command()
def hello(name: str = "you", count: int = 1) -> None:
    print(f"hello {name} " * count)

@app.command()
def bye(name: str = "you") -> None:
    print(f"bye {name}")

app()
"""
WORK = ["--workload", "io", "--tasks", "10k", "--task-time", "200ms", "--yes"]
SCRIPTS = Path(sysconfig.get_path("scripts"))

Command = Callable[[], list[str]]  # a new one for each run


@dataclass(frozen=True)
class Case:
    """Something that is done by us and by peers; `target` is the ratio to the first peer's time."""

    title: str
    ours: Command
    peers: dict[str, Command]
    target: float


def cases(scratch: Path) -> list[Case]:
    """Set everything up in `scratch`."""
    bare = scratch / "bare.py"
    bare.write_text(BARE, encoding="utf-8")
    concgen = script("concgen")
    hello = [sys.executable, str(bare), "hello", "--count", "2"]
    return [
        Case(
            "--help",
            lambda: [concgen, "--help"],
            {
                "bare Typer app": lambda: [sys.executable, str(bare), "--help"],
                **{name: given(script(name), "--help") for name in ("cookiecutter", "copier")},
            },
            target=1.25,
        ),
        Case(
            "recommend, against any command of a Typer app",
            lambda: [concgen, "recommend", *WORK],
            {"bare Typer app": lambda: hello},
            target=1.5,
        ),
        Case(
            "recommend with this machine's costs, against the same with typical ones",
            calibrated(scratch, concgen),
            {"typical costs": lambda: [concgen, "recommend", *WORK]},
            target=1.05,
        ),
        Case(
            "a project of the same files",
            numbered(scratch / "ours", lambda to: [concgen, "new", to, "--name", "crawl", *WORK]),
            {
                "copier": numbered(scratch / "copier", copier),
                "cookiecutter": numbered(scratch / "cookies", cookiecutter(scratch / "template")),
            },
            target=1.0,
        ),
    ]


def script(name: str) -> str:
    """The path of an installed command; it need not exist."""
    return str(SCRIPTS / name)


def given(*words: str) -> Command:
    """The same command each time."""
    return lambda: list(words)


def calibrated(scratch: Path, concgen: str) -> Command:
    """The advice with a cache directory that holds costs; the numbers in it do not matter."""
    cache = scratch / "cache"
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(cache)
    calibration.save(DEFAULT_COSTS, machine.inspect())
    if before is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = before
    return lambda: ["env", f"XDG_CACHE_HOME={cache}", concgen, "recommend", *WORK]


def numbered(folder: Path, command: Callable[[str], list[str]]) -> Command:
    """A command with a destination of its own for each run."""
    folder.mkdir()
    count = itertools.count()
    return lambda: command(str(folder / f"project{next(count)}"))


def copier(destination: str) -> list[str]:
    """Copier's own command, on our template."""
    return [script("copier"), "copy", "--quiet", "--defaults", str(inventory.templates_dir()),
            destination]  # fmt: skip


def cookiecutter(template: Path) -> Callable[[str], list[str]]:
    """Make a template of the files of a project, with the name of its directory to fill in."""
    project.create(template / "{{cookiecutter.name}}", {"name": "crawl", "package": "crawl"})
    (template / "cookiecutter.json").write_text(
        json.dumps({"name": "crawl", "_copy_without_render": ["*.py", "*.zip", "*.md", "*.yml"]})
    )

    def command(destination: str) -> list[str]:
        out, name = os.path.split(destination)
        return [script("cookiecutter"), "--no-input", "-o", out, str(template), f"name={name}"]

    return command


def measure(commands: dict[str, Command], runs: int) -> dict[str, float]:
    """Return the median seconds of each command, all of them in turn in every round."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for round_number in range(runs + 1):
        for name, command in commands.items():
            words = command()
            begun = time.perf_counter()
            subprocess.run(words, check=True, capture_output=True)
            if round_number:  # the first round warms the caches
                seconds[name].append(time.perf_counter() - begun)
    return {name: statistics.median(times) for name, times in seconds.items()}


def show(case: Case, seconds: dict[str, float]) -> None:
    """Print one case: ours, and its ratio to each peer's."""
    own = seconds["concgen"]
    print(f"\n{case.title}\n  {'concgen':20} {own * 1e3:6.0f} ms")
    for number, name in enumerate(case.peers):
        if name in seconds:
            target = f"  (target {case.target:.2f})" if number == 0 else ""
            ratio = own / seconds[name]
            print(f"  {name:20} {seconds[name] * 1e3:6.0f} ms   ratio {ratio:.2f}{target}")


def main() -> None:
    """Measure and print the tables."""
    runs = read_count(__doc__, "runs", 15)
    as_installed()
    print(f"{runs} runs each, Python {sys.version.split()[0]}; medians of whole processes")
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(Path(folder)):
            commands = {"concgen": case.ours, **case.peers}
            installed = {
                name: command for name, command in commands.items() if shutil.which(command()[0])
            }
            show(case, measure(installed, runs))


if __name__ == "__main__":
    main()
