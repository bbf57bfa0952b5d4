"""A package put together as the template does, imported here: its modules, without a process."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest
from engines.assembly import assemble, end_all

Load = Callable[[str], ModuleType]


@pytest.fixture(scope="session")
def load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Load]:
    """A module of the runner, by name."""
    root = tmp_path_factory.mktemp("runner")
    assemble("threading", root, "def work(item):\n    return item\n", "assembled")
    sys.path.insert(0, str(root))
    yield lambda name: importlib.import_module(f"assembled.runner.{name}")
    sys.path.remove(str(root))


@pytest.fixture(autouse=True)
def _end() -> Iterator[None]:
    yield
    end_all()
