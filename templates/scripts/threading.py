import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from .blank import work
from .common import Results

MAX_WORKERS = 32  # threads: a thread that waits for the network lets the others run


def run(results: Results, gap: float) -> None:
    """Submit a task when another is done: submitting all at once would read the whole file."""
    running: dict[Future[Any], Any] = {}
    with ThreadPoolExecutor(MAX_WORKERS) as pool:
        for item in results.pending():
            running[pool.submit(work, item)] = item
            if len(running) == MAX_WORKERS or any(map(Future.done, running)):
                settle(running, results)
            time.sleep(gap)
        while running:
            settle(running, results)


def settle(running: dict[Future[Any], Any], results: Results) -> None:
    """Wait until a task is done, and report all tasks that are."""
    for future in wait(running, return_when=FIRST_COMPLETED).done:
        error = future.exception()
        results.report(running.pop(future), None if error else future.result(), error)
