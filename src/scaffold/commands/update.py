"""`update`: the same answers, with this concgen's templates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scaffold.changing import record
from scaffold.changing.plan import Plan
from scaffold.changing.policy import Policy
from scaffold.changing.record import Record
from scaffold.changing.tree import Files
from scaffold.commands import change
from scaffold.commands.change import Prepared
from scaffold.core.texts import LISTED
from scaffold.making import inventory
from scaffold.making.project import PRISTINE

COMMAND = "update"


def prepare(place: Path | None, *, force: bool = False) -> Prepared:
    """Plan the update of the project at `place` (None: here) to this concgen. Writes nothing.

    Every answer is kept; a question that is new takes its default. Raises what `record.load`
    raises.
    """
    known = record.load(place)
    change.refuse_renamed(known)
    now = inventory.version()
    rendering = change.render({**known.answers, "concgen_version": now})
    if known.pristine.items() == {*rendering.items()} - {(PRISTINE, rendering[PRISTINE])}:
        return Prepared(known.root, Plan(COMMAND, known.version, now, ()))
    rules = Policy(f"concgen {now}", known.package, replace=False, force=force)
    changes = change.changes(known, rendering, rules)
    notes = [*change.git_note(known.root), *_new_questions(known, rendering)]
    plan = Plan(COMMAND, known.version, now, changes, tuple(notes))
    return change.prepared(known, plan, again="concgen update")


def _new_questions(known: Record, rendering: Files) -> list[str]:
    answers: dict[str, Any] = json.loads(rendering[record.ANSWERS])["answers"]
    fresh = {name: value for name, value in answers.items() if name not in known.answers}
    if len(fresh) > LISTED:
        return [f"{len(fresh)} new questions took their defaults, which are in {record.ANSWERS}"]
    return [
        f"new question {name}: took its default, {json.dumps(value)}"
        for name, value in fresh.items()
    ]
