"""`switch`: the same project, with another model."""

from __future__ import annotations

from pathlib import Path

from scaffold.changing import record
from scaffold.changing.plan import Plan
from scaffold.changing.policy import Policy
from scaffold.commands import change
from scaffold.commands.change import Prepared
from scaffold.core.domain import Model
from scaffold.core.errors import UsageError
from scaffold.core.texts import read_choice
from scaffold.making import inventory
from scaffold.making.answers import with_model

COMMAND = "switch"


def read_model(text: str) -> Model:
    """Read the model to switch to; raise UsageError, naming the nearest, for an unknown model."""
    try:
        return Model(read_choice(text, [str(model) for model in inventory.available_models()]))
    except ValueError as error:
        raise UsageError(f"model {error}", hint="`concgen models` compares them") from error


def prepare(place: Path | None, model: Model, *, force: bool = False) -> Prepared:
    """Plan the change of the project at `place` (None: here) to `model`. Writes nothing.

    Raises what `record.load` raises, and UsageError for a model that the project's starter cannot
    run on.
    """
    known = record.load(place)
    change.refuse_renamed(known)
    if model is known.model:
        return Prepared(known.root, Plan(COMMAND, str(model), str(model), ()))
    known.starter.refuse(model)
    now = inventory.version()
    answers = {**with_model(known.answers, model), "concgen_version": now}
    rules = Policy(str(model), known.package, replace=True, force=force)
    changes = change.with_form(known, answers, rules)
    notes = [
        *change.git_note(known.root),
        *change.work_note(known.root, rules.work, model, changes),
    ]
    if known.version != now:
        notes.append(f"this also updates the project from concgen {known.version} to {now}")
    plan = Plan(COMMAND, str(known.model), str(model), changes, tuple(notes))
    return change.prepared(known, plan, again=f"concgen switch {model}")
