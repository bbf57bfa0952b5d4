"""What data costs: reading tables, writing results, telling of failures, joining at the end.

    python benchmarks/data.py                    all cases: about twenty minutes
    python benchmarks/data.py journal export     only these; --list names them
    python benchmarks/data.py --share 20         a twentieth of the items

The modules of a project, in this process, without work() and engine; what is compared runs in turn,
and a figure is the median of the rounds. `flat` runs the commands of a project as they are.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from common import Target, assemble, report

ROUNDS = 5
READ = 1_000_000  # rows
WRITTEN = 1_000_000  # results
FAILURES = 100_000
FLAT = 10_000_000  # items
BURST = 1000  # outcomes that are written together
WORK = """
def price(item):
    raise ValueError(item)

def work(item):
    return price(item) if item < 0 else item
"""
# A small process: the peak of its child is not below what it has itself as it starts that.
LAUNCHER = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
Runs = Mapping[str, Callable[[], Any]]


def main() -> None:
    """Print what was measured, case by case, and whether it is as it should be."""
    page = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(description=page)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("-r", "--rounds", type=int, default=ROUNDS)
    parser.add_argument("--share", type=int, default=1, metavar="N", help="1/N of the items")
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    if args.list:
        for name, case in CASES.items():
            print(f"{name:10} {case.__doc__}")
        return
    if unknown := set(args.cases) - set(CASES):
        parser.error(f"no case {', '.join(sorted(unknown))}: there are {', '.join(CASES)}")
    met = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        assemble("sequential", folder, WORK, package="measured")
        sys.path.insert(0, name)
        for picked in args.cases or CASES:
            print(f"{picked}: {CASES[picked].__doc__}", flush=True)
            met &= CASES[picked](folder, args.share, args.rounds)
    sys.exit(not met)


def medians(runs: Runs, rounds: int) -> dict[str, float]:
    """Seconds of the processor that each takes, in turn: others may be busy."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            began = time.process_time()
            run()
            times[name].append(time.process_time() - began)
    figures = {name: statistics.median(seconds) for name, seconds in times.items()}
    for name, seconds in figures.items():
        print(f"         {seconds:8.2f} s  {name}")
    return figures


