"""Run the very engines that projects get, without making a project.

A laboratory is a temporary package that holds the runner and every engine, as copied from the
templates. A trial runs one engine on one function in a process of its own (`trial`).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from scaffold.asking.target import Target
from scaffold.core.domain import Model
from scaffold.core.errors import UsageError
from scaffold.core.observed import Measurement
from scaffold.making.interrupt import guarded
from scaffold.making.inventory import assemble, available_models
from scaffold.measuring.child import run_child

PACKAGE = "concgen_lab"
# Seconds beyond its limit that a trial gets to stop its workers and to report.
GRACE = 8.0
_ALONE = "`concgen measure` looks at the function alone"


class Trial(NamedTuple):
    """One run of an engine: `max_workers` of `model` on `target`.

    `items` is {"file": path} or {"values": [...], "repeat": n}. The first `keep` values come back.
    """

    target: Target
    model: Model
    max_workers: int
    items: Mapping[str, Any]
    start_method: str | None = None
    keep: int = 0


@dataclass(frozen=True)
class Laboratory:
    """A directory that holds the package of engines."""

    folder: Path

    def run(
        self, trial: Trial, seconds: float, watch: Callable[[float, int], None] = lambda *_: None
    ) -> Measurement:
        """Run a trial for at most `seconds`; return what was measured.

        `watch` is told every now and then for how many seconds it has run, and the items done.
        Raises UsageError when the run could not go on at all.
        """
        return self.run_all([trial], seconds, watch)[0]

    def run_all(
        self,
        trials: Sequence[Trial],
        seconds: float,
        watch: Callable[[float, int], None] = lambda *_: None,
    ) -> list[Measurement]:
        """Run the trials one after the other in one process, each for at most `seconds`."""
        facts, ended = run_child(
            "scaffold.measuring.trial",
            {"folder": str(self.folder), "runs": [_request(trial, seconds) for trial in trials]},
            len(trials) * seconds + GRACE,
            lambda elapsed, so_far: watch(elapsed, so_far.get("so_far", 0)),
            trials[0].target.python,
        )
        results = facts.get("results", [])
        if len(results) < len(trials):
            model = trials[len(results)].model
            if "refused" in facts:
                raise UsageError(f"{model}: {facts['refused']}", hint=_ALONE)
            raise UsageError(f"{model}: the run did not end by itself ({ended})", hint=_ALONE)
        return [
            Measurement(model=trial.model, max_workers=trial.max_workers, **result)
            for trial, result in zip(trials, results, strict=True)
        ]

    def pilot(
        self, trials: Sequence[Trial], tasks: int, items: Sequence[Any], seconds: float
    ) -> list[float | None]:
        """Try engines in turn for `seconds` in all, on these items, each item at most once.

        Returns for each engine the seconds from one result to the next, None if that is not known.
        `tasks` is the number of tasks in a whole run.
        """
        runs = [{**_request(trial, seconds), "tasks": tasks} for trial in trials]
        order = {
            "folder": str(self.folder),
            "runs": runs,
            "items": list(items),
            "until": time.time() + seconds,
        }
        python = trials[0].target.python
        facts, _ = run_child("scaffold.measuring.pilot", order, seconds + GRACE, python=python)
        seconds_each: list[float | None] = facts.get("each", [None] * len(trials))
        return seconds_each


def _request(trial: Trial, seconds: float) -> dict[str, Any]:
    return {
        "engine": f"{PACKAGE}.runner.{trial.model}_engine",
        **trial.target.place,
        "max_workers": trial.max_workers,
        "items": dict(trial.items),
        "seconds": seconds,
        "keep": trial.keep,
        "options": {"start_method": trial.start_method} if trial.start_method else {},
    }


@contextmanager
def laboratory() -> Iterator[Laboratory]:
    """Assemble a laboratory, and remove it at the end."""
    with (
        guarded() as guard,
        tempfile.TemporaryDirectory(prefix="concgen-lab-") as name,
        guard.open(),
    ):
        folder = Path(name)
        for model in available_models():
            empty = dict.fromkeys(("__init__.py", "settings.py"), "")
            assemble(folder / PACKAGE, model, empty, f"{model}_engine")
        yield Laboratory(folder)
