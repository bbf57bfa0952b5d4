"""What following the advice costs, against the best that any model reached, on random workloads.

    python benchmarks/regret.py [COUNT] [SEED] [--save FILE.jsonl] [--seconds N]

Draws COUNT workloads (default 60): waiting, computing with and without the GIL, mixed, with
payloads; few and many tasks, tiny and long ones, even and uneven. Runs every model by its real
engine, at several settings and at the recommended ones, and prints the regret

    (time of the recommended + 0.05 s) / (time of the best + 0.05 s)

when the questions are answered, when the function is measured, and for the usual rules. Times are
the makespan of the engine, its workers' start and end included. The costs are calibrated first.

`smart-parallel` (PyPI, if it is installed) takes part by its own smart_map, the ten calls that it
profiles by included; it cannot await, so it gets the blocking twin of a coroutine function.

A workload takes about 12 s of a machine that does nothing else. With --save every workload is kept
as soon as it is done and never run again; --seconds begins no further one after so long. So a long
benchmark fits into several quiet moments.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from common import as_installed
from trials import FORGIVEN, Choice, Trials

from scaffold.asking.target import Target
from scaffold.commands import measure
from scaffold.core.advice import recommend
from scaffold.core.costs import DEFAULT_COSTS, Costs, Start
from scaffold.core.domain import Bound, Machine, Model, Recommendation, Source, Workload
from scaffold.core.estimates import makespan
from scaffold.making.inventory import available_models
from scaffold.making.items import read_items
from scaffold.measuring import machine
from scaffold.measuring.calibrate import calibrate
from scaffold.measuring.lab import Laboratory, laboratory

Row = dict[str, Any]

SMART = """
import json, sys, time
from pathlib import Path
from smart_parallel import smart_map
from scaffold.measuring.loads import task

items = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()]
began = time.perf_counter()
smart_map(task, items)
print(time.perf_counter() - began)
"""


@dataclass(frozen=True)
class Truth:
    """A workload whose properties are known, as they were drawn."""

    kind: str
    tasks: int
    wait: float
    holding: float
    free: float
    grain: int  # bytes that one native call digests without the GIL
    payload: int
    is_async: bool
    uneven: bool

    @property
    def seconds(self) -> float:
        """Mean seconds of one task alone."""
        return self.wait + self.holding + self.free

    @property
    def computing(self) -> float:
        """Share of its time that a task computes."""
        return (self.holding + self.free) / self.seconds

    @property
    def target(self) -> Target:
        """The function that does it."""
        return Target(
            "scaffold.measuring.loads", "task_async" if self.is_async else "task", (), None
        )

    def items(self, source: random.Random) -> Iterator[list[Any]]:
        """Yield an item per task; an uneven workload has exponential times of the same mean."""
        half = self.payload // 2
        for _ in range(self.tasks):
            scale = source.expovariate(1) if self.uneven else 1.0
            times = [seconds * scale for seconds in (self.wait, self.holding, self.free)]
            yield [*times, half, "x" * half, self.grain]


KINDS = ("wait", "wait async", "holding", "free", "mixed", "mixed async", "mixed free", "payload")


def draw(number: int, source: random.Random) -> Truth:
    """Draw one workload; every kind comes in turn, sizes are log-uniform."""
    kind = KINDS[number % len(KINDS)]
    # One native call of the grain takes 0.02 to 2 ms: a task has room for several.
    shortest = -2.5 if "free" in kind else -4.5
    seconds = 10 ** source.uniform(shortest, -0.5)
    most = 20.0 if kind.startswith("wait") else 3.0  # seconds of all tasks, one after another
    least = max(2, math.ceil(0.02 / seconds))
    tasks = round(
        math.exp(source.uniform(math.log(least), math.log(max(least + 1, most / seconds))))
    )
    computing = {"wait": 0.0, "wait async": 0.0, "holding": 1.0, "free": 1.0, "payload": 1.0}
    share = computing.get(kind, source.uniform(0.2, 0.8))
    held = 0.0 if "free" in kind else 1.0
    return Truth(
        kind=kind,
        tasks=min(tasks, 20_000),
        wait=seconds * (1 - share),
        holding=seconds * share * held,
        free=seconds * share * (1 - held),
        grain=2 ** source.randint(15, 21),
        payload=round(10 ** source.uniform(4, 6)) if kind == "payload" else 100,
        is_async="async" in kind,
        uneven=source.random() < 0.3,
    )


def asked(truth: Truth) -> Workload:
    """Return what a user who knows the work would answer."""
    bound = measure.bound(truth.computing)
    return Workload(
        bound=bound,
        tasks=truth.tasks,
        task_seconds=truth.seconds,
        cpu_fraction={Bound.IO: 0.0, Bound.CPU: 1.0, Bound.MIXED: 0.5}[bound],
        gil_fraction=0.0 if truth.free > truth.holding else 1.0,
        async_client=truth.is_async,
        payload_bytes=truth.payload,
        sources={"task_seconds": Source.ASKED},
    )


def rules(truth: Truth, cores: int) -> dict[str, Choice]:
    """Return what the usual rules choose: 32 threads, a process per core, the article's if/else."""
    threads, processes = (Model.THREADING, 32), (Model.MULTIPROCESSING, cores)
    waiting = (Model.ASYNCIO, 100) if truth.is_async else threads
    return {
        "always 32 threads": threads,
        "always processes": processes,
        "the article's rule": processes if truth.computing > 0.5 else waiting,
    }


def field(truth: Truth, cores: int) -> list[Choice]:
    """Return the settings at which every model is tried, to find the best."""
    tried = [(Model.SEQUENTIAL, 1), (Model.MULTIPROCESSING, cores)]
    tried += [(Model.THREADING, k) for k in (cores, 16, 128)]
    tried += [(Model.HYBRID, k) for k in (2 * cores, 32)]
    return [*tried, (Model.ASYNCIO, 1000)] if truth.is_async else tried


