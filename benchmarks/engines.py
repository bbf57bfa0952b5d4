"""Engines beside their peers: ratios of medians from one run, each against its target.

    python benchmarks/engines.py                  every case, 3 rounds: about ten minutes
    python benchmarks/engines.py cpu noop -r 9    some cases, more rounds
    python benchmarks/engines.py --list           the cases

Competitors take turns, each measurement in a process of its own, so that a slow minute of the
machine hits all of them. Times are inside the process, from before the competitor is imported to
after its last result, start and end of its pool included; the tasks are imported before.
Peers that are not installed are left out: pip install mpire joblib pebble aiometer anyio
"""

from __future__ import annotations

import compileall
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from common import Target, as_installed, assemble, pick, report, run_cases

from scaffold.measuring.machine import gil_enabled

HERE = Path(__file__).resolve().parent

MODELS = ("sequential", "threading", "asyncio", "multiprocessing", "hybrid")
CORES = 2
TASK_SECONDS = 0.005  # what compute() is calibrated to
MOST_TAKEN = 0.05  # share of a core that others may take: more than the narrowest target allows


@dataclass(frozen=True)
class Case:
    """One workload and those who run it. A competitor is family:name, such as threads:executor."""

    name: str
    title: str
    task: str
    n: int
    workers: int
    competitors: tuple[str, ...]
    targets: tuple[Target, ...] = ()
    ideal: float | None = None  # seconds, or None
    items: str = "numbers"
    environment: dict[str, str] = field(default_factory=dict)
    whole_process: bool = False  # measure from start to exit


PROCESS_PEERS = (
    "processes:pool_1", "processes:executor", "processes:mpire", "processes:joblib",
    "processes:pebble",
)  # fmt: skip
OWN_POOL = "own:multiprocessing"


def one_task(method: str) -> Case:
    """The whole life of a program that runs one task."""
    peers = ["processes:pool_1", "processes:executor", "processes:pebble", "processes:mpire"]
    if method == "fork":
        peers.append("processes:joblib")
    return Case(
        f"one-{method}", f"one task, from start to exit, {method}", "noop", 1, 2,
        (OWN_POOL, *peers),
        (Target("to the fastest peer", OWN_POOL, "fastest peer", at_most=1.1),),
        environment={"START_METHOD": method}, whole_process=True,
    )  # fmt: skip


def free_threads() -> Iterator[Case]:
    """Threads that compute in parallel, on a Python where they can."""
    if not gil_enabled():
        yield Case(
            "threads-cpu", "2,000 x 5 ms of pure Python, free threads", "compute", 2000, 2,
            ("own:threading", "threads:executor", "threads:bare", "processes:one_core"),
            (Target("of the ideal (one core / 2)", "one core / 2", "own:threading"),),
        )  # fmt: skip


