"""The modules of a project with processes, for the simulations alone."""

from __future__ import annotations

import importlib
import sys
from types import SimpleNamespace

import pytest

from scaffold.core.domain import Model
from scaffold.making.inventory import assemble

POOL = ("task", "backlog", "engine", "pool", "pacing")
JOURNAL = ("items", "results", "ledger", "resume", "failures")


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Each by its name."""
    root = tmp_path_factory.mktemp("packages")
    assemble(root / "simulated", Model.MULTIPROCESSING)
    sys.path.insert(0, str(root))
    names = POOL + JOURNAL
    return SimpleNamespace(
        **{name: importlib.import_module(f"simulated.runner.{name}") for name in names}
    )
