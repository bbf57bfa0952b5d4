import os
import signal
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import Any

from .blank import work
from .common import Results

MAX_WORKERS = os.cpu_count() or 1  # processes: each has its own GIL, so they compute at once


def run(results: Results, gap: float) -> None:
    """Submit a task when another is done: submitting all at once would read the whole file."""
    running: dict[Future[Any], Any] = {}
    ignore = signal.SIGINT, signal.SIG_IGN  # the terminal sends Ctrl-C to all: the parent decides
    with ProcessPoolExecutor(MAX_WORKERS, initializer=signal.signal, initargs=ignore) as pool:
        for item in results.pending():
            running[pool.submit(work, item)] = item  # item and value are pickled on their way
            if len(running) == 2 * MAX_WORKERS or any(map(Future.done, running)):
                settle(running, results)
            time.sleep(gap)
        while running:
            settle(running, results)


def settle(running: dict[Future[Any], Any], results: Results) -> None:
    """Wait until a task is done, and report all tasks that are."""
    for future in wait(running, return_when=FIRST_COMPLETED).done:
        error = future.exception()
        results.report(running.pop(future), None if error else future.result(), error)
