from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from .blank import work
from .common import Report
from .paced import paced

MAX_WORKERS = 32  # threads: a thread that waits for the network lets the others run


def run(items: Iterable[Any], gap: float, report: Report) -> None:
    """Submit a task when another is done: submitting all at once would read the whole file."""
    running: dict[Future[Any], Any] = {}
    with ThreadPoolExecutor(MAX_WORKERS) as pool:
        for item in paced(items, gap):
            running[pool.submit(work, item)] = item
            if len(running) == MAX_WORKERS or any(map(Future.done, running)):
                settle(running, report)
        while running:
            settle(running, report)


def settle(running: dict[Future[Any], Any], report: Report) -> None:
    """Wait until a task is done, and report all that are."""
    for future in wait(running, return_when=FIRST_COMPLETED).done:
        error = future.exception()
        report(running.pop(future), None if error else future.result(), error)