def examine(truth: Truth, lab: Laboratory, source: random.Random, basis: Basis) -> Row:
    """Run one workload every way; return the choices and their times."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "items.jsonl"
        file.write_text("".join(json.dumps(item) + "\n" for item in truth.items(source)))
        trials = Trials(lab, truth.target, truth.tasks, file)
        items = read_items(file)
        profile = measure.profile(truth.target, items, measure.Effort(repeat=True))
        known = measure.workload(profile, items)
        target_machine = basis.machine._replace(start_method=profile.start_method)
        chosen = {
            "asked": _choice(recommend(asked(truth), basis.machine, models=available_models())),
            "measured": _choice(
                recommend(known, target_machine, costs=basis.costs, models=available_models())
            ),
            **rules(truth, target_machine.workers),
        }
        trials.run(chosen.values(), field(truth, target_machine.workers))
        times: dict[str, tuple[str, int, float]]
        times = {name: (*choice, trials.seconds(choice)) for name, choice in chosen.items()}
        if find_spec("smart_parallel"):
            times["smart-parallel"] = "its own", 0, _smart(file)
        return {
            "truth": asdict(truth),
            "known": asdict(known),
            "machine": target_machine,
            "costs": basis.costs._asdict(),
            "best": (*trials.best(), trials.seconds(trials.best())),
            "chosen": times,
            "all": trials.all(),
        }


@dataclass(frozen=True)
class Basis:
    """What the measured path predicts from, beside the function."""

    machine: Machine
    costs: Costs


def _choice(advice: Recommendation) -> Choice:
    return advice.model, advice.settings.max_workers


def _smart(file: Path) -> float:
    ran = subprocess.run(
        [sys.executable, "-c", SMART, str(file)], capture_output=True, text=True, check=True
    )
    return float(ran.stdout)


def regret(row: Row, name: str) -> float:
    """Return how much longer than the best the choice of `name` took, forgiving 0.05 s."""
    return float((row["chosen"][name][2] + FORGIVEN) / (row["best"][2] + FORGIVEN))


def ratios(row: Row) -> Iterator[tuple[str, float]]:
    """Yield measured / predicted of every run by its model, and of what was recommended."""
    costs = Costs(**row["costs"])
    costs = costs._replace(starts={name: Start(*start) for name, start in costs.starts.items()})
    known, target_machine = Workload(**row["known"]), Machine(*row["machine"])
    for model, workers, seconds in row["all"]:
        yield model, seconds / makespan(Model(model), workers, known, target_machine, costs)
    model, workers, seconds = row["chosen"]["measured"]
    yield "measured", seconds / makespan(Model(model), workers, known, target_machine, costs)
    model, workers, seconds = row["chosen"]["asked"]
    answers = asked(Truth(**row["truth"]))
    yield "asked", seconds / makespan(Model(model), workers, answers, target_machine, DEFAULT_COSTS)


def show_row(row: Row) -> None:
    """Print one workload, what was chosen for it and the regrets."""
    truth = Truth(**row["truth"])
    best = row["best"]
    chosen = "  ".join(
        f"{name} {row['chosen'][name][0]}:{row['chosen'][name][1]} {regret(row, name):.2f}"
        for name in ("asked", "measured")
    )
    print(
        f"{row['number']:3} {truth.kind:12} {truth.tasks:6} x {truth.seconds * 1e3:7.2f} ms"
        f"  best {best[0]}:{best[1]} {best[2]:.3f} s  {chosen}",
        flush=True,
    )


def show(rows: list[Row]) -> None:
    """Print the regrets, and how good the predictions are with the costs as they are now."""
    print(f"\n{len(rows)} workloads; regret: geometric mean, maximum")
    for name in rows[0]["chosen"]:
        values = [regret(row, name) for row in rows]
        print(f"  {name:20} {statistics.geometric_mean(values):5.2f} {max(values):6.2f}")
    print("makespan, measured / predicted: median, 10 % below, 10 % above; median error of it")
    ratios_of: dict[str, list[float]] = {}
    for row in rows:
        for name, ratio in ratios(row):
            ratios_of.setdefault(name, []).append(ratio)
    for name, values in ratios_of.items():
        tenths = statistics.quantiles(values, n=10)
        error = statistics.median(abs(1 / ratio - 1) for ratio in values)
        print(f"  {name:16} {tenths[4]:5.2f} {tenths[0]:5.2f} {tenths[8]:5.2f}  {error:4.0%}")


def main() -> None:
    """Draw, run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=60)
    parser.add_argument("seed", type=int, nargs="?", default=2026)
    parser.add_argument("--save", type=Path, help="keep each workload; go on from what is there")
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no other after")
    args = parser.parse_args()
    as_installed()
    until = time.monotonic() + args.seconds
    rows: list[Row] = []
    if args.save and args.save.exists():
        rows = [json.loads(line) for line in args.save.read_text().splitlines()]
    missing = sorted(set(range(args.count)) - {row["number"] for row in rows})
    with laboratory() as lab:
        basis = Basis(machine.inspect(), calibrate()) if missing else None
        for number in missing:
            if basis is None or time.monotonic() > until:
                break
            source = random.Random(f"{args.seed}/{number}")
            row = examine(draw(number, source), lab, source, basis)
            # As it will be read again: plain lists and texts.
            text = json.dumps({"seed": args.seed, "number": number, **row})
            rows.append(json.loads(text))
            show_row(rows[-1])
            if args.save:
                with args.save.open("a") as file:
                    file.write(text + "\n")
    show(rows)


if __name__ == "__main__":
    main()
