"""Engines run on one function and its items, at several settings, as often as it takes."""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from scaffold.asking.target import Target
from scaffold.core.domain import Model
from scaffold.measuring.lab import Laboratory, Trial

FORGIVEN = 0.05  # seconds that nobody misses
LIMIT = 2.5  # seconds for one run; what takes longer is extrapolated, and is not the best anyway
SHORT = 0.15  # seconds: shorter runs are repeated at once
RUNS = 3  # of what is short, chosen or may be the best: the median counts
CLOSE = 1.3  # times the best: such choices may be the best
BUSY = 0.1  # of one core: what others may take of a run that counts as quiet
TRIES = 3  # at a quiet run

Choice = tuple[Model, int]


class Trials:
    """Runs choices on one function and remembers."""

    def __init__(self, lab: Laboratory, target: Target, tasks: int, file: Path) -> None:
        self._lab, self._target, self._tasks, self._file = lab, target, tasks, file
        self._runs: dict[Choice, list[float]] = {}

    def run(self, chosen: Iterable[Choice], others: Iterable[Choice]) -> None:
        """Run each, and then again what was chosen, is short or may be the best."""
        sure = {self._capped(choice) for choice in chosen}
        for choice in [*sure, *map(self._capped, others)]:
            if choice not in self._runs:
                self._runs[choice] = [self._once(choice)]
                while self.seconds(choice) < SHORT and len(self._runs[choice]) < RUNS:
                    self._runs[choice].append(self._once(choice))
        limit = CLOSE * (self.seconds(self.best()) + FORGIVEN)
        for _ in range(RUNS - 1):  # in turn, so that a disturbance hits all of them
            for choice, runs in self._runs.items():
                near = self.seconds(choice) + FORGIVEN < limit
                if len(runs) < RUNS and (near or (choice in sure and runs[0] < LIMIT)):
                    runs.append(self._once(choice))

    def seconds(self, choice: Choice) -> float:
        """Return the makespan of all tasks, in seconds."""
        return statistics.median(self._runs[self._capped(choice)])

    def best(self) -> Choice:
        """Return the fastest."""
        return min(self._runs, key=self.seconds)

    def all(self) -> list[tuple[Model, int, float]]:
        """Return every choice with its makespan."""
        return [(*choice, self.seconds(choice)) for choice in self._runs]

    def _capped(self, choice: Choice) -> Choice:
        return choice[0], max(1, min(choice[1], self._tasks))

    def _once(self, choice: Choice) -> float:
        return quietly(lambda: self._engine(choice))

    def _engine(self, choice: Choice) -> float:
        trial = Trial(self._target, *choice, {"file": str(self._file)})
        ran = self._lab.run(trial, LIMIT)
        if ran.failed:
            raise RuntimeError(f"{choice}: {ran.failed} tasks failed, such as {ran.first_error}")
        return ran.seconds if ran.complete else ran.seconds * self._tasks / ran.items


def quietly(run: Callable[[], float]) -> float:
    """Return what `run` measured, again if others had the cores meanwhile: then the least.

    A run that never ended (infinity) is not repeated.
    """
    seconds = []
    for _ in range(TRIES):
        began, elsewhere = time.perf_counter(), _elsewhere()
        seconds.append(run())
        taken_by_others = _elsewhere() - elsewhere
        if seconds[-1] == math.inf or taken_by_others < BUSY * (time.perf_counter() - began):
            return seconds[-1]
    return min(seconds)


def _elsewhere() -> float:
    """Return the CPU seconds that others have taken on this machine; 0 where it does not tell."""
    try:
        user, nice, system, *_ = map(int, Path("/proc/stat").read_text().split()[1:9])
    except OSError:
        return 0.0
    own = os.times()
    return (user + nice + system) / os.sysconf("SC_CLK_TCK") - sum(own[:4])
