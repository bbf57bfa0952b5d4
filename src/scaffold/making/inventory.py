"""What this installation can generate: where the templates are, and which models they have.

Separate from `project.py`, because advice needs no Copier and has to start fast.
"""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Mapping
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from scaffold.core.domain import SIMPLEST_FIRST, Model
from scaffold.core.errors import ConcgenError

# The files beside the runner in a package that is assembled for a trial, a test or a benchmark.
BARE = {
    "__init__.py": "from .runner.api import Outcome, arun, run\n",
    "__main__.py": 'from .runner.cli import main\n\nif __name__ == "__main__":\n    main()\n',
    "settings.py": "MAX_WORKERS: int | None = 4\nTIMEOUT: float | None = None\nRETRIES = 0\n",
}


def templates_dir() -> Path:
    """Return the directory of the templates: in the wheel, or at the top of a checkout."""
    package_dir = Path(__file__).resolve().parents[1]  # the package
    for candidate in (package_dir / "templates", package_dir.parents[1] / "templates"):
        if (candidate / "copier.yml").is_file():
            return candidate
    raise ConcgenError("the templates are missing from this installation", hint="install it again")


def version() -> str:
    """Return this concgen's version."""
    from importlib.metadata import version as installed  # takes 20 ms

    return installed("concgen")


def available_models() -> tuple[Model, ...]:
    """Return the models that have an engine, simplest first."""
    engines = templates_dir() / "engines"
    return tuple(model for model in SIMPLEST_FIRST if (engines / model / "engine.py").is_file())


def model_facts(model: Model) -> dict[str, Any]:
    """Return what the template knows of a model: its `model.json`."""
    import json

    text = (templates_dir() / "engines" / model / "model.json").read_text(encoding="utf-8")
    return json.loads(text)  # type: ignore[no-any-return]


def runner_module(name: str, model: Model | None = None) -> ModuleType:
    """Import a module of `PKG/runner/` that needs no engine: what concgen shares with projects.

    With `model` it may be a module that only projects of that model have.
    """
    package = f"concgen_runner_{model or 'shared'}"
    if package not in sys.modules:
        spec = ModuleSpec(package, None, is_package=True)
        folders = [templates_dir() / "project" / "{{package}}" / "runner"]
        folders += [templates_dir() / "engines" / model] if model else []
        spec.submodule_search_locations = [str(folder) for folder in folders]
        sys.modules[package] = module_from_spec(spec)
    return importlib.import_module(f"{package}.{name}")


def runner_files(model: Model) -> dict[str, Path]:
    """Return the modules of `PKG/runner/` in a project of that model, by name.

    They are as the template has them, without `__init__`, which only the template can write.
    """
    engines = templates_dir() / "engines"
    shared = (templates_dir() / "project" / "{{package}}" / "runner").glob("*.py")
    own = {name: engines / place for name, place in model_facts(model)["modules"].items()}
    return {file.stem: file for file in shared} | {"engine": engines / model / "engine.py"} | own


def assemble(
    package: Path, model: Model, files: Mapping[str, str] = BARE, engine: str = "engine"
) -> None:
    """Write a package as a project of that model has it, without Copier.

    `files` go beside its `runner`; `engine` is the name of the engine's module there.
    """
    runner = package / "runner"
    runner.mkdir(parents=True, exist_ok=True)
    for name, file in runner_files(model).items():
        shutil.copyfile(file, runner / f"{engine if name == 'engine' else name}.py")
    for name, text in {"runner/__init__.py": "", **files}.items():
        (package / name).write_text(text, encoding="utf-8")
