"""What following the advice costs on real libraries and servers, against the best of every model.

    python benchmarks/real.py [FUNCTION ...] [--save FILE.jsonl] [--advice] [--list]

For each function of `works`: what concgen measures, predicts and recommends for it, as `recommend
--from` does; the makespan of every model's engine over a sweep of workers; and the same for what
people use in place of advice (`peers/rivals.py`), as they would write it. Prints the regret

    (time of the recommended + 0.05 s) / (time of the best + 0.05 s)

by function, and over all of them: against the best model at its best number of workers, which is
what advice can reach; and against the fastest of all, such as a pool that forks what is imported.
With --save a function is kept as soon as it is done, and is not run again; without any FUNCTION
those that are there already are summed up. --advice only measures and recommends. A function takes
about a minute; a run during which others had the cores is repeated. Beside `concgen[starters]`:

    pip install pandas polars lxml bcrypt onnx onnxruntime threadpoolctl smart-parallel
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import servers
from common import as_installed
from trials import FORGIVEN, RUNS, Choice, Trials, quietly

from scaffold.api import recommend
from scaffold.asking.target import Target
from scaffold.commands import measure
from scaffold.commands.progress import SILENT
from scaffold.core.domain import Model, Recommendation, Source, Workload
from scaffold.core.estimates import makespan, spread
from scaffold.making.inventory import available_models
from scaffold.making.items import Items, read_items
from scaffold.measuring import calibration, machine
from scaffold.measuring.calibrate import calibrate
from scaffold.measuring.lab import Laboratory, laboratory

HERE = Path(__file__).resolve().parent
WORKS = HERE / "works"
# Of those that draw a line between computing and waiting: where it is.
COMPUTES = 0.5
RIVALS = ("32 threads", "ThreadPoolExecutor", "processes", "smart-parallel", "blocking-ratio")
TIMEOUT = 30.0  # seconds for a rival: several times what the slowest function takes
MAKE = (
    "import importlib, json, sys; sys.path.insert(0, sys.argv[1]);"
    "items = importlib.import_module(sys.argv[2]).items(sys.argv[3]);"
    "print(*map(json.dumps, items), sep='\\n')"
)

Row = dict[str, Any]


@dataclass(frozen=True)
class Function:
    """A function of `works`, what it needs, and whether it is one of the paper's seven."""

    name: str
    needs: tuple[str, ...] = ()
    server: str = ""
    is_async: bool = False
    edge: bool = False

    @property
    def target(self) -> Target:
        """The function to import."""
        return Target(self.name, "work", (str(WORKS),), WORKS / f"{self.name}.py")

    def missing(self) -> list[str]:
        """Return what it needs and is not there."""
        absent = [name for name in self.needs if find_spec(name) is None]
        if self.server == "postgres" and servers.postgres_programs() is None:
            absent.append("a PostgreSQL server")
        return absent

    def served(self) -> AbstractContextManager[Mapping[str, str]]:
        """Start its server."""
        if self.server == "http":
            return servers.http()
        return servers.postgres() if self.server else nullcontext({})


FUNCTIONS = (
    Function("thumbnail", ("PIL",)),
    Function("arrays_small", ("numpy",)),
    Function("arrays_large", ("numpy",)),
    Function("products", ("numpy",)),
    Function("products_alone", ("numpy",)),
    Function("frames", ("pandas",)),
    Function("columns", ("polars",)),
    Function("markup", ("lxml",)),
    Function("scans"),
    Function("queries", ("psycopg_pool",), server="postgres"),
    Function("pages", ("jinja2",)),
    Function("patterns"),
    Function("packing"),
    Function("packing_hard"),
    Function("passwords", ("bcrypt",)),
    Function("stretching"),
    Function("programs_wait"),
    Function("programs_compute"),
    Function("fetches", ("urllib3",), server="http"),
    Function("fetches_async", ("aiohttp",), server="http", is_async=True),
    Function("long_tail"),
    Function("orchestration", edge=True),
    Function("vision", ("numpy", "PIL"), edge=True),
    Function("voice", ("numpy",), edge=True),
    Function("sensors", edge=True),
    Function("retrieval", ("numpy",), edge=True),
    Function("language", ("numpy",), edge=True),
    Function("inference", ("onnx", "onnxruntime"), edge=True),
)


