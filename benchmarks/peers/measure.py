"""One measurement: measure.py COMPETITOR TASK N WORKERS ITEMS. Light, for its start-up counts."""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])


def main() -> None:
    """Print seconds, of them since the first result and of CPU, and this process's peak in MB."""
    competitor, task, *numbers, kind = sys.argv[1:]
    n, workers = map(int, numbers)
    items = list_items(kind, n)
    tasks = tasks_for(competitor)
    before, began = cpu_seconds(), time.perf_counter()
    first = None
    count = 0
    for _ in compete(competitor, tasks, task, items, n, workers):
        if first is None:
            first = time.perf_counter()
        count += 1
    end = time.perf_counter()
    if count != n:
        raise RuntimeError(f"{count} results of {n}")
    figures = {
        "seconds": end - began,
        "steady": end - (first or end),
        "cpu": cpu_seconds() - before,
        "mb": peak_memory(),
    }
    print(json.dumps(figures))


def tasks_for(competitor: str) -> Any:
    """The module with the tasks, `def` or `async def`."""
    family, name, *variant = competitor.split(":")
    is_async = family == "coroutines" or name == "asyncio" or "async" in variant
    return importlib.import_module("peers.tasks_async" if is_async else "peers.tasks")


def compete(
    competitor: str, tasks: Any, task: str, items: Iterable[Any], n: int, workers: int
) -> Iterator[Any]:
    """The results of FAMILY:NAME, or of own:MODEL[:async|:WORKERS|:file|:journal]."""
    family, name, *variant = competitor.split(":")
    work = getattr(tasks, task, None)
    if family == "own":
        from peers import own

        workers = next(map(int, filter(str.isdigit, variant)), workers)
        journal = {"file": False, "journal": True}.get(variant[-1]) if variant else None
        return own.run(name, work, items, workers, journal)
    peer = getattr(importlib.import_module(f"peers.{family}"), name)
    if variant:  # another task instead
        work = getattr(tasks, variant[0])
    more = () if family == "processes" else (workers,)
    return peer(work, items, n, *more)  # type: ignore[no-any-return]


def list_items(kind: str, n: int) -> Iterable[Any]:
    """The input: numbers, 100 KB each, or small dicts as from JSON Lines."""
    if kind == "bytes":
        block = os.urandom(99_992)
        return (block + number.to_bytes(8, "big") for number in range(n))
    if kind == "dicts":
        return ({"id": number} for number in range(n))
    return range(n)


def cpu_seconds() -> float:
    """Of this process and of those that it started and waited for."""
    return sum(os.times()[:4])


def peak_memory() -> float:
    """Of this process, in MB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
