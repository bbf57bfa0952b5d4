"""What every rendering has, whatever the answers."""

from __future__ import annotations

import ast
import functools
import io
import json
import re
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from scaffold.core.domain import Model
from scaffold.making import inventory, project, starters

if TYPE_CHECKING:
    from .conftest import Rendered

EXPECTED = {
    ".concgen/answers.json",
    ".concgen/pristine.zip",
    ".github/workflows/checks.yml",
    ".gitignore",
    "AGENTS.md",
    "CONCURRENCY.md",
    "README.md",
    "items.jsonl",
    "my_crawler/__init__.py",
    "my_crawler/__main__.py",
    "my_crawler/runner/__init__.py",
    "my_crawler/runner/cli.py",
    "my_crawler/runner/engine.py",
    "my_crawler/runner/results.py",
    "my_crawler/settings.py",
    "my_crawler/work.py",
    "pyproject.toml",
    "tests/conftest.py",
    "tests/test_run.py",
    "tests/test_work.py",
}


def tree(root: Path) -> dict[str, bytes]:
    """Return the files below `root` by relative path."""
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


@functools.cache  # most files are in many renderings
def relative_imports(text: str) -> list[ast.ImportFrom]:
    """Return what a module imports from its own package."""
    nodes = ast.walk(ast.parse(text))
    return [node for node in nodes if isinstance(node, ast.ImportFrom) and node.level]


def test_files(rendered: Rendered) -> None:
    """The contract's files are all there, and nothing that Python or Copier left."""
    names = set(tree(rendered.path))
    assert names >= EXPECTED
    assert not [name for name in names if "__pycache__" in name or "copier" in name]


def test_engine_and_work_are_copied(rendered: Rendered) -> None:
    """Engines and the starter's work are the template's own files, byte for byte."""
    templates = inventory.templates_dir()
    model, starter = rendered.answers["model"], starters.load(rendered.answers["starter"])
    awaits = model == "asyncio" or (model == "hybrid" and rendered.answers["async_client"])
    form = "_async" if awaits and "async" in starter.forms else ""
    form = form or ("_native" if "native" in starter.forms else "")
    package = rendered.path / "my_crawler"
    for name, source in inventory.runner_files(Model(model)).items():
        assert (package / "runner" / f"{name}.py").read_bytes() == source.read_bytes()
    work = templates / "starters" / starter.name / f"work{form}.py"
    assert not work.exists() or (package / "work.py").read_bytes() == work.read_bytes()


def test_no_module_hides_the_standard_library(rendered: Rendered) -> None:
    """No module of the project has the name of a standard one."""
    modules = {path.stem for path in (rendered.path / "my_crawler").glob("*.py")}
    assert not modules & sys.stdlib_module_names


def test_modules_need_each_other(rendered: Rendered) -> None:
    """Every module that one of the project imports is there, and no module is there for nothing."""
    package = rendered.path / "my_crawler"
    files = [*package.rglob("*.py")]
    needed = {package / "__init__.py", package / "__main__.py", package / "runner/__init__.py"}
    for path in files:
        text = path.read_text(encoding="utf-8")
        for node in relative_imports(text):
            place = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            needed |= {place.with_suffix(".py")} if node.module else set()
            needed |= {place / f"{alias.name}.py" for alias in node.names}
        if "__main__" in text:  # run by `python -m PKG.NAME`
            needed.add(path)
        by_name = re.findall(r'}\.runner\.(\w+)"', text)  # on a machine that has its package only
        needed |= {package / "runner" / f"{name}.py" for name in by_name}
    assert {*files} <= needed
    modules = {path.name for path in needed if path.parent.is_dir() and path.name.islower()}
    assert modules