CASES = (
    Case(
        "cpu", "2,000 x 5 ms of pure Python, processes", "compute", 2000, 2,
        (OWN_POOL, "processes:two_halves", "processes:one_core", *PROCESS_PEERS),
        (
            Target("of the ideal (one core / 2)", "one core / 2", OWN_POOL, at_least=0.98),
            Target("of two processes that do half each", "processes:two_halves", OWN_POOL),
            Target("of the cores' time is busy", f"busy {OWN_POOL}", ""),
            Target("to the fastest peer", OWN_POOL, "fastest peer", at_most=1.0),
        ),
    ),
    Case(
        "mixed", "5 % of the tasks 50 ms, the rest 0.1 ms, processes", "mixed_lengths", 2000, 2,
        (OWN_POOL, *PROCESS_PEERS),
        (Target("of the ideal", OWN_POOL, "ideal", at_most=1.04),),
        ideal=(100 * 0.050 + 1900 * 0.0001) / CORES,
    ),
    Case(
        "noop", "100,000 no-ops, processes", "noop", 100_000, 2,
        (OWN_POOL, "processes:mpire", "processes:joblib", "processes:executor_map_100",
         "processes:pool_100", "processes:pebble_100"),
        (
            Target("of mpire", OWN_POOL, "processes:mpire", at_most=0.25),
            Target("of joblib", OWN_POOL, "processes:joblib", at_most=0.35),
            Target("of ProcessPoolExecutor.map(chunksize=100)", OWN_POOL,
                   "processes:executor_map_100", at_most=0.6),
            Target("us a task, steady", "us a task, steady", "", at_most=1.0),
        ),
    ),
    Case(
        "echo", "2,000 x 100 KB in and out, processes", "noop", 2000, 2,
        (OWN_POOL, "processes:executor", "processes:mpire", "processes:pool_1"),
        (Target("of ProcessPoolExecutor", OWN_POOL, "processes:executor", at_most=0.7),),
        items="bytes",
    ),
    Case(
        "threads-noop", "100,000 no-ops, 32 threads", "noop", 100_000, 32,
        ("own:threading", "threads:executor", "threads:executor_map", "threads:joblib",
         "threads:bare"),
        (Target("of ThreadPoolExecutor with a window", "own:threading", "threads:executor",
                at_most=0.2),),
    ),
    Case(
        "threads-sleep", "2,000 x 10 ms of sleep, 64 threads", "sleep", 2000, 64,
        ("own:threading", "threads:executor", "threads:executor_map", "threads:joblib",
         "threads:bare"),
        (Target("of the ideal", "ideal", "own:threading", at_least=0.93),),
        ideal=2000 * 0.010 / 64,
    ),
    Case(
        "asyncio-noop", "100,000 no-ops, asyncio, 100 in flight", "noop", 100_000, 100,
        ("own:asyncio", "coroutines:semaphore", "coroutines:gather", "coroutines:bare",
         "coroutines:anyio", "coroutines:aiometer"),
        (Target("of semaphore + TaskGroup", "own:asyncio", "coroutines:semaphore", at_most=0.5),),
    ),
    Case(
        "asyncio-1000", "20,000 x 100 ms of await, 1,000 in flight", "sleep", 20_000, 1000,
        ("own:asyncio", "coroutines:semaphore", "coroutines:bare", "coroutines:anyio",
         "coroutines:aiometer"),
        (Target("of the ideal", "ideal", "own:asyncio", at_least=0.97),),
        ideal=20_000 * 0.100 / 1000,
    ),
    Case(
        "asyncio-10000", "20,000 x 100 ms of await, 10,000 in flight", "sleep", 20_000,
        10_000, ("own:asyncio", "coroutines:semaphore", "coroutines:gather", "coroutines:bare"),
        (Target("of bare coroutines on one iterator", "own:asyncio", "coroutines:bare",
                at_most=1.2),),
    ),
    Case(
        "hybrid", "1,000 x (10 ms of waiting + 10 ms of pure Python)", "wait_and_compute", 1000, 16,
        ("own:hybrid", "own:hybrid:async", "own:threading", "own:asyncio",
         "own:multiprocessing:2", "processes:two_crews", "processes:one_core:compute_twice"),
        (
            Target("of the ideal (one core's computing / 2), async def", "one core / 2",
                   "own:hybrid:async", at_least=0.97),
            Target("of the ideal (one core's computing / 2), def", "one core / 2", "own:hybrid",
                   at_least=0.97),
            Target("of two processes with eight threads each, def", "processes:two_crews",
                   "own:hybrid"),
            Target("of the cores' time is busy, async def", "busy own:hybrid:async", ""),
            Target("of the cores' time is busy, def", "busy own:hybrid", ""),
            Target("of the best of the others", "own:hybrid:async", "fastest peer", at_most=0.6),
        ),
    ),
    Case(
        "journal", "100,000 no-ops from an input file, with the journal and without", "noop",
        100_000, 2, ("own:multiprocessing:journal", "own:multiprocessing:file"),
        (Target("us a task for the journal", "us a task, journal", "", at_most=2.5),),
    ),
    *(one_task(method) for method in ("fork", "forkserver", "spawn")),
    *free_threads(),
)  # fmt: skip


def measure(competitor: str, case: Case, loops: int) -> dict[str, float] | None:
    """One measurement in a process of its own; None when the competitor is not installed."""
    environment = os.environ | case.environment | {"LOOPS": str(loops)}
    order = [competitor, case.task, str(case.n), str(case.workers), case.items]
    began = time.perf_counter()
    command = [sys.executable, str(HERE / "peers" / "measure.py"), *order]
    child = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    out, err = child.communicate()  # without a timeout, for that would poll
    elapsed = time.perf_counter() - began
    if child.returncode:
        if "ModuleNotFoundError" in err:
            return None
        raise RuntimeError(f"{competitor}: {err[-2000:]}")
    measured: dict[str, float] = json.loads(out.splitlines()[-1])
    if case.whole_process:
        measured["seconds"] = elapsed
    return measured


