"""What this installation can generate: where the templates are, and which models they have.

Apart from `project.py`, as advice needs no Copier and has to start fast.
"""

from __future__ import annotations

from pathlib import Path

from scaffold.core.domain import SIMPLEST_FIRST, Model
from scaffold.core.errors import ConcgenError


def templates_dir() -> Path:
    """Return the directory of the templates: in the wheel, or at the top of a checkout."""
    here = Path(__file__).resolve().parents[1]  # the package
    for candidate in (here / "templates", here.parents[1] / "templates"):
        if (candidate / "copier.yml").is_file():
            return candidate
    raise ConcgenError("the templates are missing from this installation", hint="install it again")


def available_models() -> tuple[Model, ...]:
    """Return the models that have an engine, simplest first."""
    engines = templates_dir() / "engines"
    return tuple(model for model in SIMPLEST_FIRST if (engines / f"{model}.py").is_file())
