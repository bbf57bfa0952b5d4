"""Patterns of the starter for files, as Windows reads paths."""

from __future__ import annotations

import importlib.util
import ntpath
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from scaffold.making.inventory import templates_dir


@pytest.fixture
def walk(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module that finds files, on paths of Windows."""
    spec = importlib.util.spec_from_file_location(
        "walk", templates_dir() / "starters/files/walk.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(os, "path", ntpath)
    monkeypatch.setattr(os, "sep", "\\")
    return module


@pytest.mark.parametrize(
    ("where", "root", "pattern"),
    [
        (r"C:\*.log", "C:\\", ["*.log"]),
        (r"C:\logs\**\*.log", r"C:\logs", ["**", "*.log"]),
        ("C:*.log", "C:.", ["*.log"]),
        (r"\\server\share\*.log", "\\\\server\\share\\", ["*.log"]),
        (r"\\?\C:\logs\*.log", r"\\?\C:\logs", ["*.log"]),
        (r"\\?\C:\logs", r"\\?\C:\logs", []),
        (r"logs\*.log", "logs", ["*.log"]),
        ("*.log", ".", ["*.log"]),
    ],
)
def test_a_drive_stays_whole(walk: ModuleType, where: str, root: str, pattern: list[str]) -> None:
    assert walk.split(where) == (root, pattern)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_the_list_is_told() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, templates_dir() / "starters/files/walk.py", __file__],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "error: cannot print: No space left on device\n"
