"""What following the advice costs, against the best that any model reached, on random workloads.

    python benchmarks/regret.py [COUNT] [SEED] [--save FILE.json]

Draws COUNT workloads (default 60): waiting, computing with and without the GIL, mixed, with
payloads; few and many tasks, tiny and long ones, even and uneven. Runs every model by its real
engine, at several settings and at the recommended ones, and prints the regret

    (time of the recommended + 0.05 s) / (time of the best + 0.05 s)

when the questions are answered, when the function is measured, and for the usual rules. Times are
the makespan of the engine, its workers' start and end included. The costs are calibrated first.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scaffold import machine
from scaffold.advice import recommend
from scaffold.calibrate import calibrate
from scaffold.commands import measure
from scaffold.costs import Costs
from scaffold.domain import Bound, Machine, Model, Workload
from scaffold.inventory import available_models
from scaffold.lab import Laboratory, laboratory
from scaffold.target import Target, read_items

FORGIVEN = 0.05
LIMIT = 12.0  # seconds for one run; what takes longer is extrapolated
SHORT = 0.5  # runs shorter than this are repeated, and the median counts

Choice = tuple[Model, int]


@dataclass(frozen=True)
class Truth:
    """A workload whose properties are known, as they were drawn."""

    kind: str
    tasks: int
    wait: float
    holding: float
    free: float
    payload: int
    is_async: bool
    uneven: bool

    @property
    def seconds(self) -> float:
        """Mean seconds of one task alone."""
        return self.wait + self.holding + self.free

    @property
    def target(self) -> Target:
        """The function that does it."""
        return Target("scaffold.loads", "task_async" if self.is_async else "task", (), None)

    def items(self, source: random.Random) -> list[list[Any]]:
        """Return an item per task; an uneven workload has exponential times of the same mean."""
        half = self.payload // 2
        return [
            [self.wait * scale, self.holding * scale, self.free * scale, half, "x" * half]
            for scale in (source.expovariate(1) if self.uneven else 1.0 for _ in range(self.tasks))
        ]


KINDS = ("wait", "wait async", "holding", "free", "mixed", "mixed async", "mixed free", "payload")


def draw(number: int, source: random.Random) -> Truth:
    """Draw one workload; every kind comes in turn, sizes are log-uniform."""
    kind = KINDS[number % len(KINDS)]
    seconds = 10 ** source.uniform(-3.5, -0.5)
    most = 60.0 if kind.startswith("wait") else 8.0  # seconds of all tasks, one after another
    least = max(2, math.ceil(0.02 / seconds))
    tasks = round(
        math.exp(source.uniform(math.log(least), math.log(max(least + 1, most / seconds))))
    )
    tasks = min(tasks, 20_000)
    computing = {"wait": 0.0, "wait async": 0.0, "holding": 1.0, "free": 1.0, "payload": 1.0}
    share = computing.get(kind, source.uniform(0.2, 0.8))
    held = {"free": 0.0, "mixed free": 0.0}.get(kind, 1.0)
    return Truth(
        kind=kind,
        tasks=tasks,
        wait=seconds * (1 - share),
        holding=seconds * share * held,
        free=seconds * share * (1 - held),
        payload=round(10 ** source.uniform(4, 6)) if kind == "payload" else 100,
        is_async="async" in kind,
        uneven=source.random() < 0.3,
    )


def asked(truth: Truth) -> Workload:
    """Return what a user who knows the work would answer."""
    computing = (truth.holding + truth.free) / truth.seconds
    bound = measure.bound(computing)
    return Workload(
        bound=bound,
        tasks=truth.tasks,
        task_seconds=truth.seconds,
        cpu_fraction={Bound.IO: 0.0, Bound.CPU: 1.0, Bound.MIXED: 0.5}[bound],
        gil_fraction=0.0 if truth.free > truth.holding else 1.0,
        async_client=truth.is_async,
        payload_bytes=truth.payload,
    )


def rivals(truth: Truth, cores: int) -> dict[str, Choice]:
    """Return what the usual rules choose: 32 threads, a process per core, the article's if/else."""
    computing = (truth.holding + truth.free) / truth.seconds > 0.5
    threads, processes = (Model.THREADING, 32), (Model.MULTIPROCESSING, cores)
    waiting = (Model.ASYNCIO, 100) if truth.is_async else threads
    return {
        "always 32 threads": threads,
        "always processes": processes,
        "the article's rule": processes if computing else waiting,
    }


def field(truth: Truth, cores: int) -> set[Choice]:
    """Return the settings at which every model is tried, to find the best."""
    in_flight = [4, 32, 256]
    tried: set[Choice] = {(Model.SEQUENTIAL, 1), (Model.MULTIPROCESSING, cores)}
    tried |= {(Model.THREADING, k) for k in (cores, *in_flight)}
    tried |= {(Model.HYBRID, k) for k in (4, 16, 64)}
    if truth.is_async:
        tried |= {(Model.ASYNCIO, k) for k in (32, 1000)}
    return {(model, min(k, truth.tasks)) for model, k in tried}