def test_text_is_clean(rendered: Rendered) -> None:
    """Rendered text has no template syntax, no trailing blanks and no double empty lines."""
    for name in [
        "AGENTS.md",
        "README.md",
        "CONCURRENCY.md",
        "pyproject.toml",
        ".gitignore",
        "items.jsonl",
    ]:
        text = rendered.read(name)
        assert not re.search(r"\{\{|\{%|\{#|[ \t]$|\n\n\n|\A\s|\n\n\Z", text, re.MULTILINE), name
        assert text.endswith("\n"), name


def test_answers(rendered: Rendered) -> None:
    """answers.json has every answer that was given, under its own name."""
    document = json.loads(rendered.read(".concgen/answers.json"))
    assert document["schema"] == 1
    assert document["concgen"] == "0.1.0"
    recorded = {**document["answers"], "concgen_version": document["concgen"]}
    assert {name: recorded[name] for name in rendered.answers} == dict(rendered.answers)


def test_no_path_of_a_machine(rendered: Rendered) -> None:
    """No file names a directory of the machine that it was made on."""
    for path in (inventory.templates_dir(), rendered.path.parent, Path.home(), Path(sys.prefix)):
        names = [n for n, data in tree(rendered.path).items() if f"{path}/".encode() in data]
        assert not names


def test_pristine(rendered: Rendered) -> None:
    """pristine.zip holds the rendering as made, all of it but itself."""
    files = tree(rendered.path)
    data = files.pop(project.PRISTINE)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == sorted(files)
        assert {name: archive.read(name) for name in archive.namelist()} == files


def test_items(rendered: Rendered) -> None:
    """The sample is JSON Lines; that of `blank` waits or computes as the answers say."""
    items = [json.loads(line) for line in rendered.read("items.jsonl").splitlines()]
    assert items
    if rendered.answers["starter"] != starters.DEFAULT:
        return
    assert len(items) == 100
    assert {item["kind"] for item in items} == {"square", "cube"}
    assert all(("wait" in item) == (rendered.answers["bound"] != "cpu") for item in items)
    assert all((item["n"] > 1000) == (rendered.answers["bound"] != "io") for item in items)


def test_pyproject(rendered: Rendered) -> None:
    """pyproject.toml names the distribution, the command and the package."""
    document = tomllib.loads(rendered.read("pyproject.toml"))
    assert document["project"]["name"] == "my-crawler"
    assert document["project"]["scripts"] == {"my_crawler": "my_crawler.__main__:main"}
    forms = starters.load(rendered.answers["starter"]).forms.values()
    needed = document["project"]["dependencies"]
    own = [name for name in needed if name.startswith("distributed")]
    assert bool(own) == (rendered.answers["model"] == "dask")
    assert needed in [[*own, *form] for form in forms]
    assert document["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["my_crawler"]


def test_settings(rendered: Rendered) -> None:
    """The workers that were advised are the default, and a limit from outside is told."""
    workers, limit = rendered.answers["max_workers"], rendered.answers["max_in_flight"]
    settings = rendered.read("my_crawler/settings.py")
    assert f"\nMAX_WORKERS: int | str | None = {workers}\n" in settings
    assert (f"More than {limit} at once" in settings) == (limit is not None)


def test_decision_record(rendered: Rendered) -> None:
    """CONCURRENCY.md shows the whole decision, or the bare answers when there was no advice."""
    text = rendered.read("CONCURRENCY.md")
    if decision := rendered.answers["decision"]:
        for fact in (
            decision["headline"],
            decision["flips"][0],
            decision["machine"][0],
            decision["notes"][0],
            "**prefer asyncio**: 20,000 tasks that wait (R3, article: Asyncio in Python)",
            "| asyncio | 4.6 s | 870x | 40 MB | a \\| in a cell |",
            "| How many tasks? | 20,000 | answered |",
        ):
            assert fact in text
    else:
        assert "picked by hand, without advice" in text
        assert "| tasks | 1000 | measured |" in text
    for section in ("Traps that the code avoids", "Traps that are left to you", "Tuning"):
        assert f"\n## {section}\n" in text