def sweep(function: Function, cores: int) -> list[Choice]:
    """Return the settings at which every model is tried, to find the best."""
    tried = [(Model.SEQUENTIAL, 1)]
    tried += [(Model.THREADING, k) for k in sorted({2, cores, 8, 16, 32, 128})]
    tried += [(Model.MULTIPROCESSING, k) for k in sorted({2, cores, 4 * cores})]
    tried += [(Model.HYBRID, k) for k in sorted({2 * cores, 16, 64})]
    return [*tried, *((Model.ASYNCIO, k) for k in (8, 32, 200))] if function.is_async else tried


def advise(function: Function, items: Items) -> tuple[Recommendation, float]:
    """Return what `recommend --from` says, and the seconds that it measured for."""
    began = time.perf_counter()
    measured = measure.measured(function.target, items, measure.Effort(), SILENT)
    seconds = time.perf_counter() - began
    own_machine = machine.inspect()._replace(start_method=measured.start_method)
    return recommend(measured.workload, own_machine, models=available_models()), seconds


@contextmanager
def prepared(function: Function) -> Iterator[Path]:
    """Start what the function needs and make its items; give their file."""
    with function.served() as variables, tempfile.TemporaryDirectory() as folder:
        os.environ.update(variables)
        command = [sys.executable, "-c", MAKE, str(WORKS), function.name, folder]
        maker = subprocess.run(command, check=True, capture_output=True)
        file = Path(folder) / "items.jsonl"
        file.write_bytes(maker.stdout)
        try:
            yield file
        finally:
            for name in variables:
                del os.environ[name]


def examine(function: Function, file: Path, lab: Laboratory) -> Row:
    """Run one function every way; return the choices and their times."""
    items = read_items(file)
    advice, measuring = advise(function, items)
    cores = advice.machine.workers
    chosen = advice.model, advice.settings.max_workers
    trials = Trials(lab, function.target, items.count, file)
    trials.run([chosen], sweep(function, cores))
    costs = calibration.load(advice.machine).costs
    rivals = {name: rival(name, function, file) for name in RIVALS if _there(name)}
    rivals["the article's rule"] = _article(advice, function, file, rivals)
    everything = [(*trials.best(), trials.seconds(trials.best())), *_best_rival(rivals)]
    return {
        "function": function.name,
        "edge": function.edge,
        "tasks": items.count,
        "task_seconds": advice.workload.task_seconds,
        "cpu": advice.workload.cpu_fraction,
        "measuring": measuring,
        "chosen": (*chosen, trials.seconds(chosen)),
        "predicted": [
            (model, workers, makespan(model, workers, advice.workload, advice.machine, costs))
            for model, workers, _ in trials.all()
        ],
        "range": next(
            (estimate.low, estimate.high)
            for estimate in advice.estimates
            if estimate.model is chosen[0]
        ),
        "known": "gains" if advice.workload.thread_gain or advice.workload.process_gain else "",
        "all": trials.all(),
        "best": min(everything, key=lambda choice: choice[2]),
        "rivals": rivals,
    }


def rival(name: str, function: Function, file: Path) -> float:
    """Return the seconds that a rival takes on it; infinite where it fails or hangs, even once."""
    seconds: list[float] = []
    while len(seconds) < RUNS and math.inf not in seconds:
        seconds.append(quietly(lambda: _rival_once(name, function, file)))
    return math.inf if math.inf in seconds else statistics.median(seconds)


