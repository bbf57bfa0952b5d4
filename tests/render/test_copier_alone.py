"""The template directory without concgen."""

from __future__ import annotations

import compileall
import json
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from scaffold.core.domain import Model, Workload
from scaffold.core.errors import ConcgenError
from scaffold.making import inventory, project


def test_copier_copy(tmp_path: Path) -> None:
    """`copier copy --defaults` makes a project that runs."""
    dest = tmp_path / "made"
    command = ["-m", "copier", "copy", "--quiet", "--defaults", str(inventory.templates_dir())]
    subprocess.run([sys.executable, *command, str(dest)], check=True, timeout=60)
    recorded = json.loads((dest / ".concgen/answers.json").read_text(encoding="utf-8"))
    assert recorded["answers"]["package"] == "my_project"
    run = [sys.executable, "-m", "my_project", "run", "--limit", "3"]
    subprocess.run(run, cwd=dest, check=True, timeout=60)
    assert len((dest / "results.jsonl").read_text(encoding="utf-8").splitlines()) == 3


def test_every_field_of_the_workload_is_a_question(tmp_path: Path) -> None:
    """The questions are named as the fields of Workload, and have the same defaults."""
    project.render({}, tmp_path)
    recorded = json.loads((tmp_path / ".concgen/answers.json").read_text(encoding="utf-8"))
    defaults = {field.name: recorded["answers"][field.name] for field in fields(Workload)}
    assert Workload(**defaults) == Workload()


def test_a_model_without_an_engine_is_not_offered(tmp_path: Path) -> None:
    """Copier refuses it before anything is written; every other has one."""
    assert inventory.available_models() == tuple(Model)
    with pytest.raises(ValueError, match="Invalid choice"):
        project.render({"model": "fibers"}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_compiled_files_stay_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What pip compiles of a wheel's modules does not reach a project."""
    templates = tmp_path / "templates"
    shutil.copytree(inventory.templates_dir(), templates)
    compileall.compile_dir(templates, quiet=2)
    assert list(templates.rglob("*.pyc"))
    monkeypatch.setattr(project, "templates_dir", lambda: templates)
    assert not [name for name in project.files({}) if name.endswith(".pyc")]


def test_missing_templates_are_a_fault_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says what to do about a broken installation."""
    monkeypatch.setattr(inventory, "__file__", str(tmp_path / "src/scaffold/making/inventory.py"))
    with pytest.raises(ConcgenError, match="templates are missing") as caught:
        inventory.templates_dir()
    assert caught.value.hint
