"""`concgen update`: newer templates reach a project, and its answers and edits stay."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from scaffold.changing.record import ANSWERS
from scaffold.commands import change
from scaffold.making import inventory, project

from .conftest import _render, answers, edit, needs_git, snapshot

RELEASED = sorted((Path(__file__).parent / "released").glob("*/*.zip"))
NEWER = "99.0.0"
QUESTION = """
queue:
  type: int
  default: 7
"""


@pytest.fixture
def newer(crawl, tmp_path, monkeypatch):
    """A project of today, and from here on a concgen whose templates went on."""
    templates = shutil.copytree(inventory.templates_dir(), tmp_path / "templates")
    output = templates / "project"
    with (templates / "copier.yml").open("a") as file:
        file.write(QUESTION)
    record = output / ".concgen/answers.json.jinja"
    edit(record, "starter=starter,", "starter=starter, queue=queue,")
    with (output / "README.md.jinja").open("a") as file:
        file.write("\nNews from {{ queue }}.\n")
    with (templates / "engines/asyncio/engine.py").open("a") as file:
        file.write("\nNEWER = True\n")
    with (templates / "starters/blank/work_async.py").open("a") as file:
        file.write("\n# A better example.\n")
    (output / "{{package}}/runner/fresh.py").write_text("FRESH = True\n")
    (output / "{{package}}/runner/machine.py").unlink()
    monkeypatch.setattr(project, "templates_dir", lambda: templates)
    monkeypatch.setattr(inventory, "version", lambda: NEWER)
    monkeypatch.setattr(change, "render", _render)
    return crawl


def test_an_unedited_project_becomes_what_new_would_make(newer, concgen):
    """Every answer is kept, hidden ones too; the new question has its default, and it is said."""
    result = concgen("update")
    assert result.code == 0
    assert f"to {NEWER}" in result.out
    assert "new question queue: took its default, 7" in result.err
    assert snapshot(newer) == dict(_render({**answers("asyncio"), "concgen_version": NEWER}))
    record = json.loads((newer / ANSWERS).read_text())
    assert record["concgen"] == NEWER
    assert record["answers"]["decision"]["headline"].startswith("asyncio")

    again = concgen("update")
    assert again.code == 0
    assert "Nothing to do" in again.out


@needs_git
def test_edits_and_news_meet_in_one_file(newer, concgen):
    """An edited engine is merged by an update: it is the same model's."""
    edit(newer / "crawl/runner/engine.py", "import asyncio\n", "import asyncio  # mine\n")
    edit(newer / "README.md", "# crawl", "# My crawler")
    edit(newer / "crawl/work.py", "import asyncio\n", "import asyncio  # mine\n")
    result = concgen("update", "--yes", "--json")
    assert result.code == 0
    assert result.actions["crawl/runner/engine.py"] == "merge"
    assert result.actions["crawl/work.py"] == "keep"
    assert result.actions["crawl/runner/fresh.py"] == "create"
    assert result.actions["crawl/runner/machine.py"] == "delete"
    engine = (newer / "crawl/runner/engine.py").read_text()
    assert "# mine" in engine
    assert "NEWER" in engine
    assert "News from 7" in (newer / "README.md").read_text()


def test_what_went_away_but_is_edited_stays(newer, concgen):
    with (newer / "crawl/runner/machine.py").open("a") as file:
        file.write("# mine\n")
    (newer / "README.md").unlink()
    result = concgen("update", "--json")
    assert result.actions["crawl/runner/machine.py"] == "keep"
    assert result.actions["README.md"] == "keep"
    assert not (newer / "README.md").exists()


def test_a_module_of_the_users_in_the_place_of_a_new_one(newer, concgen):
    (newer / "crawl/runner/fresh.py").write_text("MINE = 1\n")
    assert concgen("update").code == 3
    assert concgen("update", "--force").code == 0
    assert (newer / "crawl/runner/fresh.py.yours").read_text() == "MINE = 1\n"


def test_undo_takes_an_update_back(newer, concgen):
    before = snapshot(newer)
    concgen("update")
    assert "update from" in concgen("undo").out
    assert snapshot(newer) == before


def test_a_switch_of_an_older_project_updates_it_too_and_says_so(newer, concgen):
    result = concgen("switch", "threading")
    assert result.code == 0
    assert f"to {NEWER}" in result.err
    assert (newer / "crawl/runner/fresh.py").exists()
    assert concgen("switch", "asyncio").code == 0
    assert "NEWER" in (newer / "crawl/runner/engine.py").read_text()