def _rival_once(name: str, function: Function, file: Path) -> float:
    script = HERE / "peers" / "rivals.py"
    command = [sys.executable, str(script), name, function.name, str(file)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as ran:
        try:
            return float(ran.communicate(timeout=TIMEOUT)[0].split()[-1])
        except (subprocess.TimeoutExpired, ValueError, IndexError):
            return math.inf
        finally:  # its workers as well: what hangs would disturb the next measurement
            with suppress(ProcessLookupError):
                os.killpg(ran.pid, signal.SIGKILL)


def _article(
    advice: Recommendation, function: Function, file: Path, rivals: Mapping[str, float]
) -> float:
    """Return what its if/else costs: processes for what computes, else coroutines or threads."""
    if advice.workload.cpu_fraction > COMPUTES:
        return rivals["processes"]
    return rival("coroutines", function, file) if function.is_async else rivals["32 threads"]


def _best_rival(rivals: Mapping[str, float]) -> list[tuple[str, int, float]]:
    name = min(rivals, key=lambda name: rivals[name])
    return [(name, 0, rivals[name])]


def _there(name: str) -> bool:
    return name != "smart-parallel" or find_spec("smart_parallel") is not None


def regret(row: Row, seconds: float, *, of_all: bool = False) -> float:
    """Return how much longer than the best so many seconds are, forgiving 0.05 s.

    The best is a model's, or `of_all` perhaps a rival's.
    """
    best = row["best"][2] if of_all else min(ran for *_, ran in row["all"])
    return (seconds + FORGIVEN) / (float(best) + FORGIVEN)


def show_row(row: Row) -> None:
    """Print one function: its best, what was chosen, and every model's best, predicted or not."""
    model, workers, seconds = row["chosen"]
    best = f"{row['best'][0]}:{row['best'][1]} {row['best'][2]:.2f} s"
    print(
        f"{row['function']:16} {row['tasks']:4} x {row['task_seconds'] * 1e3:6.2f} ms"
        f" cpu {row['cpu']:4.2f}  best {best:26} {model}:{workers} {seconds:.2f} s"
        f"  regret {regret(row, seconds):.2f}",
        flush=True,
    )


def show_details(row: Row) -> None:
    """Print every run of a function beside its prediction, and the rivals."""
    for (model, workers, seconds), (*_, predicted) in zip(
        row["all"], row["predicted"], strict=True
    ):
        print(f"    {model:16} {workers:4}  {seconds:7.3f} s  predicted {predicted:7.3f} s")
    for name, seconds in row["rivals"].items():
        print(f"    {name:21}  {seconds:7.3f} s  regret {regret(row, seconds):.2f}")


def show(rows: list[Row]) -> None:
    """Print regrets over all functions, and how good the predictions are."""
    for title, group in (("functions", rows), ("edge profiles", [r for r in rows if r["edge"]])):
        if not group:
            continue
        print(f"\n{len(group)} {title}; regret, geometric mean and maximum:")
        print(f"  {'':20} {'to the best model':>18} {'to the fastest of all':>22}")
        for name in ("concgen", *group[0]["rivals"]):
            ran = [
                (row, seconds)
                for row in group
                if math.isfinite(
                    seconds := row["chosen"][2]
                    if name == "concgen"
                    else row["rivals"].get(name, math.inf)
                )
            ]
            failed = f"  failed {len(group) - len(ran)}" if len(ran) < len(group) else ""
            regrets = [
                [regret(row, seconds, of_all=of_all) for row, seconds in ran]
                for of_all in (False, True)
            ]
            means = [
                f"{statistics.geometric_mean(values):.2f} {max(values):6.2f}" for values in regrets
            ]
            print(f"  {name:20} {means[0]:>18} {means[1]:>22}{failed}")
    errors = [
        abs(predicted / seconds - 1)
        for row in rows
        for (*_, seconds), (*_, predicted) in _pairs(row)
    ]
    of_chosen = [
        abs(dict(_flat(row["predicted"]))[tuple(row["chosen"][:2])] / row["chosen"][2] - 1)
        for row in rows
    ]
    print(
        f"prediction error, median: {statistics.median(errors):.0%} of all runs,"
        f" {statistics.median(of_chosen):.0%} of the chosen;"
        f" measuring took {max(row['measuring'] for row in rows):.1f} s at most"
    )
    show_ranges(rows)


def show_ranges(rows: list[Row]) -> None:
    """Print measured / predicted of every model, and how many lie in the range that is told.

    As it is told now (`core.estimates.SPREAD`), whatever it was when a row was made.
    """
    work = Workload(sources={"task_seconds": Source.MEASURED})
    ratios_of: dict[str, list[float]] = {}
    inside: Counter[str] = Counter()
    for row in rows:
        chosen = tuple(row["chosen"][:2])
        for (model, workers, seconds), (*_, predicted) in _pairs(row):
            groups = [model, "all of them"]
            if (model, workers) == chosen:
                known = "chosen, gains measured" if row.get("known") else "chosen, by shares"
                groups += ["chosen", *([known] if "known" in row else [])]
            low, high = spread(Model(model), work)
            for group in groups:
                ratios_of.setdefault(group, []).append(seconds / predicted)
                inside[group] += low <= seconds / predicted <= high
    print("\nmeasured / predicted: 10 %, median, 90 %, and how many lie in the range that is told")
    for group, ratios in ratios_of.items():
        tenths = statistics.quantiles(ratios, n=10) if len(ratios) > 1 else ratios * 9
        print(
            f"  {group:24} {tenths[0]:5.2f} {tenths[4]:5.2f} {tenths[8]:5.2f}"
            f"  {inside[group]:4} of {len(ratios):4}, {inside[group] / len(ratios):4.0%}"
        )


def _pairs(row: Row) -> Iterator[tuple[Any, Any]]:
    """Yield each choice as it ran, and as it was predicted."""
    yield from zip(row["all"], row["predicted"], strict=True)


def _flat(rows: list[Any]) -> Iterator[tuple[tuple[Any, int], float]]:
    for model, workers, seconds in rows:
        yield (model, workers), seconds


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("functions", nargs="*", metavar="FUNCTION")
    parser.add_argument("--save", type=Path, help="keep each function; go on from what is there")
    parser.add_argument("--advice", action="store_true", help="only measure and recommend")
    parser.add_argument("--details", action="store_true", help="print every run")
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    if args.list:
        print(*(function.name for function in FUNCTIONS), sep="\n")
        return
    as_installed()
    known = {function.name: function for function in FUNCTIONS}
    if unknown := set(args.functions) - known.keys():
        parser.error(f"no function {', '.join(sorted(unknown))}: --list shows them")
    rows: list[Row] = []
    if args.save and args.save.exists():
        rows = [json.loads(line) for line in args.save.read_text().splitlines()]
    done = {row["function"] for row in rows}
    wanted = [known[name] for name in args.functions or known if name not in done]
    own_machine = machine.inspect()
    if wanted and calibration.load(own_machine).day is None:
        calibration.save(calibrate(), own_machine)
    with laboratory() as lab:
        for function in wanted:
            if missing := function.missing():
                print(f"{function.name}: left out, as {', '.join(missing)} is not installed")
                continue
            with prepared(function) as file:
                if args.advice:
                    show_advice(function, *advise(function, read_items(file)))
                    continue
                # As it will be read again: plain lists and texts.
                rows.append(json.loads(json.dumps(examine(function, file, lab))))
            show_row(rows[-1])
            if args.details:
                show_details(rows[-1])
            if args.save:
                with args.save.open("a") as saved:
                    saved.write(json.dumps(rows[-1]) + "\n")
    if rows:
        show(rows)


def _gain(gain: float | None) -> str:
    return "-" if gain is None else f"{gain:.2f}"


def show_advice(function: Function, advice: Recommendation, seconds: float) -> None:
    """Print what was measured and recommended."""
    work = advice.workload
    ranked = "  ".join(
        f"{estimate.model}:{estimate.max_workers} {estimate.seconds:.2f}"
        for estimate in advice.estimates
    )
    print(
        f"{function.name:16} {work.task_seconds * 1e3:6.2f} ms  cpu {work.cpu_fraction:.2f}"
        f"  gil {work.gil_fraction:.2f} ({work.source('gil_fraction')})"
        f"  gains {_gain(work.thread_gain)} {_gain(work.process_gain)}  {advice.model}:"
        f"{advice.settings.max_workers}   [{ranked}]  in {seconds:.1f} s",
        flush=True,
    )


if __name__ == "__main__":
    main()
