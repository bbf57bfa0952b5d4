"""The child process that runs engines of the laboratory, mostly on the user's function.

`child.run_child` calls `main()`, which writes what it measured to the request's `report` file, run
by run. The clock of a run goes from the engine's start to the last outcome, with the start and the
end of all its workers.
"""

from __future__ import annotations

import importlib
import itertools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from scaffold.measuring.describing import describe
from scaffold.measuring.loading import find, setup_of
from scaffold.measuring.parent_death import die_with_parent
from scaffold.measuring.report import Report
from scaffold.measuring.wire import from_text

TELL = 0.2  # seconds between two reports of progress


def main() -> None:
    """Run what stdin asks for."""
    answer(run_all)


def answer(respond: Callable[[dict[str, Any], Report], None]) -> NoReturn:
    """Respond to the request on stdin, and end this process."""
    die_with_parent(int(sys.argv[1]))
    request = from_text(sys.stdin.buffer.read())
    with Path(os.devnull).open("rb") as nothing:  # workers may inherit it
        os.dup2(nothing.fileno(), 0)
    sys.path.insert(0, request["folder"])
    report = Report(request["report"])
    try:
        respond(request, report)
    except Exception as error:
        report.tell(refused=describe(error))
    os._exit(0)  # without waiting for the user's threads and exit functions


def run_all(request: dict[str, Any], report: Report) -> None:
    """Run one engine after the other, all on items of their own."""
    results = []
    for trial in request["runs"]:
        results.append(run(trial, request["folder"], report))
        report.tell(results=results)


def run(request: dict[str, Any], folder: str, report: Report) -> dict[str, Any]:
    """Run an engine until all is done or the seconds are over; return the facts."""
    stop = threading.Event()
    outcomes = bursts(request, folder, _items(request["items"], _package(request)), stop)
    count, failed, first_error = 0, 0, None
    values: list[Any] = []
    began = last_report = time.perf_counter()
    deadline = began + request["seconds"]
    for burst in outcomes:
        count += len(burst)
        for outcome in burst:
            if outcome.error is not None:
                failed += 1
                first_error = first_error or outcome.error
            elif len(values) < request["keep"]:
                values.append(outcome.value)
        now = time.perf_counter()
        if now > deadline:
            stop.set()
        if now - last_report > TELL:
            last_report = now
            report.tell(so_far=count)
    return {
        "seconds": time.perf_counter() - began,
        "items": count,
        "failed": failed,
        "first_error": first_error,
        "complete": not stop.is_set(),
        "began": began,
        "values": values,
    }


def bursts(
    request: dict[str, Any],
    folder: str,
    items: Iterable[tuple[int, Any] | None],
    stop: threading.Event,
) -> Iterator[list[Any]]:
    """Import the function; return the outcomes of the engine, which starts with the first."""
    find(request, folder)
    package = _package(request)
    engine = importlib.import_module(request["engine"])
    if engine.IN_THREADS:  # as the command line of a project does
        machine = importlib.import_module(f"{package}.machine")
        machine.share_cores(request["max_workers"], threads=True)
    module = importlib.import_module(request["module"])
    work: Any = module
    for name in request["function"].split("."):
        work = getattr(work, name)
    job = importlib.import_module(f"{package}.job").Job(work, setup_of(module))
    backlog = importlib.import_module(f"{package}.backlog")
    todo = backlog.Backlog(items, request["max_workers"], stop=stop)
    outcomes: Iterator[list[Any]] = engine.run(job, todo, **request["options"])
    return outcomes


def _package(request: dict[str, Any]) -> str:
    package: str = request["engine"].rpartition(".")[0]
    return package


def _items(source: dict[str, Any], package: str) -> Iterator[tuple[int, Any] | None]:
    if "file" in source:
        items = importlib.import_module(f"{package}.items")
        pending: Iterator[tuple[int, Any] | None]
        pending = items.Items(source["file"]).pending(limit=source.get("limit"))
        return pending
    values = itertools.cycle(source["values"])
    return enumerate(itertools.islice(values, source["repeat"]))
