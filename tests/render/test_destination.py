"""Where a project may go, and what becomes of what is there."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scaffold.core.errors import ConcgenError, Refused, UsageError
from scaffold.making import inventory, project, staging

from .test_combinations import tree

Answers = dict[str, Any]


def test_a_missing_parent_is_created(tmp_path: Path, answers: Answers) -> None:
    """The whole way to the destination is made."""
    made = project.create(tmp_path / "a/b/crawl", answers)
    assert set(made) == set(tree(tmp_path / "a/b/crawl"))
    assert list(made) == sorted(made)


def test_files_tells_what_create_writes(tmp_path: Path, answers: Answers) -> None:
    """A dry run lists the same files."""
    assert project.files(answers) == project.create(tmp_path / "crawl", answers)


def test_the_same_answers_give_the_same_bytes(tmp_path: Path, answers: Answers) -> None:
    """Nothing of the place or the time is in a project, its archive included."""
    project.create(tmp_path / "one", answers)
    project.create(tmp_path / "two", answers)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


VISIBLE = ["with space", "größe", "名前", "a'b", "{{ 7*7 }}", "$(id)", "-rf", "~", "x" * 255]


@pytest.mark.parametrize("name", VISIBLE)
def test_a_directory_may_have_any_visible_name(tmp_path: Path, answers: Answers, name: str) -> None:
    """Only the project's own name is restricted."""
    project.create(tmp_path / name, answers)
    assert (tmp_path / name / "crawl/work.py").is_file()
    assert list(tmp_path.iterdir()) == [tmp_path / name]


def test_an_empty_directory_is_filled(tmp_path: Path, answers: Answers) -> None:
    """It stays the same directory, so a shell that is in it stays too."""
    before = tmp_path.stat().st_ino
    made = project.create(tmp_path, answers)
    assert tmp_path.stat().st_ino == before
    assert set(made) == set(tree(tmp_path))