def test_a_project_of_this_version_is_up_to_date(crawl, concgen):
    before = snapshot(crawl)
    edit(crawl / "README.md", "# crawl", "# Mine")
    result = concgen("update")
    assert result.code == 0
    assert "Nothing to do" in result.out
    edit(crawl / "README.md", "# Mine", "# crawl")
    assert snapshot(crawl) == before


@pytest.mark.parametrize("archive", RELEASED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_projects_of_every_release_are_updated(archive, tmp_path, monkeypatch, concgen):
    """Edits stay, nothing is in conflict, the project runs, and undo gives it back."""
    root = tmp_path / "crawl"
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(root)
    monkeypatch.chdir(root)
    settings = root / "crawl/settings.py"
    settings.write_text(re.sub(r"(?m)^(RETRIES.*) = 0$", r"\1 = 3", settings.read_text()))
    with (root / "crawl/work.py").open("a") as file:
        file.write("\n# mine\n")
    (root / "crawl/own.py").write_text("# mine\n")
    before = snapshot(root)

    result = concgen("update", "--json")
    assert result.code == 0
    assert result.json["from"] == archive.parent.name
    assert re.search(r"(?m)^RETRIES.* = 3$", settings.read_text())
    assert "# mine" in (root / "crawl/work.py").read_text()
    assert json.loads((root / ANSWERS).read_text())["concgen"] == inventory.version()
    command = [sys.executable, "-m", "crawl", "run", "--limit", "3", "--quiet"]
    subprocess.run([*command, "--results", str(tmp_path / "results.jsonl")], check=True)
    assert len((tmp_path / "results.jsonl").read_text().splitlines()) == 3

    if result.json["applied"]:
        shutil.rmtree(root / "crawl/__pycache__", ignore_errors=True)
        assert concgen("undo").code == 0
        assert {path for path in snapshot(root) if "__pycache__" not in path} == set(before)


OLD_LAYOUT = [archive for archive in RELEASED if archive.parent.name == "0.1.0"]


@needs_git
@pytest.mark.parametrize("archive", OLD_LAYOUT, ids=lambda path: path.stem)
def test_an_edited_module_of_the_old_layout_is_kept_and_its_successor_named(
    archive, tmp_path, monkeypatch, concgen
):
    """Nothing of the user's is lost when the machinery moves to runner/, and the project runs."""
    root = tmp_path / "crawl"
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(root)
    monkeypatch.chdir(root)
    for name in ("engine.py", "__main__.py"):
        with (root / "crawl" / name).open("a") as file:
            file.write("# mine\n")
    before = snapshot(root)
    result = concgen("update", "--json")
    assert result.code == 4
    reasons = {file["path"]: file["reason"] for file in result.json["files"]}
    assert "crawl/runner/engine.py has taken its place" in reasons["crawl/engine.py"]
    assert (root / "crawl/engine.py").read_bytes() == before["crawl/engine.py"]
    assert (root / "crawl/__main__.py.yours").read_bytes() == before["crawl/__main__.py"]
    command = [sys.executable, "-m", "crawl", "run", "--limit", "3", "--quiet"]
    subprocess.run([*command, "--results", str(tmp_path / "results.jsonl")], check=True)
    assert concgen("undo").code == 0
    assert {path for path in snapshot(root) if "__pycache__" not in path} == set(before)


def test_a_module_of_the_users_that_runner_would_hide_is_refused(tmp_path, monkeypatch, concgen):
    """A directory is imported before a module: their own code would find the machinery instead."""
    root = tmp_path / "crawl"
    with zipfile.ZipFile(OLD_LAYOUT[0]) as packed:
        packed.extractall(root)
    monkeypatch.chdir(root)
    (root / "crawl/runner.py").write_text("MINE = 1\n")
    before = snapshot(root)
    result = concgen("update")
    assert result.code == 3
    assert "crawl/runner.py (yours, and crawl/runner/ hides it: rename it)" in result.err
    assert snapshot(root) == before
    assert concgen("update", "--force").code == 4
    assert (root / "crawl/runner.py").read_text() == "MINE = 1\n"


def test_many_new_questions_are_one_note(tmp_path, monkeypatch, concgen):
    root = tmp_path / "crawl"
    with zipfile.ZipFile(OLD_LAYOUT[0]) as packed:
        packed.extractall(root)
    monkeypatch.chdir(root)
    result = concgen("update", "--dry-run")
    [note] = [line for line in result.err.splitlines() if "question" in line]
    assert "took their defaults, which are in .concgen/answers.json" in note


def test_there_is_a_project_of_this_release():
    """`python tests/life/released/make.py` belongs to releasing."""
    assert inventory.version() in {path.parent.name for path in RELEASED}
