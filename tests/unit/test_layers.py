"""Packages depend on one another one way, as CONTRIBUTING says."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/scaffold"


def layers() -> list[str]:
    """Return the order of CONTRIBUTING.md, from the top."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    line = re.search(r"`cli`(?:\s→\s`\w+`)+", text)
    assert line
    return re.findall(r"\w+", line[0])


def imported(file: Path) -> Iterator[str]:
    """Yield the packages of ours that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "scaffold":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            yield from (name.split(".")[1] for name in names if name.startswith("scaffold."))
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            yield from (name.split(".")[1] for name in names if name.startswith("scaffold."))


FILES = {
    str(file.relative_to(SOURCE)): file
    for file in SOURCE.rglob("*.py")
    if file.parent != SOURCE or file.name == "api.py"  # the others lead from outside to the top
}


@pytest.mark.parametrize("name", FILES)
def test_a_module_imports_its_own_layer_and_those_below(name):
    order = layers()
    own = Path(name).parts[0].removesuffix(".py")
    below = order[order.index(own) :]
    assert set(imported(FILES[name])) <= set(below)


def test_every_package_has_its_layer():
    packages = {file.parent.name for file in SOURCE.glob("*/__init__.py")}
    assert set(layers()) == {*packages, "api"}
