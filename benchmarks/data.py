"""What data costs: reading tables, writing results, telling of failures, joining at the end.

    python benchmarks/data.py              all of it: some minutes
    python benchmarks/data.py 20           a twentieth of the items

The modules of a project, in this process, without work() and engine: medians of ROUNDS.
"""

from __future__ import annotations

import csv
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from common import assemble, read_count

ROUNDS = 3
READ = 1_000_000  # rows
WRITTEN = 1_000_000  # results
FAILURES = 100_000
WORK = """
def price(item):
    raise ValueError(item)

def work(item):
    return price(item)
"""


def median(run: Callable[[], Any]) -> float:
    """Seconds of the processor that a run takes: others may be busy."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        run()
        times.append(time.process_time() - began)
    return statistics.median(times)


def main() -> None:
    """Print a line for each."""
    share = read_count(__doc__, "share", 1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        assemble("sequential", folder, WORK, package="measured")
        sys.path.insert(0, name)
        lines, table = reading(folder, READ // share)
        print(f"reading {READ // share:,} rows: JSONL {lines:.2f} s, CSV {table:.2f} s")
        cost = journal(folder, WRITTEN // share)
        print(f"journal: {cost * 1e6:.2f} us a task (at most 1.2)")
        seconds, peak = export(folder, WRITTEN // share)
        print(f"export of {WRITTEN // share:,}: {seconds:.1f} s, {peak / 1e6:.0f} MB at most")
        bare, traced = failures(folder, FAILURES // share)
        print(f"{FAILURES // share:,} failures: {traced / bare:.2f} of the time without tracebacks")


def reading(folder: Path, rows: int) -> tuple[float, float]:
    """Seconds to read the same rows as JSON Lines and as CSV."""
    from measured.runner.items import Items

    jsonl, table = folder / "rows.jsonl", folder / "rows.csv"
    with jsonl.open("w") as jsonl_file, table.open("w", newline="") as table_file:
        writer = csv.writer(table_file)
        writer.writerow(["id", "url", "note"])
        for number in range(rows):
            row = {"id": str(number), "url": f"http://host/{number}", "note": "some, text"}
            jsonl_file.write(json.dumps(row) + "\n")
            writer.writerow(row.values())

    def read(path: Path) -> None:
        with closing(Items(str(path))) as items:
            for _ in items.pending():
                pass

    return median(lambda: read(jsonl)), median(lambda: read(table))


def journal(folder: Path, tasks: int) -> float:
    """Seconds that a task costs: its digest and its line."""
    from measured.runner.items import Items
    from measured.runner.results import Journal
    from measured.runner.task import quick_outcome

    source = folder / "numbers.jsonl"
    source.write_text("".join(f"{n}\n" for n in range(tasks)))

    def write() -> None:
        for old in folder.glob("out.jsonl*"):
            old.unlink()
        with (
            closing(Items(str(source))) as items,
            closing(Journal(str(folder / "out.jsonl"))) as out,
        ):
            burst = []
            for position, item in items.pending(out):
                burst.append(quick_outcome(position, item, item, 0.001, 1))
                if len(burst) == 1000:
                    out.write(burst, items.keys)
                    burst = []
            out.write(burst, items.keys)

    def read() -> None:
        with closing(Items(str(source))) as items:
            burst = []
            for position, item in items.pending():
                burst.append(quick_outcome(position, item, item, 0.001, 1))
                if len(burst) == 1000:
                    burst = []

    return (median(write) - median(read)) / tasks


def export(folder: Path, tasks: int) -> tuple[float, int]:
    """Seconds to export what journal() has written, and the peak of this process in bytes."""
    from measured.runner.export import Export, Snapshot
    from measured.runner.items import Items

    began = time.process_time()
    with (
        closing(Items(str(folder / "numbers.jsonl"))) as items,
        closing(Snapshot(str(folder / "out.jsonl"))) as snapshot,
    ):
        rows = Export(snapshot, items)
        rows.write(str(folder / "out.csv"))
    if rows.count != tasks:
        sys.exit(f"{rows.count} rows of {tasks}")
    return time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def failures(folder: Path, tasks: int) -> tuple[float, float]:
    """Seconds to run so many tasks that fail and write them down, without and with tracebacks."""
    from measured.runner import engine
    from measured.runner.backlog import Backlog
    from measured.runner.failures import NO_TRACE, ErrorText
    from measured.runner.items import Items
    from measured.runner.job import Job
    from measured.runner.results import Journal
    from measured.work import work

    source = folder / "failing.jsonl"
    source.write_text("".join(f"{n}\n" for n in range(tasks)))

    def run() -> None:
        for old in folder.glob("failed.jsonl*"):
            old.unlink()
        place = str(folder / "failed.jsonl")
        with closing(Items(str(source))) as items, closing(Journal(place)) as out:
            for burst in engine.run(Job(work), Backlog(items.pending(out), 1)):
                out.write(burst, items.keys)

    with_tracebacks = median(run)
    original, ErrorText._traced = ErrorText._traced, lambda _: NO_TRACE
    try:
        return median(run), with_tracebacks
    finally:
        ErrorText._traced = original


if __name__ == "__main__":
    main()
