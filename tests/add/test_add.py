"""`concgen add` in repositories of every layout: what it writes, what works on it, the way back."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

THUMBS = """
from pathlib import Path

from {imported} import FACTOR


def thumb(item):
    return FACTOR * len(Path(item).read_text())  # as seen from where it is run
"""
# A name, the packages' directory, the file that marks the project, and what is in it.
LAYOUTS = {
    "flat": (".", "pyproject.toml", ""),
    "src": ("src", "pyproject.toml", '[build-system]\nrequires = ["uv_build"]\n'),
    "poetry": ("lib", "pyproject.toml", "[tool.poetry]\n"),
    "setuptools": ("src", "setup.py", ""),
    "hatch": ("src", "pyproject.toml", '[build-system]\nrequires = ["hatchling"]\n'),
    "monorepo": ("packages/shop/src", "packages/shop/pyproject.toml", ""),
}


def files(folder: Path) -> dict[str, bytes]:
    """What is in it, but for what running leaves behind."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not {"__pycache__", ".pytest_cache", "undo"} & set(path.parts)
    }


def make(root: Path, layout: str, *, namespace: bool = False) -> Path:
    """A repository with a package that reads files by relative paths; return its packages' root."""
    place, marker, text = LAYOUTS[layout]
    package = root / place / "shop"
    package.mkdir(parents=True)
    if not namespace:
        (package / "__init__.py").touch()
    (package / "thumbs.py").write_text(THUMBS.format(imported="shop.sizes"))
    (package / "sizes.py").write_text("FACTOR = 10\n")
    (root / marker).write_text(text)
    (root / "data.txt").write_text("abc")
    (root / "items.txt").write_text("data.txt\n" * 5)
    return root / place