class Trials:
    """Runs choices on one workload, each once (a short one three times), and remembers."""

    def __init__(self, lab: Laboratory, truth: Truth, file: Path) -> None:
        self._lab, self._truth, self._file = lab, truth, file
        self.seconds: dict[Choice, float] = {}

    def run(self, choice: Choice) -> float:
        """Return the makespan of all tasks, in seconds."""
        model, workers = choice
        key = model, max(1, min(workers, self._truth.tasks))
        if key not in self.seconds:
            taken = [self._once(key)]
            if taken[0] < SHORT:
                taken += [self._once(key) for _ in range(2)]
            self.seconds[key] = statistics.median(taken)
        return self.seconds[key]

    def _once(self, choice: Choice) -> float:
        ran = self._lab.run(self._truth.target, *choice, {"file": str(self._file)}, LIMIT)
        return ran.seconds if ran.complete else ran.seconds * self._truth.tasks / ran.items


def regret(mine: float, best: float) -> float:
    """Return how much longer, as a ratio, forgiving 0.05 s."""
    return (mine + FORGIVEN) / (best + FORGIVEN)


def examine(
    truth: Truth, lab: Laboratory, source: random.Random, facts: Machine, costs: Costs
) -> dict[str, Any]:
    """Run one workload every way; return the choices, their times and the prediction's error."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "items.jsonl"
        file.write_text("".join(json.dumps(item) + "\n" for item in truth.items(source)))
        trials = Trials(lab, truth, file)
        items = read_items(file)
        models = available_models()
        profile = measure.profile(truth.target, items, 3.0)
        known = measure.workload(profile, items)
        there = facts._replace(start_method=profile.start_method)
        by_answers = recommend(asked(truth), facts, models=models)
        by_measure = recommend(known, there, costs=costs, models=models)
        chosen = {
            "asked": (by_answers.model, by_answers.settings.max_workers),
            "measured": (by_measure.model, by_measure.settings.max_workers),
            **rivals(truth, facts.workers),
        }
        times = {name: trials.run(choice) for name, choice in chosen.items()}
        for choice in field(truth, facts.workers):
            trials.run(choice)
        best = min(trials.seconds, key=lambda choice: trials.seconds[choice])
        predicted = by_measure.estimate(by_measure.model)
        return {
            "truth": asdict(truth),
            "known": {k: v for k, v in asdict(known).items() if k != "sources"},
            "best": [best[0], best[1], trials.seconds[best]],
            "chosen": {name: [*choice, times[name]] for name, choice in chosen.items()},
            "all": [[model, k, seconds] for (model, k), seconds in trials.seconds.items()],
            "error": predicted.seconds / times["measured"] - 1 if predicted else None,
        }


def show(rows: list[dict[str, Any]]) -> None:
    """Print the table of regrets."""
    print(f"\n{len(rows)} workloads; regret: geometric mean, maximum")
    for name in rows[0]["chosen"]:
        values = [regret(row["chosen"][name][2], row["best"][2]) for row in rows]
        mean = math.exp(statistics.mean(map(math.log, values)))
        print(f"  {name:20} {mean:5.2f} {max(values):6.2f}")
    errors = [abs(row["error"]) for row in rows]
    print(f"prediction error of the makespan, measured: median {statistics.median(errors):.0%}")


def main() -> None:
    """Draw, run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=60)
    parser.add_argument("seed", type=int, nargs="?", default=2026)
    parser.add_argument("--save", type=Path)
    args = parser.parse_args()
    source = random.Random(args.seed)
    facts, costs, rows = machine.inspect(), calibrate(), []
    with laboratory() as lab:
        for number in range(args.count):
            truth = draw(number, source)
            row = examine(truth, lab, source, facts, costs)
            rows.append(row)
            ratios = [
                regret(row["chosen"][name][2], row["best"][2]) for name in ("asked", "measured")
            ]
            print(
                f"{number:3} {truth.kind:12} {truth.tasks:6} x {truth.seconds * 1e3:7.2f} ms"
                f"  best {row['best'][0]}:{row['best'][1]} {row['best'][2]:.3f} s"
                f"  asked {':'.join(map(str, row['chosen']['asked'][:2]))} {ratios[0]:.2f}"
                f"  measured {':'.join(map(str, row['chosen']['measured'][:2]))} {ratios[1]:.2f}"
                f"  error {row['error']:+.0%}",
                flush=True,
            )
            if args.save:
                args.save.write_text(json.dumps(rows))
    show(rows)


if __name__ == "__main__":
    sys.exit(main())
