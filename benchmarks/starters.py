"""Starters beside what one writes by hand: ratios of medians from one run, with their targets.

    python benchmarks/starters.py            every case, 5 rounds
    python benchmarks/starters.py http -r 9  some cases, more rounds
    python benchmarks/starters.py --list     the cases

Competitors are whole programs, timed from start to exit, and take turns, so that a slow minute of
the machine hits all of them. Ours are projects as `concgen new` makes them, run as users run them:
they write results that survive a crash, which the others do not. Peers that are not installed are
left out: pip install requests joblib
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from common import Target, as_installed, pick, report, run_cases
from peers import trees

from scaffold.making import project

PEERS = Path(__file__).resolve().parent / "peers"
PACKAGE = "made"  # of the projects


class Case(NamedTuple):
    """One kind of work. `prepare(folder)` gives the command of each competitor, by its name."""

    name: str
    title: str
    prepare: Callable[[Path], AbstractContextManager[dict[str, list[str]]]]
    targets: tuple[Target, ...]


def make(
    folder: Path, starter: str, model: str, items: list[object], workers: int, **answers: object
) -> list[str]:
    """Make a project as `concgen new` does; return the command that runs it on the items."""
    path = folder / f"{starter}-{model}"
    names = {"name": PACKAGE, "starter": starter, "model": model, "max_workers": workers}
    project.create(path, names | answers)
    lines = "".join(json.dumps(item) + "\n" for item in items)
    (path / "items.jsonl").write_text(lines, encoding="utf-8")
    program = f"import os; os.chdir({str(path)!r}); from {PACKAGE}.__main__ import main; main()"
    return [sys.executable, "-c", program, "run", "--fresh", "--quiet"]


REQUESTS, IN_FLIGHT, DELAY = 10_000, 100, 0.020  # seconds


@contextmanager
def http(folder: Path) -> Iterator[dict[str, list[str]]]:
    """A server in its own process, and those who fetch from it."""
    server = subprocess.Popen(
        [sys.executable, PEERS / "http_server.py", str(DELAY)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    url = f"http://127.0.0.1:{int(server.stdout.readline())}"
    items: list[object] = [{"url": f"{url}/{number}"} for number in range(REQUESTS)]
    by_hand = [sys.executable, str(PEERS / "http_clients.py")]
    order = [url, str(REQUESTS), str(IN_FLIGHT)]
    began = time.perf_counter()
    try:
        yield {
            "own:asyncio": make(folder, "http", "asyncio", items, IN_FLIGHT),
            "own:threading": make(folder, "http", "threading", items, IN_FLIGHT),
            **{peer: [*by_hand, peer, *order] for peer in ("aiohttp", "urllib3", "requests")},
        }
    finally:
        computed = float(server.communicate()[0])
        share = computed / (time.perf_counter() - began)
        print(f"         {share:.0%} of a core was taken by the server: it is not the bottleneck")


FILES, IMAGES, CORES = 1200, 40, 2


@contextmanager
def local(folder: Path, starter: str, items: list[object]) -> Iterator[dict[str, list[str]]]:
    """The same work in our engine, in joblib and in a plain loop."""
    own = make(folder, starter, "multiprocessing", items, CORES, bound="cpu")
    by_hand = [sys.executable, str(PEERS / "same_work.py")]
    order = [str(folder / f"{starter}-multiprocessing"), PACKAGE, str(CORES)]
    commands = {
        "own:multiprocessing": own,
        **{peer: [*by_hand, peer, *order] for peer in ("joblib", "loop")},
    }
    yield commands
    memory = {name: largest_process(command) for name, command in commands.items()}
    print("    MB   " + ", ".join(f"{name} {size:.0f}" for name, size in memory.items()))


def files(folder: Path) -> AbstractContextManager[dict[str, list[str]]]:
    """Hash and parse files that the page cache holds."""
    return local(folder, "files", trees.files(folder / "tree", FILES))


def images(folder: Path) -> AbstractContextManager[dict[str, list[str]]]:
    """Thumbnails of photos."""
    return local(folder, "images", trees.images(folder / "photos", IMAGES))


def largest_process(command: list[str]) -> float:
    """Peak memory, in MB, of the largest of the processes that the command starts."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", LARGEST, *command], capture_output=True, text=True, check=True
    )
    return int(done.stdout.splitlines()[-1]) / 1024


# In a small process of its own, for a child begins with the peak of the one that it comes from.
LARGEST = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)
LOCAL_TARGETS = (
    Target("of joblib", "own:multiprocessing", "joblib", at_most=1.0),
    Target("of a plain loop", "own:multiprocessing", "loop", at_most=0.6),
)
CASES = (
    Case("files", f"{FILES:,} files of 0.1 to 1 MB, hashed and parsed", files, LOCAL_TARGETS),
    Case("images", f"{IMAGES:,} thumbnails", images, LOCAL_TARGETS),
    Case(
        "http",
        f"{REQUESTS:,} requests to a server that takes {DELAY * 1000:g} ms, {IN_FLIGHT} in flight",
        http,
        (
            Target("of aiohttp by hand, asyncio", "own:asyncio", "aiohttp", at_most=1.10),
            Target("of urllib3 by hand, threads", "own:threading", "urllib3", at_most=1.10),
            Target("requests + executor to ours, asyncio", "requests", "own:asyncio", at_least=3),
            Target("requests + executor to ours, threads", "requests", "own:threading", at_least=3),
        ),
    ),
)


class Sample(NamedTuple):
    """One run of a program: seconds from start to exit, and seconds of CPU in it."""

    seconds: float
    cpu: float


def measure(command: list[str]) -> Sample | None:
    """Run it once; None when what it imports is not installed."""
    before, began = os.times(), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds, after = time.perf_counter() - began, os.times()
    if done.returncode:
        if "ModuleNotFoundError" in done.stderr:
            return None
        raise RuntimeError(f"{command[-5:]}: {done.stderr[-2000:]}")
    cpu = after.children_user + after.children_system
    return Sample(seconds, cpu - before.children_user - before.children_system)


def run_case(case: Case, rounds: int) -> bool:
    """Measure, print the table and the targets; tell whether all were met."""
    print(f"\n{case.title}  ({rounds} rounds)")
    samples: dict[str, list[Sample]] = {}
    with tempfile.TemporaryDirectory() as folder, case.prepare(Path(folder)) as commands:
        for _ in range(rounds):
            for name, command in commands.items():
                if (sample := measure(command)) is not None:
                    samples.setdefault(name, []).append(sample)
    medians = {
        name: statistics.median(sample.seconds for sample in group)
        for name, group in samples.items()
    }
    fastest = min(medians.values())
    for name, median in sorted(medians.items(), key=lambda pair: pair[1]):
        seconds, cpu = zip(*samples[name], strict=True)
        spread = (
            f"[{min(seconds):.3f} .. {max(seconds):.3f}]  {statistics.median(cpu):8.3f} s of CPU"
        )
        print(f"  {name:24} {median:8.3f} s  x{median / fastest:6.2f}  {spread}")
    met = [report(target, medians) for target in case.targets]
    return all(met)


def main() -> None:
    """Run the cases that are named, or all."""
    chosen, rounds = pick(__doc__, CASES, rounds=5)
    as_installed()
    print(f"Python {sys.version.split()[0]}")
    run_cases(chosen, lambda case: run_case(case, rounds))


if __name__ == "__main__":
    main()
