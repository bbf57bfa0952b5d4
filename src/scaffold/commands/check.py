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
from scaffold.core.domain import Bound, Model, Recommendation, Source, Workload
from scaffold.measuring import machine

# `check` in a pipeline: a decision that flipped is neither an error nor all right.
FLIPPED = 5


@dataclass(frozen=True)
class Check:
    """The model in use, what the advice was then, and what it is now."""

    model: Model
    decided: str | None
    chosen_by: str
    advice: Recommendation
    measured: bool

    @property
    def flipped(self) -> bool:
        """Tell whether the advice differs from what the decision rested on.

        A user who overruled the advice is not told so again: only a change of the advice counts.
        """
        return str(self.advice.model) != (self.decided or str(self.model))

    @property
    def exit_code(self) -> int:
        """0 while the decision holds, 5 when it flipped."""
        return FLIPPED if self.flipped else 0


def check(place: Path | None, *, remeasure: bool, progress: Progress) -> Check:
    """Decide again from the record, or from a new measurement of the project's own work.

    Raises UsageError when there is no project or its record is damaged.
    """
    found = record.load(place)
    facts = machine.inspect()
    work = workload(found.answers)
    if remeasure:
        target, items = measure.prepare(*bench.project_target(found.root))
        taken = measure.measured(target, items, measure.Effort(), progress)
        work, facts = taken.workload, facts._replace(start_method=taken.start_method)
    decided = found.answers.get("decision") or {}
    return Check(
        model=found.model,
        decided=decided.get("model"),
        chosen_by=decided.get("chosen_by", "user"),
        advice=api.recommend(work, facts, models=found.starter.models),
        measured=remeasure,
    )


def workload(answers: Mapping[str, Any]) -> Workload:
    """Return the workload that a project's answers, which are checked, describe."""
    known = {field.name for field in fields(Workload)} - {"sources", "bound"}
    given = {name: value for name, value in answers.items() if name in known}
    sources = {name: Source(value) for name, value in answers.get("sources", {}).items()}
    return Workload(bound=Bound(answers.get("bound", Bound.IO)), sources=sources, **given)
