"""Kill workers 200 times in one run, and the parent 100 times in another; count what is in the end.

    python benchmarks/engines_faults.py [--workers 200] [--parents 100] [MODEL ...]

Prints, for each model, how many tasks are in the results once, missing, or twice, how many lines
that were there at a kill are not there in the end, and what the kills cost: calls of work() beyond
one for each task, of those that were running and those whose outcome was not yet written.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from pathlib import Path

import psutil
from common import assemble, start

TASKS = 20_000
WORK = """
import os, time
calls = os.open("calls", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def work(item):
    os.write(calls, b".")
    time.sleep(0.002)
    return item
"""
MODELS = ("multiprocessing", "hybrid")


def ids(root: Path) -> list[int]:
    """Of all whole lines of the results."""
    path = root / "results.jsonl"
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    return [int(json.loads(line)["id"]) for line in lines if line.endswith(b"\n")]


def verdict(root: Path, acknowledged: set[int]) -> str:
    """Once, missing, twice, lost, and run again."""
    written = ids(root)
    once = set(written)
    again = (root / "calls").stat().st_size - TASKS
    return (
        f"{len(once):,} of {TASKS:,} in the results, {len(written) - len(once)} twice, "
        f"{len(acknowledged - once)} acknowledged ones lost, {again} calls made again"
    )


def kill_workers(model: str, root: Path, kills: int) -> str:
    """SIGKILL workers at random moments of one run."""
    items = "".join(f"{number}\n" for number in range(TASKS))
    assemble(model, root, WORK, items)
    process = start(root, "run", "--max-workers", "4")
    done = 0
    while done < kills and process.poll() is None:
        time.sleep(random.uniform(0, 0.06))
        try:
            workers = psutil.Process(process.pid).children()
        except psutil.NoSuchProcess:
            break
        if workers:
            random.choice(workers).kill()
            done += 1
    process.communicate()
    return f"{done} workers killed, exit {process.returncode}: {verdict(root, set())}"


def kill_parents(model: str, root: Path, kills: int) -> str:
    """SIGKILL the parent at random moments, and run again, until nobody kills it."""
    items = "".join(f"{number}\n" for number in range(TASKS))
    assemble(model, root, WORK, items)
    acknowledged: set[int] = set()
    orphans = done = 0
    for _ in range(kills):
        process = start(root, "run", "--max-workers", "4")
        time.sleep(random.uniform(0.05, 0.35))
        try:
            children = psutil.Process(process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            children = []
        done += process.poll() is None
        process.kill()
        process.communicate()
        acknowledged |= set(ids(root))
        orphans += len(psutil.wait_procs(children, timeout=2)[1])
    final = start(root, "run", "--max-workers", "4")
    final.communicate()
    text = verdict(root, acknowledged)
    return (
        f"parent killed {done} times, exit {final.returncode}: {text}, {orphans} orphans after 2 s"
    )


def main() -> None:
    """Both, for each model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="*", default=MODELS, metavar="MODEL")
    parser.add_argument("--workers", type=int, default=200)
    parser.add_argument("--parents", type=int, default=100)
    args = parser.parse_args()
    for model in args.models:
        for name, fault, count in (
            ("workers", kill_workers, args.workers),
            ("parents", kill_parents, args.parents),
        ):
            if count and not (name == "workers" and model not in MODELS):
                with tempfile.TemporaryDirectory() as folder:
                    print(f"{model:16} {fault(model, Path(folder), count)}", flush=True)


if __name__ == "__main__":
    main()