def calibrate() -> tuple[int, float]:
    """Rounds of compute() that take TASK_SECONDS of CPU time, and the share that others take.

    In CPU time, because on a busy machine the clock would make the tasks too short.
    """
    from peers import tasks

    rounds = 20_000
    times = []
    began = time.perf_counter()
    for _ in range(15):
        before = time.process_time()
        tasks.compute(0, rounds)
        times.append(time.process_time() - before)
    others = 1 - sum(times) / (time.perf_counter() - began)
    return round(rounds * TASK_SECONDS / statistics.median(times)), others


def warn_if_busy() -> bool:
    """Say so when other programs use this machine: then no ratio means anything."""
    others = calibrate()[1]
    if others > MOST_TAKEN:
        print(f"    BUSY other programs take {others:.0%} of a core: these figures are void")
    return others > MOST_TAKEN


def run_case(case: Case, rounds: int, loops: int) -> bool:
    """Measure, print the table and the targets; tell whether all were met."""
    samples: dict[str, list[dict[str, float]]] = {}
    busy = False
    for _ in range(rounds):
        busy |= warn_if_busy()
        for competitor in case.competitors:
            if (measured := measure(competitor, case, loops)) is not None:
                samples.setdefault(competitor, []).append(measured)
    seconds = {
        name: statistics.median(sample["seconds"] for sample in group)
        for name, group in samples.items()
    }
    own = case.competitors[0]
    print(f"\n{case.title}  ({rounds} rounds)")
    for name, median in sorted(seconds.items(), key=lambda pair: pair[1]):
        values = [sample["seconds"] for sample in samples[name]]
        memory = max(sample["mb"] for sample in samples[name])
        cpu = statistics.median(sample["cpu"] for sample in samples[name])
        print(
            f"  {name:28} {median:8.3f} s  x{median / seconds[own]:6.2f}"
            f"  [{min(values):.3f} .. {max(values):.3f}]  {cpu:7.3f} s of CPU  {memory:5.0f} MB"
        )
    known = dict(seconds)
    peers = [value for name, value in seconds.items() if is_peer(name, case)]
    known["fastest peer"] = min(peers, default=float("nan"))
    for name, median in seconds.items():
        if name.startswith("processes:one_core"):
            known["one core / 2"] = median / CORES
    if case.ideal is not None:
        known["ideal"] = case.ideal
    for name, group in samples.items():
        known[f"busy {name}"] = statistics.median(map(busy_share, group))
    steady = statistics.median(sample["steady"] for sample in samples[own])
    known["us a task, steady"] = steady / case.n * 1e6
    journal = seconds[own] - seconds.get("own:multiprocessing:file", 0)
    known["us a task, journal"] = journal / case.n * 1e6
    met = [report(target, known) for target in case.targets]
    return all(met) and not busy


def busy_share(sample: dict[str, float]) -> float:
    """The share of the cores' time in which they ran something of ours: 1 leaves nothing idle."""
    return sample["cpu"] / CORES / sample["seconds"]


def is_peer(name: str, case: Case) -> bool:
    """Somebody to be faster than."""
    if name.partition(":")[2].startswith(("two_", "one_")):  # they know no faults
        return False
    return not name.startswith("own:hybrid" if case.name == "hybrid" else "own:")


def main() -> None:
    """Run the cases that are named, or all."""
    chosen, rounds = pick(__doc__, CASES, rounds=3)
    as_installed()
    with tempfile.TemporaryDirectory() as folder:
        for model in MODELS:
            assemble(model, Path(folder), "", package=f"{model}_project")
        os.environ["PYTHONPATH"] = folder
        compileall.compile_dir(folder, quiet=1)  # as an installation has it, and the peers have it
        loops, _ = calibrate()
        print(f"Python {sys.version.split()[0]}, {CORES} workers; compute() has {loops:,} rounds")
        run_cases(chosen, lambda case: run_case(case, rounds, loops))


if __name__ == "__main__":
    main()
