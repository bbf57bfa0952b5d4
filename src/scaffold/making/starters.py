"""What a project can start from: each starter's own description, `starter.json` in its folder.

`blank` is the default. `yours` is what `--from` makes, and nobody picks it by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from scaffold.core.domain import Bound, Model
from scaffold.core.errors import UsageError
from scaffold.core.texts import read_choice
from scaffold.making.inventory import available_models, templates_dir

DEFAULT = "blank"
YOURS = "yours"


class Starter(NamedTuple):
    """One starter: what it does, where it fits, what it needs.

    `fits` are the kinds of work that it is offered for, `unfit` the models that it cannot run on,
    each with the reason. `forms` maps each form of its work (sync, async, native) to what has to be
    installed for it, `dev` is what its tests need as well, `modules` what it brings besides
    `work.py`. `answers` are those of the interview that follow from choosing it. Only the template
    reads the key `retries`: RETRIES in settings.py, if the errors tell what a retry may mend.
    """

    name: str
    summary: str
    fits: tuple[Bound, ...]
    unfit: Mapping[Model, str]
    forms: Mapping[str, tuple[str, ...]]
    dev: tuple[str, ...]
    modules: tuple[str, ...]
    answers: Mapping[str, str | bool]

    @property
    def models(self) -> tuple[Model, ...]:
        """The models that it runs on, simplest first."""
        return tuple(model for model in available_models() if model not in self.unfit)

    @property
    def packages(self) -> frozenset[str]:
        """The distributions that it needs, in any form, as import names are usually written."""
        needed = [name for form in self.forms.values() for name in form] + list(self.dev)
        return frozenset(requirement_name(need).lower().replace("-", "_") for need in needed)

    def refuse(self, model: Model) -> None:
        """Raise UsageError, with the reason, when it cannot run on `model`."""
        if model in self.unfit:
            raise UsageError(
                f"the starter {self.name} cannot run on {model}: {self.unfit[model]}",
                hint=f"it runs on {', '.join(self.models)}",
            )


@cache
def load(name: str) -> Starter:
    """Return the starter called `name`, which has to be one of `names`, or `yours`."""
    import json  # takes 2 ms, and only a starter needs it

    text = (templates_dir() / "starters" / name / "starter.json").read_text(encoding="utf-8")
    facts = json.loads(text)
    return Starter(
        name=name,
        summary=facts["summary"],
        fits=tuple(Bound(bound) for bound in facts["fits"]),
        unfit={Model(model): reason for model, reason in facts["unfit"].items()},
        forms={form: tuple(needed) for form, needed in facts["forms"].items()},
        dev=tuple(facts["dev"]),
        modules=tuple(facts["modules"]),
        answers=facts["answers"],
    )


def names() -> tuple[str, ...]:
    """Return the starters that can be picked by name: `blank`, then the others by name."""
    folders = (path.parent.name for path in templates_dir().glob("starters/*/starter.json"))
    return (DEFAULT, *sorted(set(folders) - {DEFAULT, YOURS}))


def find(text: str) -> Starter:
    """Return the starter that `text` names; raise UsageError, naming the nearest, if none does."""
    try:
        return load(read_choice(text, list(names())))
    except ValueError as error:
        raise UsageError(f"starter {error}", hint="`concgen starters` describes them") from error


def requirement_name(requirement: str) -> str:
    """Return the distribution that a requirement such as `aiohttp>=3.10,<4` names."""
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0]


def offered(bound: Bound, model: Model) -> tuple[Starter, ...]:
    """Return the starters that fit the kind of work and run on `model`."""
    starters = map(load, names())
    return tuple(
        starter for starter in starters if bound in starter.fits and model not in starter.unfit
    )