@pytest.fixture(params=[*LAYOUTS, "namespace"])
def repository(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A repository of each layout, entered; its packages' root."""
    monkeypatch.chdir(tmp_path)
    layout = "src" if request.param == "namespace" else request.param
    return make(tmp_path, layout, namespace=request.param == "namespace")


@pytest.fixture
def added(
    request: pytest.FixtureRequest, repository: Path, tmp_path: Path, concgen: Any, kept: Path
) -> Path:
    """The same with shop.parallel, which `add` writes once for each layout."""
    after = kept / request.node.callspec.params["repository"]
    if after.exists():
        shutil.copytree(after, tmp_path, dirs_exist_ok=True)
    else:
        add(concgen)
        shutil.copytree(tmp_path, after)
    return repository


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where repositories of each layout are kept."""
    return tmp_path_factory.mktemp("added")


def add(concgen: Any, name: str = "shop.parallel", *more: str) -> Any:
    words = ["--from", "shop.thumbs:thumb", "--items", "items.txt", "--model", "threading"]
    done = concgen("add", name, *words, "--yes", *more)
    assert done.code == 0, done.err
    return done


def python(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


CALL = """
from shop.parallel import run
if __name__ == "__main__":
    print([outcome.result() for outcome in run(["data.txt"] * 2)])
"""


def test_one_folder_and_one_test_are_written(
    repository: Path, tmp_path: Path, concgen: Any
) -> None:
    """Nothing else of the repository is touched, and the three lines that call it work."""
    before = files(tmp_path)
    add(concgen)
    after = files(tmp_path)
    added = {name for name in after if name not in before}
    assert {name: after[name] for name in before} == before
    package = (repository / "shop/parallel").relative_to(tmp_path).as_posix()
    tests = {name for name in added if not name.startswith(f"{package}/")}
    assert [Path(name).name for name in tests] == ["test_parallel.py"]
    (tmp_path / "call.py").write_text(CALL)
    done = python(repository, "call.py")
    assert (done.stdout, done.returncode) == ("[30, 30]\n", 0), done.stderr
    done = python(repository, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
    assert done.returncode == 0, done.stdout


def test_the_field_that_names_an_item(tmp_path: Path, concgen: Any, monkeypatch: Any) -> None:
    """--key goes into the settings and the command; one that items do not have is refused."""
    monkeypatch.chdir(tmp_path)
    package = make(tmp_path, "flat") / "shop"
    (package / "thumbs.py").write_text("def thumb(item):\n    return item['n']\n")
    (tmp_path / "items.csv").write_text("sku,n\na,1\nb,2\n")
    words = ["shop.parallel", "--from", "shop.thumbs:thumb", "--items", "items.csv", "--yes"]
    refused = concgen("add", *words, "--key", "no")
    assert (refused.code, "fields that name them: sku, n" in refused.err) == (2, True)
    assert concgen("add", "shop.parallel", "--key", "sku", "--yes").code == 2
    done = concgen("add", *words, "--key", "sku", "--model", "threading")
    assert (done.code, "--key sku" in done.out) == (0, True)
    assert 'KEY: str | None = "sku"' in (package / "parallel/settings.py").read_text()


def test_undo_right_after_removes_it(repository: Path, tmp_path: Path, concgen: Any) -> None:
    """Every file, the test and the folders; from the top of the repository."""
    before = files(tmp_path)
    add(concgen)
    python(repository, "-c", "import shop.parallel.work")
    undone = concgen("undo")
    assert re.fullmatch(r"Took back the add of shop\.parallel: \d+ files are gone\.\n", undone.out)
    assert undone.err == ""
    assert files(tmp_path) == before
    assert not (repository / "shop/parallel").exists()
    assert not list(tmp_path.rglob("test_parallel.py"))


def test_undo_keeps_what_was_edited(added: Path, tmp_path: Path, concgen: Any) -> None:
    """An edited file is a reason to refuse."""
    (added / "shop/parallel/settings.py").write_text("MAX_WORKERS = 3\n")
    assert concgen("undo").code == 3


def test_the_other_commands_work_on_it(added: Path, tmp_path: Path, concgen: Any) -> None:
    """Switch, diff, update, check, and back again: an edit stays all the way."""
    package = added / "shop/parallel"
    settings = package / "settings.py"
    settings.write_text(settings.read_text() + "\nMINE = 1\n")
    edited = files(package)
    assert concgen("diff", "--stat").out.count("settings.py") == 1
    assert concgen("update").code == 0
    assert concgen("check").code in (0, 5)
    assert concgen("switch", "multiprocessing").code == 0
    assert "MINE = 1" in settings.read_text()
    (tmp_path / "call.py").write_text(CALL)
    assert python(added, "call.py").stdout == "[30, 30]\n"
    assert concgen("undo").code == 0
    assert files(package) == edited


def test_undo_goes_back_one_change_and_says_so(added: Path, concgen: Any) -> None:
    """After a switch is taken back the add before it stays; another undo tells why."""
    assert concgen("switch", "multiprocessing").code == 0
    undone = concgen("undo")
    assert "Took back the switch from threading to multiprocessing" in undone.out
    assert "not what was before it" in undone.err
    again = concgen("undo")
    assert (again.code, "only the last is kept" in again.err) == (2, True)
    assert (added / "shop/parallel/work.py").exists()


def test_a_second_one_beside_the_first(added: Path, tmp_path: Path, concgen: Any) -> None:
    """Each has its own folder and record; which is meant has to be said."""
    add(concgen, "shop.faster")
    assert "more than one" in concgen("diff").err
    place = str(added / "shop/faster")
    assert concgen("undo", "--project", place).code == 0
    assert (added / "shop/parallel/work.py").exists()


def test_the_decision_is_in_its_record(added: Path, tmp_path: Path, concgen: Any) -> None:
    """It goes with the model, as the CONCURRENCY.md of a project does."""
    decision = added / "shop/parallel/.concgen/CONCURRENCY.md"
    assert decision.read_text().startswith("# Concurrency: threading")
    assert concgen("switch", "multiprocessing").code == 0
    assert decision.read_text().startswith("# Concurrency: multiprocessing")
    assert concgen("undo").code == 0
    assert decision.read_text().startswith("# Concurrency: threading")


def test_its_work_is_measured_again_on_items_that_are_named(added: Path, concgen: Any) -> None:
    """There is no items.jsonl in it; a namespace package is imported as it was."""
    assert "name the items with --items FILE" in concgen("check", "--measure").err
    checked = concgen("check", "--items", "items.txt", "--json")
    assert checked.code in (0, 5), checked.err
    assert checked.json["measured"]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with an environment, which alone has what its function imports."""
    root = make(tmp_path, "src")
    with (root / "shop/thumbs.py").open("a") as file:
        file.write("\nimport only_there\n")
    venv.create(tmp_path / ".venv", symlinks=sys.platform != "win32")
    (packages,) = [*(tmp_path / ".venv").rglob("site-packages")]
    (packages / "only_there.py").touch()
    monkeypatch.chdir(tmp_path)
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_it_is_measured_in_the_environment_of_the_repository(
    environment: Path, concgen: Any
) -> None:
    """And that is said: on the way, at the end and in the document."""
    done = add(concgen)
    assert "for real with .venv" in done.err
    assert "Measured with .venv" in done.out
    document = add(concgen, "shop.second", "--json").json
    assert Path(document["package"]["python"]).is_relative_to(environment / ".venv")
    assert concgen("check", "--project", "src/shop/second", "--items", "items.txt").code in (0, 5)


def test_an_environment_that_is_active_comes_first(
    environment: Path, concgen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for every other tool."""
    (environment / ".venv").rename(environment / "elsewhere")
    monkeypatch.setenv("VIRTUAL_ENV", str(environment / "elsewhere"))
    assert "Measured with elsewhere" in add(concgen).out


def test_without_an_environment_it_is_said_whose_python_it_was(
    tmp_path: Path, concgen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is concgen's own."""
    make(tmp_path, "flat")
    monkeypatch.chdir(tmp_path)
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    assert f"Measured with {sys.executable}, which runs concgen" in add(concgen).out


@pytest.mark.skipif(sys.platform == "win32", reason="a script in place of an old Python")
def test_an_environment_that_is_too_old_is_refused(environment: Path, concgen: Any) -> None:
    """What is written would not run there."""
    old = environment / ".venv/bin/python"
    old.unlink()
    old.write_text("#!/bin/sh\necho 3 9\n")
    old.chmod(0o755)
    words = ["--from", "shop.thumbs:thumb", "--items", "items.txt", "--yes"]
    done = concgen("add", "shop.parallel", *words)
    assert done.code == 2
    assert "is Python 3.9" in done.err
    assert "3.11 or newer" in done.err


def test_a_dry_run_writes_nothing(repository: Path, tmp_path: Path, concgen: Any) -> None:
    """It lists what it would add."""
    before = files(tmp_path)
    assert "Would add" in add(concgen, "shop.parallel", "--dry-run").out
    assert files(tmp_path) == before


def test_a_file_may_be_named(tmp_path: Path, concgen: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a module of its package: also where that is a namespace package."""
    monkeypatch.chdir(tmp_path)
    root = make(tmp_path, "src", namespace=True)
    words = ["--from", "src/shop/thumbs.py:thumb", "--items", "items.txt", "--yes"]
    done = concgen("add", "shop.parallel", *words)
    assert done.code == 0, done.err
    assert "from shop.thumbs import thumb" in (root / "shop/parallel/work.py").read_text()