def test_the_current_directory_is_filled(
    tmp_path: Path, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`.` is a destination like any other, and stays the current directory."""
    monkeypatch.chdir(tmp_path)
    project.create(Path(), answers)
    assert Path("pyproject.toml").is_file()
    assert Path.cwd() == tmp_path


def test_a_fresh_clone_is_filled(tmp_path: Path, answers: Answers) -> None:
    """`.git`, a README and a LICENSE stay as they are; ours is left out of the result."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "README.md").write_text("mine\n")
    (tmp_path / "LICENSE").write_text("mine too\n")
    made = project.create(tmp_path, answers)
    assert "README.md" not in made
    assert "CONCURRENCY.md" in made
    assert (tmp_path / "README.md").read_text() == "mine\n"
    assert (tmp_path / "LICENSE").read_text() == "mine too\n"


def test_a_readme_of_another_kind_stands_beside_ours(tmp_path: Path, answers: Answers) -> None:
    """README.rst is kept, and README.md is still written."""
    (tmp_path / "README.rst").write_text("mine\n")
    assert "README.md" in project.create(tmp_path, answers)
    assert (tmp_path / "README.rst").read_text() == "mine\n"


@pytest.mark.parametrize("name", ["notes.txt", "pyproject.toml", "crawl", ".env", "readmes"])
def test_a_directory_in_use_is_refused(tmp_path: Path, answers: Answers, name: str) -> None:
    """The refusal names what is there, and nothing changes."""
    (tmp_path / name).write_text("mine\n")
    with pytest.raises(Refused, match=name) as caught:
        project.create(tmp_path, answers)
    assert caught.value.exit_code == 3
    assert tree(tmp_path) == {name: b"mine\n"}


def test_a_directory_called_readme_is_refused(tmp_path: Path, answers: Answers) -> None:
    """Only a file is the README that was meant."""
    (tmp_path / "README").mkdir()
    with pytest.raises(Refused, match="README"):
        project.create(tmp_path, answers)


def test_a_file_is_refused(tmp_path: Path, answers: Answers) -> None:
    """A file at the destination stays."""
    path = tmp_path / "crawl"
    path.write_text("mine\n")
    with pytest.raises(Refused, match="is a file"):
        project.create(path, answers)
    assert path.read_text() == "mine\n"


def test_a_link_to_an_empty_directory_is_followed(tmp_path: Path, answers: Answers) -> None:
    """The link stays a link; the project is where it leads."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    project.create(tmp_path / "link", answers)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real/pyproject.toml").is_file()


@pytest.mark.parametrize("target", ["nowhere", "link"])
def test_a_link_that_leads_nowhere_is_refused(
    tmp_path: Path, answers: Answers, target: str
) -> None:
    """A dangling or circular link is not replaced."""
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(ConcgenError) as caught:
        project.create(tmp_path / "link", answers)
    assert caught.value.exit_code in (2, 3)
    assert (tmp_path / "link").readlink() == Path(target)


@pytest.mark.parametrize("name", ["a\nb", "a\x00b", "a\x1b[31m", "a\u202eb", "x" * 256, "f/x"])
def test_an_impossible_path_is_a_usage_error(tmp_path: Path, answers: Answers, name: str) -> None:
    """The message is one visible line, and nothing is written."""
    (tmp_path / "f").touch()
    with pytest.raises(UsageError) as caught:
        project.create(tmp_path / name, answers)
    assert caught.value.message.isprintable()
    assert list(tmp_path.iterdir()) == [tmp_path / "f"]


def test_an_unwritable_parent_is_a_usage_error(
    tmp_path: Path, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the directory and the system's reason."""

    def mkdir(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with pytest.raises(UsageError, match="Permission denied") as caught:
        project.create(tmp_path / "crawl", answers)
    assert tmp_path.name in caught.value.message


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_the_umask_decides_the_modes(tmp_path: Path, answers: Answers, mask: int) -> None:
    """Files and directories have the modes that the user's own new ones have."""
    before = os.umask(mask)
    try:
        project.create(tmp_path / "crawl", answers)
    finally:
        os.umask(before)
    for path in [tmp_path / "crawl", *(tmp_path / "crawl").rglob("*")]:
        expected = (0o777 if path.is_dir() else 0o666) & ~mask
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_a_read_only_installation_gives_writable_files(
    tmp_path: Path, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The modes of the templates are not those of the project."""
    templates = tmp_path / "templates"
    shutil.copytree(inventory.templates_dir(), templates)
    for path in templates.rglob("*.jinja"):
        path.chmod(0o444)
    monkeypatch.setattr(project, "templates_dir", lambda: templates)
    made = project.create(tmp_path / "crawl", answers)
    assert all((tmp_path / "crawl" / name).stat().st_mode & stat.S_IWUSR for name in made)


def test_a_thread_may_create_a_project(tmp_path: Path, answers: Answers) -> None:
    """Outside the main thread, where no signal can be handled, the rest works."""
    thread = threading.Thread(target=project.create, args=(tmp_path / "crawl", answers))
    thread.start()
    thread.join()
    assert (tmp_path / "crawl/pyproject.toml").is_file()


@pytest.mark.parametrize("existing", [False, True])
def test_a_failure_leaves_nothing(
    tmp_path: Path, answers: Answers, monkeypatch: pytest.MonkeyPatch, existing: bool
) -> None:
    """A full disk in the middle of rendering is reported; new parents are removed again."""
    dest = tmp_path / "a/b/crawl"
    if existing:
        dest.mkdir(parents=True)
        (dest / "README.md").write_text("mine\n")
    before = sorted(tmp_path.rglob("*"))

    def write_pristine(_: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(project, "write_pristine", write_pristine)
    with pytest.raises(ConcgenError, match="No space left") as caught:
        project.create(dest, answers)
    assert caught.value.exit_code == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_a_failure_while_moving_in_is_undone(
    tmp_path: Path, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What had moved into an existing directory moves out again."""
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.name == "items.jsonl":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(ConcgenError, match=os.strerror(errno.EIO)):
        project.create(tmp_path, answers)
    assert list(tmp_path.iterdir()) == []


def test_a_destination_that_appears_meanwhile_is_kept(
    tmp_path: Path, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What somebody else wrote while we rendered is not replaced."""
    dest = tmp_path / "crawl"

    def write_pristine(_: Path) -> None:
        dest.mkdir()
        (dest / "theirs").touch()

    monkeypatch.setattr(project, "write_pristine", write_pristine)
    with pytest.raises(Refused, match="in the meantime"):
        project.create(dest, answers)
    assert sorted(tmp_path.rglob("*")) == [dest, dest / "theirs"]


def test_a_file_that_appears_meanwhile_is_kept(
    tmp_path: Path, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same in a directory that exists: what had moved in moves out again."""

    def write_pristine(_: Path) -> None:
        (tmp_path / "pyproject.toml").write_text("theirs\n")

    monkeypatch.setattr(project, "write_pristine", write_pristine)
    with pytest.raises(Refused, match="in the meantime"):
        project.create(tmp_path, answers)
    assert tree(tmp_path) == {"pyproject.toml": b"theirs\n"}


@pytest.mark.parametrize("existing", [False, True])
def test_what_a_killed_run_left_is_in_nobody_s_way(
    tmp_path: Path, answers: Answers, existing: bool
) -> None:
    """A leftover staging directory is neither a clash nor touched."""
    dest = tmp_path / "crawl"
    leftover = (dest if existing else tmp_path) / ".crawl.concgen-0123abcd"
    (leftover / "sub").mkdir(parents=True)
    made = project.create(dest, answers)
    assert (leftover / "sub").is_dir()
    assert "pyproject.toml" in made


def test_the_template_s_own_failure_is_a_fault_of_ours(tmp_path: Path) -> None:
    """What Copier raises is left to the command line, which keeps its traceback; nothing stays."""
    with pytest.raises(ValueError, match="Invalid choice for 'model'"):
        project.create(tmp_path / "crawl", {"model": "magic"})
    assert list(tmp_path.iterdir()) == []


def test_the_user_s_copier_settings_change_nothing(
    tmp_path: Path, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Defaults of the user's settings.yml do not reach a project."""
    settings = tmp_path / "settings.yml"
    settings.write_text("defaults: {starter: magic, tasks: 7}\n")
    monkeypatch.setenv("COPIER_SETTINGS_PATH", str(settings))
    project.create(tmp_path / "crawl", answers)
    assert '"tasks": 1000' in (tmp_path / "crawl/.concgen/answers.json").read_text()


def test_check_destination_writes_nothing(tmp_path: Path) -> None:
    """A command can ask early whether a destination will do."""
    assert staging.check_destination(tmp_path / "a/b") == tmp_path / "a/b"
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_is_long_for_windows_is_told(
    tmp_path: Path, answers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the system says of it, such as "no such file", helps nobody."""
    monkeypatch.setattr(project, "sys", SimpleNamespace(platform="win32"))
    monkeypatch.setattr("copier.run_copy", fail_as_too_long)
    for name, remedy in (("a" * 200, "a shorter path"), ("short", "make room")):
        with pytest.raises(ConcgenError) as caught:
            project.render(answers, Path(name))
        assert remedy in (caught.value.hint or "")


def fail_as_too_long(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOENT, "The system cannot find the path specified")
