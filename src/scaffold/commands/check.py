"""`check`: whether the recorded decision is still right, on this machine and this Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from scaffold import api
from scaffold.changing import record
from scaffold.commands import bench, measure
from scaffold.commands.progress import Progress
from scaffold.core.advice import FORGIVEN_SECONDS
from scaffold.core.domain import Bound, Model, Recommendation, Source, Workload
from scaffold.core.rules import forbidden
from scaffold.measuring import machine
from scaffold.measuring.calibration import BUSY

# The exit code for a pipeline: a decision that flipped is neither an error nor all right.
FLIPPED = 5
# A decision holds while its model takes at most this many times as long as the new advice: two
# measurements of the same function differ by that much on a machine that others use too.
STEADY = 1.5


@dataclass(frozen=True)
class Check:
    """The model in use, the advice when it was chosen, and the advice now."""

    model: Model
    decided: str | None
    chosen_by: str
    advice: Recommendation
    measured: bool
    busy: bool = False

    @property
    def flipped(self) -> bool:
        """Tell whether the advice differs, by more than chance, from what the decision rested on.

        A user who overruled the advice is not told so again: only a change of the advice counts.
        A machine that is too busy to measure flips nothing.
        """
        return not self.busy and not self._holds(self.decided or str(self.model))

    def _holds(self, decided: str) -> bool:
        """Tell whether the model of the decision is the advice, or not much slower than that."""
        chosen = self.advice.estimate(self.advice.model)
        before = next(
            (estimate for estimate in self.advice.estimates if estimate.model == decided), None
        )
        if decided == self.advice.model or chosen is None or before is None:
            return decided == self.advice.model
        # A measured value near a rule's threshold may be above it now and below it the next time.
        off = frozenset() if self.measured else forbidden(self.advice.findings)
        limit = STEADY * (chosen.seconds + FORGIVEN_SECONDS)
        return before.model not in off and before.seconds + FORGIVEN_SECONDS <= limit

    @property
    def exit_code(self) -> int:
        """0 while the decision holds, 5 when it flipped."""
        return FLIPPED if self.flipped else 0


def check(
    place: Path | None, *, remeasure: bool, progress: Progress, items: Path | None = None
) -> Check:
    """Decide again from the record, or from a new measurement of the project's own work.

    The measurement runs the `items`, by default the project's own.

    Raises UsageError when there is no project or its record is damaged.
    """
    project = record.load(place)
    facts = machine.inspect()
    if facts.start_method == "fork" and (known := project.answers.get("start_method")):
        facts = facts._replace(start_method=known)  # its imports rule out fork
    if project.answers.get("switches_gil_on"):
        facts = facts._replace(gil=True)
    work = workload(project.answers)
    busy = False
    if remeasure:
        target, sample = bench.project_target(project.root, items)
        effort = measure.Effort().within(work.rate_per_second, work.max_in_flight)
        measured = measure.measured(target, sample, effort, progress)
        work = measured.workload
        facts = machine.inspect_for(measured.start_method, gil_enabled=measured.gil_enabled)
        busy = measured.busy_fraction > BUSY
    decided = project.answers.get("decision") or {}
    return Check(
        model=project.model,
        decided=decided.get("model"),
        chosen_by=decided.get("chosen_by", "user"),
        advice=api.recommend(work, facts, models=project.starter.models),
        measured=remeasure,
        busy=busy,
    )


def workload(answers: Mapping[str, Any]) -> Workload:
    """Return the workload that a project's answers, which are checked, describe."""
    known = {field.name for field in fields(Workload)} - {"sources", "bound"}
    values = {name: value for name, value in answers.items() if name in known}
    sources = {name: Source(value) for name, value in answers.get("sources", {}).items()}
    return Workload(bound=Bound(answers.get("bound", Bound.IO)), sources=sources, **values)