def reading(folder: Path, share: int, rounds: int) -> bool:
    """A million rows as JSON Lines and as CSV."""
    files = _rows(folder, READ // share)
    figures = medians({name: lambda f=file: _read(f) for name, file in files.items()}, rounds)  # type: ignore[misc]
    return report(Target("CSV against JSON Lines", "CSV", "JSON Lines"), figures)


def looking(folder: Path, share: int, rounds: int) -> bool:
    """The look at a million rows before the first task, against reading them in the run."""
    from measured.runner.results import Journal
    from measured.runner.resume import Resume

    files = _rows(folder, READ // share)

    def look(file: Path) -> None:
        from measured.runner.items import Items

        with (
            closing(Items(str(file), "id")) as items,
            closing(Journal(str(folder / "none.jsonl"))) as out,
            closing(Resume(out, items)),
        ):
            pass

    runs: dict[str, Callable[[], Any]] = {}
    for name, file in files.items():
        runs[f"looking at {name}"] = lambda f=file: look(f)  # type: ignore[misc]
        runs[f"reading {name}"] = lambda f=file: _read(f, "id")  # type: ignore[misc]
    figures = medians(runs, rounds)
    for name in files:
        report(Target(name, f"looking at {name}", f"reading {name}"), figures)
    return True


def journal(folder: Path, share: int, rounds: int) -> bool:
    """A task in the journal: its digest and its line."""
    tasks = WRITTEN // share
    source = _numbers(folder / "numbers.jsonl", tasks)

    def write() -> None:
        _remove(folder, "out.jsonl*")
        _write(source, folder / "out.jsonl")

    figures = medians({"written": write, "read alone": lambda: _write(source, None)}, rounds)
    cost = {"cost": (figures["written"] - figures["read alone"]) / tasks * 1e6}
    return report(Target("us a task", "cost", "", at_most=1.2), cost)


def export(folder: Path, share: int, rounds: int) -> bool:
    """A million items joined with their results, against a loop written by hand."""
    from measured.runner.export import Export, Snapshot
    from measured.runner.items import Items

    source, results = (
        _numbers(folder / "exported.jsonl", WRITTEN // share),
        folder / "results.jsonl",
    )
    _remove(folder, "results.jsonl*")
    _write(source, results)

    def write(kind: str) -> None:
        with closing(Items(str(source))) as items, closing(Snapshot(str(results))) as snapshot:
            rows = Export(snapshot, items)
            rows.write(str(folder / f"out.{kind}"))
        if rows.count != WRITTEN // share:
            sys.exit(f"{rows.count} rows of {WRITTEN // share}")

    def by_hand() -> None:  # which has to hold all results, and to know the columns
        with results.open() as lines:
            found = {result["id"]: result for result in map(json.loads, lines)}
        with source.open() as lines, (folder / "hand.csv").open("w", newline="") as out:
            writer = csv.writer(out)
            for number, line in enumerate(lines):
                writer.writerow([json.loads(line), *found[number].values()])

    runs: dict[str, Callable[[], Any]] = {
        "CSV": lambda: write("csv"),
        "JSON Lines": lambda: write("jsonl"),
        "by hand": by_hand,
    }
    try:
        import pyarrow  # noqa: F401

        runs["Parquet"] = lambda: write("parquet")
    except ImportError:
        print("         no pyarrow: no Parquet")
    figures = medians(runs, rounds)
    for name in runs:
        if name != "by hand":
            report(Target(f"{name} against by hand", name, "by hand"), figures)
    return True


def failures(folder: Path, share: int, rounds: int) -> bool:
    """100,000 tasks that fail, with and without their tracebacks."""
    from measured.runner import engine
    from measured.runner.backlog import Backlog
    from measured.runner.failures import NO_TRACE, ErrorText
    from measured.runner.items import Items
    from measured.runner.job import Job
    from measured.runner.results import Journal
    from measured.work import work

    source = folder / "failing.jsonl"
    source.write_text("".join(f"{-n}\n" for n in range(1, 1 + FAILURES // share)))

    def run() -> None:
        _remove(folder, "failed.jsonl*")
        place = str(folder / "failed.jsonl")
        with closing(Items(str(source))) as items, closing(Journal(place)) as out:
            for burst in engine.run(Job(work), Backlog(items.pending(out), 1)):
                out.write(burst, items.keys)

    def run_bare() -> None:
        traced, ErrorText._traced = ErrorText._traced, lambda _: NO_TRACE
        try:
            run()
        finally:
            ErrorText._traced = traced

    figures = medians({"with": run, "without": run_bare}, rounds)
    return report(Target("of the time without tracebacks", "with", "without", 1.3), figures)


def flat(folder: Path, share: int, _: int) -> bool:
    """The memory of a run and an export of ten million items, against that of a tenth of them."""
    peaks: dict[str, float] = {}
    for count in (FLAT // share // 10, FLAT // share):
        _numbers(folder / "items.jsonl", count)
        _remove(folder, "results.jsonl*")
        for command in (["run", "--quiet"], ["export", "flat.csv"]):
            name = f"{command[0]} of {count:,}"
            peaks[name], seconds = _peak(folder, command)
            print(f"         {seconds:8.1f} s  {peaks[name] / 1e6:6.0f} MB  {name}", flush=True)
    few, many = (f"{count:,}" for count in (FLAT // share // 10, FLAT // share))
    targets = [
        Target(f"of the memory for a tenth: {name}", f"{name} of {many}", f"{name} of {few}", 1.5)
        for name in ("run", "export")
    ]
    met = [report(target, peaks) for target in targets]  # all are told
    return all(met)


def _peak(folder: Path, command: list[str]) -> tuple[float, float]:
    """The most memory that a command of the project takes, in bytes, and its seconds."""
    began = time.perf_counter()
    words = [sys.executable, "-c", LAUNCHER, sys.executable, "-m", "measured", *command]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stderr}")
    unit = 1 if sys.platform == "darwin" else 1024
    return int(done.stdout) * unit, time.perf_counter() - began


def _rows(folder: Path, count: int) -> dict[str, Path]:
    """The same rows in both kinds of files."""
    files = {"JSON Lines": folder / "rows.jsonl", "CSV": folder / "rows.csv"}
    with files["JSON Lines"].open("w") as one, files["CSV"].open("w", newline="") as other:
        writer = csv.writer(other)
        writer.writerow(["id", "url", "note"])
        for number in range(count):
            row = {"id": str(number), "url": f"http://host/{number}", "note": "some, text"}
            one.write(json.dumps(row) + "\n")
            writer.writerow(row.values())
    return files


def _read(file: Path, key: str | None = None) -> None:
    from measured.runner.items import Items

    with closing(Items(str(file), key)) as items:
        for _ in items.pending():
            items.keys.clear()


def _numbers(file: Path, count: int) -> Path:
    with file.open("w") as lines:
        lines.writelines(f"{n}\n" for n in range(count))
    return file


def _write(source: Path, results: Path | None) -> None:
    """Read the items and write a result for each; without `results` only read and make them."""
    from measured.runner.items import Items
    from measured.runner.results import Journal
    from measured.runner.task import quick_outcome

    with closing(Items(str(source))) as items:
        out = Journal(str(results)) if results else None
        burst = []
        for position, item in items.pending(out):
            burst.append(quick_outcome(position, item, item, 0.001, 1))
            if len(burst) == BURST:
                if out:
                    out.write(burst, items.keys)
                burst = []
        if out:
            out.write(burst, items.keys)
            out.close()


def _remove(folder: Path, pattern: str) -> None:
    for left in folder.glob(pattern):
        left.unlink()


CASES = {case.__name__: case for case in (reading, looking, journal, export, failures, flat)}


if __name__ == "__main__":
    main()
