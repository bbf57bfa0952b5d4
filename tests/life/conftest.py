"""Generated projects to edit and to switch, each rendering made once in a session."""

from __future__ import annotations

import functools
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from scaffold.asking.interview import collect
from scaffold.changing.tree import Files
from scaffold.changing.undo_log import FOLDER as UNDO
from scaffold.commands import change
from scaffold.core.advice import recommend
from scaffold.core.domain import Model, Recommendation
from scaffold.making.answers import gather
from scaffold.making.inventory import available_models
from scaffold.measuring import machine

MODELS = available_models()
REPLIES = collect({"workload": "io", "tasks": "20k", "task-time": "200ms"}, None)

_render = change.render


@functools.cache
def _rendered(answers: str) -> Files:
    return _render(json.loads(answers))


def render(answers: Any) -> Files:
    """Render as `change.render` does, once for the same answers."""
    return _rendered(json.dumps(answers, default=str))


@functools.cache
def _advice() -> Recommendation:
    return recommend(REPLIES.workload, machine.inspect(), models=MODELS)


def answers(model: str) -> dict[str, Any]:
    """The answers of a small project, as `concgen new` gathers them."""
    names = {"name": "crawl", "package": "crawl", "starter": "blank"}
    return gather(_advice(), REPLIES, **names, model=Model(model))


def write(root: Path, files: Files) -> Path:
    """Write `files` below `root`."""
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def make(root: Path, model: str = "asyncio") -> Path:
    """Make a project, as `concgen new` does."""
    return write(root, render(answers(model)))


def snapshot(root: Path) -> dict[str, bytes]:
    """Return every file of a project but the undo log, which a switch leaves and undo takes."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.is_relative_to(root / UNDO) and ".git" not in path.parts
    }


def edit(path: Path, old: str, new: str) -> None:
    """Replace `old`, which has to be there, in one file."""
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new).encode())


@pytest.fixture(autouse=True)
def _render_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change, "render", render)


@pytest.fixture
def crawl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the model asyncio; the tests run in its directory."""
    root = make(tmp_path / "crawl")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def no_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make git unavailable."""
    monkeypatch.setattr("scaffold.changing.git.version", lambda: None)


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
