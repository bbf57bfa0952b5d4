"""`concgen undo` and `concgen diff`: taking back, and seeing what one has changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scaffold.changing import apply, undo_log
from scaffold.commands import switch
from scaffold.core.domain import Model
from scaffold.core.errors import Refused

from .conftest import edit, make, needs_git, snapshot


def test_undo_gives_the_tree_back_and_leaves_nothing(crawl, concgen):
    """Modes and modules that came or went included; a second undo has nothing to do."""
    edit(crawl / "README.md", "# crawl", "# Mine")
    (crawl / "crawl/runner/engine.py").chmod(0o700)
    everything = sorted(crawl.rglob("*"))
    before = snapshot(crawl)
    concgen("switch", "hybrid")
    result = concgen("undo")
    assert result.code == 0
    assert "switch from asyncio to hybrid" in result.out
    assert snapshot(crawl) == before
    assert sorted(crawl.rglob("*")) == everything
    assert (crawl / "crawl/runner/engine.py").stat().st_mode & 0o777 == 0o700
    assert concgen("undo").code == 2


def test_undo_is_refused_when_a_file_was_edited_since(crawl, concgen):
    """The list names it, nothing changes; once the edit is gone, undo works."""
    concgen("switch", "threading")
    switched = snapshot(crawl)
    edit(crawl / "README.md", "# crawl", "# Mine")
    (crawl / "pyproject.toml").unlink()
    edited = snapshot(crawl)
    result = concgen("undo")
    assert result.code == 3
    assert "README.md" in result.err
    assert "pyproject.toml" in result.err
    assert snapshot(crawl) == edited
    for path in ("README.md", "pyproject.toml"):
        (crawl / path).write_bytes(switched[path])
    assert concgen("undo").code == 0


def test_other_edits_do_not_stand_in_the_way(crawl, concgen):
    """Files that the switch did not touch are no part of undoing it."""
    concgen("switch", "threading")
    edit(crawl / "crawl/runner/results.py", "import json\n", "import json  # mine\n")
    (crawl / "notes.txt").write_text("mine")
    assert concgen("undo").code == 0
    assert "# mine" in (crawl / "crawl/runner/results.py").read_text()
    assert (crawl / "notes.txt").exists()


@needs_git
def test_undo_takes_conflicts_back(crawl, concgen):
    edit(crawl / "crawl/settings.py", "AUTO_MAX_WORKERS: int = 1000", "AUTO_MAX_WORKERS = 64")
    before = snapshot(crawl)
    assert concgen("switch", "threading").code == 4
    assert concgen("undo").code == 0
    assert snapshot(crawl) == before


def test_undo_of_the_way_back(crawl, concgen):
    """The last command is what undo takes back, also when that went back itself."""
    concgen("switch", "threading")
    switched = snapshot(crawl)
    concgen("switch", "asyncio")
    assert concgen("undo", "--json").json["from"] == "threading"
    assert snapshot(crawl) == switched


def test_an_error_in_the_middle_puts_everything_back(crawl, monkeypatch, concgen):
    """A disk that fills up at the third file: a clear error, and the tree as before."""
    before, written = snapshot(crawl), []
    put = apply._put

    def full(root: Path, path: str, data: bytes | None, mode: int | None) -> None:
        written.append(path)
        if len(written) == 3:
            raise OSError(28, "No space left on device", str(root / path))
        put(root, path, data, mode)

    monkeypatch.setattr(apply, "_put", full)
    result = concgen("switch", "threading")
    assert result.code == 1
    assert "No space left" in result.err
    assert "as it was" in result.err
    assert snapshot(crawl) == before
    assert not (crawl / undo_log.FOLDER).exists()


def test_a_file_that_changes_meanwhile_is_not_overwritten(crawl):
    prepared = switch.prepare(crawl, Model.THREADING)
    edit(crawl / "README.md", "# crawl", "# Mine")
    before = snapshot(crawl)
    with pytest.raises(Refused, match="changed in the meantime"):
        prepared.carry_out()
    assert snapshot(crawl) == before


def test_two_at_once_do_not_mix(crawl):
    """The later of two plans is refused, while the first is written and when it is done."""
    first, second = (switch.prepare(crawl, model) for model in (Model.THREADING, Model.HYBRID))
    undo_log.begin(crawl, undo_log.UndoLog("switch", "a", "b", ()))
    with pytest.raises(Refused, match="cut short"):
        second.carry_out()
    undo_log.drop(crawl)
    first.carry_out()
    done = snapshot(crawl)
    with pytest.raises(Refused, match="changed in the meantime"):
        second.carry_out()
    assert snapshot(crawl) == done
    assert undo_log.last(crawl).target == "threading"


@pytest.mark.parametrize("command", [["switch", "hybrid"], ["update"], ["diff"]])
def test_after_a_kill_every_command_says_how_to_finish(crawl, concgen, command):
    concgen("switch", "threading")
    undo_log.reopen(crawl)  # as if the run had been killed before its last step
    result = concgen(*command)
    assert result.code == 3
    assert "concgen undo" in result.err
    assert concgen("undo").code == 0
    assert concgen(*command).code == 0


def test_a_damaged_journal_says_so(crawl, concgen):
    concgen("switch", "threading")
    path = crawl / undo_log.FOLDER / undo_log.DONE
    path.write_bytes(path.read_bytes()[:100])
    result = concgen("undo")
    assert result.code == 2
    assert "damaged" in result.err


@pytest.mark.parametrize("path", ["../victim", "/tmp/victim", ".git/hooks/pre-commit", "a/../b"])
def test_a_journal_that_leads_elsewhere_is_not_followed(crawl, concgen, path):
    """It may have come with a repository: nothing is written outside, nor where git runs it."""
    planted = undo_log.UndoLog("switch", "a", "b", (undo_log.Entry(path, b"bad", None),))
    undo_log.begin(crawl, planted)
    undo_log.finish(crawl)
    before = snapshot(crawl.parent)
    result = concgen("undo")
    assert result.code == 2
    assert "damaged" in result.err
    assert snapshot(crawl.parent) == before


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs links")
def test_undo_does_not_write_through_a_link_that_leads_outside(crawl, concgen, tmp_path):
    concgen("switch", "threading")
    (crawl / "tests").rename(tmp_path / "outside")
    (crawl / "tests").symlink_to(tmp_path / "outside", target_is_directory=True)
    before = snapshot(tmp_path / "outside")
    assert concgen("undo").code == 3
    assert snapshot(tmp_path / "outside") == before


def test_undo_of_a_read_only_file_changes_nothing(crawl, concgen):
    concgen("switch", "threading")
    (crawl / "README.md").chmod(0o444)
    before = snapshot(crawl)
    result = concgen("undo")
    assert result.code == 3
    assert "read-only" in result.err
    assert snapshot(crawl) == before
    (crawl / "README.md").chmod(0o644)
    assert concgen("undo").code == 0


def test_diff_shows_the_users_edits_alone(crawl, concgen):
    """Edited and deleted generated files; own files and line endings are no edits."""
    assert concgen("diff").out == ""
    edit(crawl / "crawl/settings.py", "RETRIES: int = 0", "RETRIES: int = 3")
    (crawl / "tests/test_run.py").unlink()
    (crawl / "notes.txt").write_text("mine")
    readme = crawl / "README.md"
    readme.write_bytes(readme.read_bytes().replace(b"\n", b"\r\n"))
    result = concgen("diff")
    assert "+RETRIES: int = 3" in result.out
    assert "-RETRIES: int = 0" in result.out
    assert "+++ /dev/null" in result.out
    assert "notes.txt" not in result.out
    assert "README.md: only the line endings differ" in result.err

    stat = concgen("diff", "--stat").out
    assert "crawl/settings.py |    2 +-" in stat
    assert "tests/test_run.py" in stat
    assert "(deleted)" in stat

    files = {file["path"]: file for file in concgen("diff", "--json").json["files"]}
    assert files["crawl/settings.py"]["added"] == files["crawl/settings.py"]["removed"] == 1
    assert files["tests/test_run.py"]["change"] == "deleted"


def test_after_a_switch_diff_still_shows_the_users_edits_alone(crawl, concgen):
    edit(crawl / "crawl/settings.py", "RETRIES: int = 0", "RETRIES: int = 3")
    before = [line for line in concgen("diff").out.splitlines() if line[0] in "+-"]
    concgen("switch", "multiprocessing")
    after = [line for line in concgen("diff").out.splitlines() if line[0] in "+-"]
    assert before == after


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a file system with modes")
def test_new_files_have_the_users_own_modes(tmp_path, monkeypatch, concgen):
    root = make(tmp_path / "crawl")
    monkeypatch.chdir(root)
    umask = os.umask(0o027)
    try:
        concgen("switch", "multiprocessing")
    finally:
        os.umask(umask)
    assert (root / "crawl/runner/processes.py").stat().st_mode & 0o777 == 0o640
