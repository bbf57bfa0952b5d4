"""Every place in the source where an error for the user's eyes is made, and a name for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import scaffold

SOURCE = Path(scaffold.__file__).parent
CLASSES = {"ConcgenError", "UsageError", "Refused", "Interrupted", "Unsure"}


class Site(NamedTuple):
    """One call of an error class: `MODULE.FUNCTION: words`, its lines, and whether it has a hint.

    The words are the longest literal part of the message.
    """

    name: str
    file: str
    lines: range
    kind: str
    hint: bool


def sites() -> dict[str, Site]:
    """Return all of them, by name."""
    all_sites = [site for file in sorted(SOURCE.rglob("*.py")) for site in _in_file(file)]
    by_name = {site.name: site for site in all_sites}
    assert len(by_name) == len(all_sites)
    return by_name


def _in_file(file: Path) -> Iterator[Site]:
    module = file.parent.name if file.stem == "__init__" else file.stem
    for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) in CLASSES:
                words = _words(node)
                name = f"{module}.{function.name}" + (f": {words}" if words else "")
                lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
                hint = any(keyword.arg == "hint" for keyword in node.keywords)
                yield Site(name, str(file), lines, node.func.id, hint)


def _words(call: ast.Call) -> str:
    message = call.args[0] if call.args else ast.Constant("")
    parts = message.values if isinstance(message, ast.JoinedStr) else [message]
    texts = [part.value for part in parts if isinstance(part, ast.Constant)]
    return max(texts, key=len, default="").strip(" -:()")
