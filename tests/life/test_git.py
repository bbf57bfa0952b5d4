"""Git's machinery behind its fence: new, old, broken, slow, and with odd paths."""

from __future__ import annotations

import subprocess

import pytest

from scaffold.changing import git
from scaffold.core.errors import ConcgenError

from .conftest import needs_git

pytestmark = needs_git

BASE = "".join(f"line {number}\n" for number in range(20)).encode()


@pytest.fixture(params=[git.MERGE_TREE, (2, 30)], ids=["merge-tree", "merge-file"])
def _either(request, monkeypatch):
    monkeypatch.setattr(git, "version", lambda: request.param)


@pytest.mark.usefixtures("_either")
@pytest.mark.parametrize("path", ["a", "ü 中/b c.txt", 'quo"te\\d', "-x", "new", "yours"])
def test_both_sides_are_in_the_result(path):
    yours, new = BASE.replace(b"line 3", b"mine"), BASE.replace(b"line 15", b"theirs")
    merged = git.merge({path: BASE}, {path: yours}, {path: new}, "threading")
    assert merged.files == {path: yours.replace(b"line 15", b"theirs")}
    assert not merged.conflicts


@pytest.mark.usefixtures("_either")
@pytest.mark.parametrize("label", ["threading", "concgen 0.2.0", ""])
def test_a_conflict_is_marked_with_both_sides(label):
    yours, new = BASE.replace(b"line 3", b"mine"), BASE.replace(b"line 3", b"theirs")
    merged = git.merge({"f": BASE}, {"f": yours}, {"f": new}, label)
    assert merged.conflicts == {"f"}
    text = merged.files["f"]
    assert text.count(b"<<<<<<< yours\nmine\n=======\ntheirs\n>>>>>>> ") == 1


def test_a_rename_is_followed_and_its_conflict_found():
    yours, new = BASE.replace(b"line 3", b"mine"), BASE.replace(b"line 3", b"theirs")
    merged = git.merge({"old.md": BASE}, {"sub/mine.md": yours}, {"old.md": new}, "x")
    assert merged.renamed == {"old.md": "sub/mine.md"}
    assert merged.conflicts == {"sub/mine.md"}


def test_a_deleted_file_is_no_conflict_of_ours():
    new = BASE.replace(b"line 3", b"theirs")
    merged = git.merge({"gone.md": BASE}, {"other.md": b"else\n"}, {"gone.md": new}, "x")
    assert merged == git.Merged({"other.md": b"else\n"})


@pytest.mark.parametrize(
    "fault", [FileNotFoundError("git"), subprocess.TimeoutExpired("git", 60), PermissionError(13)]
)
def test_a_git_that_does_not_run_is_none(monkeypatch, fault):
    def fail(*_, **__):
        raise fault

    monkeypatch.setattr(subprocess, "run", fail)
    git.version.cache_clear()
    try:
        assert git.version() is None
        assert git.merge({"f": BASE}, {"f": BASE}, {"f": BASE}, "x") == git.Merged()
    finally:
        git.version.cache_clear()


def test_a_git_that_fails_is_one_line(monkeypatch):
    monkeypatch.setattr(git, "version", lambda: git.MERGE_TREE)
    with pytest.raises(ConcgenError, match="git failed: "):
        git._run(["merge-tree", "--no-such-option"])
