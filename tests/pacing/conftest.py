"""The two pure modules of a project, as a package of their own."""

from __future__ import annotations

import importlib
import shutil
import sys
from types import ModuleType

import pytest

from scaffold.core.domain import Model
from scaffold.making.inventory import runner_files


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its name, once it can be imported."""
    root = tmp_path_factory.mktemp("pacing")
    folder = root / "paced"
    folder.mkdir()
    (folder / "__init__.py").touch()
    for name in ("pacing", "adaptive"):
        shutil.copyfile(runner_files(Model.THREADING)[name], folder / f"{name}.py")
    sys.path.insert(0, str(root))
    return "paced"


@pytest.fixture(scope="session")
def pacing(package: str) -> ModuleType:
    """Rates and pauses."""
    return importlib.import_module(f"{package}.pacing")


@pytest.fixture(scope="session")
def adaptive(package: str) -> ModuleType:
    """The limit that adapts."""
    return importlib.import_module(f"{package}.adaptive")
