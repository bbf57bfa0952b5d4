"""Every starter, made and then run through its own tests, linter and type checker."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from running import call

from scaffold.core.domain import Bound, Model
from scaffold.making import project, starters

PACKAGE = "made"


class Form(NamedTuple):
    """One form of a starter's work, on the model that shows it best."""

    starter: str
    form: str
    model: Model


def _forms() -> list[Form]:
    """Each form of each starter, once."""
    preferred = {
        "sync": (Model.MULTIPROCESSING, Model.HYBRID, Model.THREADING),
        "async": (Model.ASYNCIO,),
        "native": (Model.THREADING,),
    }
    forms = []
    for starter in map(starters.load, starters.names()[1:]):
        waits = Bound.IO in starter.fits
        for form in starter.forms:
            order = (Model.THREADING,) if waits and form == "sync" else preferred[form]
            model = next(model for model in order if model in starter.models)
            forms.append(Form(starter.name, form, model))
    return forms


@pytest.fixture(scope="module", params=_forms(), ids="-".join)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one form of a starter."""
    wanted: Form = request.param
    starter = starters.load(wanted.starter)
    path = tmp_path_factory.mktemp(wanted.starter) / PACKAGE
    project.create(
        path,
        {
            "name": PACKAGE,
            "model": wanted.model,
            "starter": wanted.starter,
            "bound": starter.fits[0],
            "async_client": wanted.form == "async",
            "gil_fraction": 0.0 if wanted.form == "native" else 1.0,
            "max_workers": 4,
        },
    )
    return path


@pytest.mark.parametrize(
    "command",
    [
        ("pytest", "-q", "-p", "no:cacheprovider"),
        ("ruff", "check", "--no-cache"),
        ("ruff", "format", "--check", "--no-cache"),
        ("mypy", "--strict", "."),
    ],
    ids=lambda command: command[0] if command[1] != "format" else "format",
)
def test_passes_its_own_checks(made: Path, command: tuple[str, ...]) -> None:
    """The project's own tests run against the real thing; lint, format and types are clean."""
    done = call(made, *command)
    assert done.returncode == 0, done.stdout + done.stderr
