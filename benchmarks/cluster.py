"""The dask engine beside Dask's own ways, on one cluster on this machine, and under fire.

    python benchmarks/cluster.py [noop] [cpu] [start] [memory] [kills] [-r ROUNDS]

noop: what an item costs that does nothing, against Client.map and single submissions. cpu: tasks of
5 ms against two processes that do half each and talk to nobody. start: from nothing to the end of
one task, with a cluster of its own. memory: of the processes of such a cluster. kills: workers
killed 20 times in one run. The competitors take turns; times are medians, on a cluster that is
there already.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from common import as_installed, assemble
from common import start as start_project

WORKERS = 2
MANY = 100_000  # no-ops through the engine
FEWER = 5_000  # through Client.map, and a tenth of that singly: each costs a hundred times as much
COMPUTING = 2_000  # tasks of 5 ms
KILLS = 20
SLOW = "import time\ndef work(item):\n    time.sleep(0.01)\n    return item\n"
SLOW_TASKS = 6_000


@contextmanager
def cluster() -> Iterator[Any]:
    """A client of two processes on this machine."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=":0") as local,
        Client(local, set_as_default=False) as client,
    ):
        yield client


def engine(root: Path, name: str, function: str) -> Any:
    """Assemble a package whose work is that function of peers/tasks.py; return run(client, n)."""
    assemble("dask", root, f"from peers.tasks import {function} as work\n", package=name)
    module, backlog, job, work = (
        importlib.import_module(f"{name}.{part}")
        for part in ("runner.engine", "runner.backlog", "runner.job", "work")
    )

    def run(client: Any, n: int) -> None:
        todo = backlog.Backlog(enumerate(range(n)), WORKERS)
        bursts = module.run(job.Job(work.work), todo, scheduler=client.scheduler.address)
        if sum(len(burst) for burst in bursts) != n:
            raise RuntimeError("outcomes are missing")

    return run


def mapped(client: Any, n: int) -> None:
    """Client.map, and all results."""
    from peers.tasks import noop

    client.gather(client.map(noop, range(n), pure=False))


def singly(client: Any, n: int) -> None:
    """One submission after the other."""
    from peers.tasks import noop

    for number in range(n):
        client.submit(noop, number, pure=False).result()


def halves(client: Any, n: int) -> None:
    """Two processes that do half each: what this machine can do."""
    from peers.processes import two_halves
    from peers.tasks import compute

    list(two_halves(compute, range(n), n))


def seconds(run: Callable[[Any, int], None], client: Any, n: int) -> float:
    """How long one run takes."""
    began = time.perf_counter()
    run(client, n)
    return time.perf_counter() - began


def compare(
    client: Any, rounds: int, competitors: dict[str, tuple[Callable[[Any, int], None], int]]
) -> dict[str, float]:
    """Median seconds an item of each competitor, all of them in turn."""
    times_of: dict[str, list[float]] = {name: [] for name in competitors}
    for _ in range(rounds):
        for name, (run, n) in competitors.items():
            times_of[name].append(seconds(run, client, n) / n)
    return {name: statistics.median(times) for name, times in times_of.items()}


def noop(root: Path, rounds: int) -> None:
    """Print what an item costs that does nothing."""
    run = engine(root, "bench_noop", "noop")
    with cluster() as client:
        run(client, MANY // 10)
        costs = compare(
            client,
            rounds,
            {"engine": (run, MANY), "Client.map": (mapped, FEWER), "submit": (singly, FEWER // 10)},
        )
    for name, cost in costs.items():
        print(f"noop   {name:12} {1e6 * cost:10,.1f} us an item {cost / costs['engine']:8.1f}")


def cpu(root: Path, rounds: int) -> None:
    """Print what computing takes, to the ideal."""
    run = engine(root, "bench_cpu", "compute")
    with cluster() as client:
        run(client, COMPUTING // 10)
        costs = compare(client, rounds, {"engine": (run, COMPUTING), "ideal": (halves, COMPUTING)})
    print(f"cpu    engine, to two processes alone: {costs['engine'] / costs['ideal']:.3f}")


def start(root: Path, rounds: int) -> None:
    """Print the seconds of a command that runs one task on a cluster of its own."""
    assemble("dask", root / "start", SLOW, "1\n")
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        start_project(root / "start", "run", "--fresh", "--max-workers", str(WORKERS)).communicate()
        times.append(time.perf_counter() - began)
    print(f"start  one task, whole command: {statistics.median(times):.2f} s")


def memory(root: Path, rounds: int) -> None:
    """Print the resident memory of the parent and of a worker, in the middle of a run."""
    items = "".join(f"{number}\n" for number in range(SLOW_TASKS))
    folder = root / "memory"
    assemble("dask", folder, SLOW, items)
    process = start_project(folder, "run", "--max-workers", str(WORKERS))
    results = folder / "results.jsonl"
    while not (results.exists() and results.stat().st_size > 10_000):
        time.sleep(0.1)
    parent = psutil.Process(process.pid)
    workers = [worker.memory_info().rss for worker in workers_of(parent)]
    print(f"memory parent {parent.memory_info().rss / 1e6:.0f} MB, worker {max(workers) / 1e6:.0f}")
    process.terminate()
    process.communicate()


def kills(root: Path, rounds: int) -> None:
    """Print what is in the results of a run whose workers were killed again and again."""
    items = "".join(f"{number}\n" for number in range(SLOW_TASKS))
    folder = root / "kills"
    assemble("dask", folder, SLOW, items)
    process = start_project(folder, "run", "--max-workers", str(WORKERS))
    parent, killed = psutil.Process(process.pid), 0
    while killed < KILLS and process.poll() is None:
        time.sleep(random.uniform(0.5, 1.5))
        if workers := workers_of(parent):
            random.choice(workers).kill()
            killed += 1
    process.communicate()
    records = [json.loads(line) for line in (folder / "results.jsonl").open()]
    once = {record["id"] for record in records}
    print(
        f"kills  {killed} workers killed, exit {process.returncode}: {len(once):,} of"
        f" {SLOW_TASKS:,} in the results, {len(records) - len(once)} twice,"
        f" {sum(not record['ok'] for record in records)} failed"
    )


def workers_of(parent: psutil.Process) -> list[psutil.Process]:
    """The worker processes of an embedded cluster."""
    try:
        return [child for child in parent.children() if "spawn_main" in " ".join(child.cmdline())]
    except psutil.NoSuchProcess:
        return []


CASES = {"noop": noop, "cpu": cpu, "start": start, "memory": memory, "kills": kills}


def main() -> None:
    """Run the cases that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("-r", "--rounds", type=int, default=5)
    args = parser.parse_args()
    as_installed()
    for name in args.cases or CASES:
        with tempfile.TemporaryDirectory() as folder:
            sys.path.insert(0, folder)
            CASES[name](Path(folder), args.rounds)


if __name__ == "__main__":
    main()
