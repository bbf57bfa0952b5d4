"""How time and memory grow with the number of tasks: whole runs, with input file and journal.

    python benchmarks/growth.py                     every engine, a thousand to a million tasks
    python benchmarks/growth.py multiprocessing     one engine
    python benchmarks/growth.py --largest 1e7       ten million through one engine, and the resume

Each run is `python -m PKG run` of a project, in a process of its own, with a work() that returns
its item at once. Memory is the peak of that process alone, without its workers. A resume is a
second run on the same results: it finds every task done.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from common import MODELS, as_installed, assemble

SIZES = (1_000, 10_000, 100_000, 1_000_000)
AT_ONCE = {"threading": 32, "asyncio": 100, "multiprocessing": 2, "hybrid": 16}
WORK = "def work(item):\n    return item\n"
ASYNC_WORK = f"async {WORK}"
MOST_GROWTH = 1.2  # target: peak memory of a million tasks, to that of ten thousand
MOST_MEMORY = 30  # target: MB at ten million
# Runs the command line, then tells its own peak. Not ru_maxrss: that begins with the parent's.
DRIVER = """
import sys
from pkg.__main__ import main
try:
    main(["run", "--quiet", *sys.argv[1:]])
except SystemExit as exc:
    assert not exc.code, exc.code
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


class Run(NamedTuple):
    """One run: how long, and the peak memory of the parent."""

    seconds: float
    mb: float


class Subject:
    """A project of one model, with as many items as asked for."""

    def __init__(self, model: str, folder: Path) -> None:
        self.model, self.folder = model, folder
        assemble(model, folder, ASYNC_WORK if model == "asyncio" else WORK)

    def prepare(self, n: int) -> None:
        """Write n items, and remove the results of earlier runs."""
        for old in self.folder.glob("results*"):
            old.unlink()
        with (self.folder / "items.jsonl").open("w") as file:
            file.writelines(f"{number}\n" for number in range(n))

    def run(self) -> Run:
        """Run what is not done yet, to the end."""
        workers = ["--max-workers", str(AT_ONCE.get(self.model, 1))]
        began = time.perf_counter()
        child = subprocess.run(
            [sys.executable, "-c", DRIVER, *workers],
            cwd=self.folder, env=os.environ | {"PYTHONPATH": "."},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        seconds = time.perf_counter() - began
        if child.returncode:
            raise RuntimeError(f"{self.model}: {child.stderr[-2000:]}")
        return Run(seconds, int(child.stdout.split()[-1]) / 1024)

    def count(self) -> int:
        """How many tasks have exactly one result; raises AssertionError when one has two."""
        with (self.folder / "results.jsonl").open("rb") as lines:
            ids = [json.loads(line)["id"] for line in lines]
        assert len(ids) == len(set(ids)), "a task has two results"
        return len(ids)


def grow(model: str, folder: Path) -> bool:
    """A row for one engine: every size, and the growth. Tell whether it stays in bounds."""
    subject, runs = Subject(model, folder), []
    for n in SIZES:
        subject.prepare(n)
        runs.append(subject.run())
        assert subject.count() == n
    growth = runs[SIZES.index(1_000_000)].mb / runs[SIZES.index(10_000)].mb
    cells = "".join(f"{run.seconds:9.2f} s {run.mb:4.0f} MB" for run in runs)
    good = growth <= MOST_GROWTH
    print(f"{model:16}{cells}   x{growth:.2f} {'ok' if good else 'MISS'}", flush=True)
    return good


def largest(model: str, n: int, folder: Path) -> bool:
    """One run of n tasks and its resume. Tell whether memory stays in bounds."""
    subject = Subject(model, folder)
    subject.prepare(n)
    good = True
    for phase in ("run", "resume"):
        run = subject.run()
        good &= run.mb <= MOST_MEMORY
        print(
            f"{model:16}{phase:8}{n:12,} tasks{run.seconds:9.2f} s"
            f"{run.seconds / n * 1e6:8.2f} us a task {run.mb:4.0f} MB "
            f"(at most {MOST_MEMORY}) {'ok' if run.mb <= MOST_MEMORY else 'MISS'}",
            flush=True,
        )
    return good


def main() -> None:
    """The table, or the largest run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="*", metavar="MODEL")
    parser.add_argument("--largest", type=float, metavar="N", help="one run of N tasks, and resume")
    args = parser.parse_args()
    as_installed()
    met = []
    if args.largest:
        for model in args.models or ["multiprocessing"]:
            with tempfile.TemporaryDirectory() as folder:
                met.append(largest(model, int(args.largest), Path(folder)))
    else:
        print(f"{'tasks':16}{''.join(f'{n:>19,}' for n in SIZES)}   memory, 1e6 to 1e4")
        for model in args.models or MODELS:
            with tempfile.TemporaryDirectory() as folder:
                met.append(grow(model, Path(folder)))
    sys.exit(not all(met))


if __name__ == "__main__":
    main()
