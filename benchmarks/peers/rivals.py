"""What people use in place of advice, each as they would write it, on one function.

    python rivals.py RIVAL MODULE ITEMS.jsonl

prints the seconds from the start of its workers to the last result; importing is not among them.

`blocking-ratio` is the controller of arXiv 2601.10582 as its text describes it: a pool of threads
that grows while the tasks' time is mostly blocked (1 - CPU time / wall time above a threshold), and
does not where it is not. What the text leaves open is decided in its favour: it looks often, it
doubles, and it takes back a growth after which no more tasks were done.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import multiprocessing
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

Work = Callable[[Any], Any]
# Of the controller: blocked share above which it grows, threads at first and at most, seconds
# between two looks.
THRESHOLD, LEAST, MOST, LOOK = 0.3, 4, 64, 0.05
IN_FLIGHT = 100  # of coroutines


def threads(work: Work, items: list[Any], count: int | None) -> None:
    """Map over a ThreadPoolExecutor."""
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(work, items))


def processes(work: Work, items: list[Any]) -> None:
    """Map over a Pool, with its own chunks and start method."""
    with multiprocessing.Pool() as pool:
        pool.map(work, items)


def coroutines(work: Work, items: list[Any]) -> None:
    """Gather under a semaphore."""

    async def all_of_them() -> None:
        limit = asyncio.Semaphore(IN_FLIGHT)

        async def call(item: Any) -> None:
            async with limit:
                await work(item)

        await asyncio.gather(*map(call, items))

    asyncio.run(all_of_them())


def smart(work: Work, items: list[Any]) -> None:
    """Leave it to smart-parallel (PyPI)."""
    from smart_parallel import smart_map

    smart_map(work, items)


class Controller:
    """A pool of threads that grows by the blocking ratio."""

    def __init__(self, work: Work, items: list[Any]) -> None:
        self._work, self._wanted = work, LEAST
        self._todo: SimpleQueue[Any] = SimpleQueue()
        for item in items:
            self._todo.put(item)
        self._lock, self._threads = threading.Lock(), list[threading.Thread]()
        self._cpu = self._wall = 0.0
        self._done = 0

    def run(self) -> None:
        """Until all is done."""
        before, grew = 0, False
        self._fill()
        while not self._todo.empty():
            time.sleep(LOOK)
            with self._lock:
                blocked = 1 - self._cpu / self._wall if self._wall else 0.0
                done, self._done, self._cpu, self._wall = self._done, 0, 0.0, 0.0
            if grew and done < before:
                self._wanted //= 2
                grew = False
            else:
                grew = blocked > THRESHOLD and self._wanted < MOST
                self._wanted = min(MOST, self._wanted * 2) if grew else self._wanted
            before = done
            self._fill()
        for thread in self._threads:
            thread.join()

    def _fill(self) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        for number in range(len(self._threads), self._wanted):
            thread = threading.Thread(target=self._serve, args=(number,))
            thread.start()
            self._threads.append(thread)

    def _serve(self, number: int) -> None:
        while number < self._wanted:
            try:
                item = self._todo.get_nowait()
            except Empty:
                return
            began, cpu = time.perf_counter(), time.thread_time()
            self._work(item)
            wall, cpu = time.perf_counter() - began, time.thread_time() - cpu
            with self._lock:
                self._wall, self._cpu, self._done = (
                    self._wall + wall,
                    self._cpu + cpu,
                    self._done + 1,
                )


RIVALS: dict[str, Callable[[Work, list[Any]], None]] = {
    "32 threads": lambda work, items: threads(work, items, 32),
    "ThreadPoolExecutor": lambda work, items: threads(work, items, None),
    "processes": processes,
    "coroutines": coroutines,
    "smart-parallel": smart,
    "blocking-ratio": lambda work, items: Controller(work, items).run(),
}


def main() -> None:
    """Run one rival."""
    rival, module, file = sys.argv[1:]
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "works"))
    function_module = importlib.import_module(module)
    if rival != "coroutines" and hasattr(function_module, "TWIN"):
        function_module = importlib.import_module(function_module.TWIN)
    items = [json.loads(line) for line in Path(file).read_text().splitlines()]
    began = time.perf_counter()
    RIVALS[rival](function_module.work, items)
    print(time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    main()
