"""One self-contained script in place of a project: parts of `templates/scripts/`, put together.

Each part is a Python module. Their imports become the script's, without those from one another,
because all parts end up in one file.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from scaffold.core.domain import Model
from scaffold.core.errors import Refused, UsageError
from scaffold.core.models import MODELS, Awaits
from scaffold.core.texts import shown
from scaffold.making.inventory import available_models, model_facts, templates_dir
from scaffold.making.names import is_device, package_name

STARTERS = ("blank", "http")
_NEEDS = {"http_async": ("aiohttp>=3.10,<4",)}
# How many tasks run at once, in an engine's part.
_SIZE = re.compile(r"^(MAX_\w+ = ).*?(  #)", re.MULTILINE)
# The mark between what comes before work(), what comes before run(), and the rest.
_SEAM = "\n# ---\n"
_CALL = "run(results, args.rate)"
_HEAD = '''# /// script
# requires-python = ">=3.11"
# dependencies = [{needs}]
# ///
"""Runs work(item) for every item of a file, {how}: `uv run THIS.py items.jsonl`.

Results go to results.jsonl; the next run continues there. `concgen new NAME --from THIS.py:work
--items items.jsonl` makes a project of it (retries, timeouts, workers that may die).
"""

'''


def scriptable() -> tuple[Model, ...]:
    """Return the models with a part of their own; the others need more than one file."""
    parts = templates_dir() / "scripts"
    return tuple(model for model in available_models() if (parts / f"{model}.py").is_file())


def check_destination(dest: Path) -> None:
    """Raise UsageError or Refused if a script cannot be written there."""
    if is_device(dest.name):
        raise UsageError(f"{shown(dest)} is a device on Windows", hint="choose another name")
    if os.path.lexists(dest):
        raise Refused(f"{shown(dest)} exists already", hint="choose another name")
    if not dest.stem.isidentifier():
        raise UsageError(
            f"{shown(dest)} could not be imported later", hint="letters, digits and _ only"
        )
    free = package_name(dest.stem, {"aiohttp"})  # a script's folder is the first to import from
    if free.reason:
        raise UsageError(f"{shown(dest)}: {free.reason}", hint=f"such as {free.name}.py")
    if not os.path.isdir(dest.parent):  # noqa: PTH112  # never raises, whatever the name
        raise UsageError(f"no directory {shown(dest.parent)}", hint="make it first")


def refuse(model: Model, starter: str) -> None:
    """Raise UsageError for what does not fit into one file."""
    if model not in (fitting := scriptable()):
        raise UsageError(
            f"{model} takes more than one file",
            hint=f"make a project, without the .py, or --model {'|'.join(fitting)}",
        )
    if starter not in STARTERS:
        raise UsageError(
            f"the starter {starter} needs several files",
            hint=f"make a project, without the .py, or --starter {'|'.join(STARTERS)}",
        )


def text(model: Model, starter: str, max_workers: int | None, own: str | None = None) -> str:
    """Return the script; `own` is the text of the user's work in place of the starter's."""
    form = _form(model, starter)
    first, results, last = _part("common").split(_SEAM)
    engine = _part(model)
    if max_workers is not None:
        engine = _SIZE.sub(rf"\g<1>{max_workers}\g<2>", engine)
    if awaits(model):
        last = last.replace(_CALL, f"asyncio.run({_CALL})")
    parts = [first, own or _part(form), results, engine, last]
    head = _HEAD.format(
        needs=", ".join(f'"{need}"' for need in needs(model, starter)),
        how=model_facts(model)["how"],
    )
    bodies = [_body(part) for part in parts]
    constants, _, functions = bodies[-2].partition("\n\n\n")
    if constants.startswith("MAX_"):
        bodies[0], bodies[-2] = f"{bodies[0]}\n{constants}", functions
    used = {name for body in bodies for name in _names(body)}
    return head + _imports(parts, used) + "\n" + "\n\n\n".join(bodies) + "\n"


def needs(model: Model, starter: str) -> tuple[str, ...]:
    """Return what has to be installed for the script."""
    return _NEEDS.get(_form(model, starter), ())


def _form(model: Model, starter: str) -> str:
    return f"{starter}_async" if awaits(model) else starter


def awaits(model: Model) -> bool:
    """Tell whether the model's work is `async def`."""
    return MODELS[model].awaits is Awaits.ALWAYS


def _part(name: str) -> str:
    return (templates_dir() / "scripts" / f"{name}.py").read_text(encoding="utf-8")


def _is_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _body(part: str) -> str:
    """Return what follows the imports."""
    lines = part.splitlines()
    first = [node for node in ast.parse(part).body if _is_import(node)]
    after = max((node.end_lineno or 0 for node in first), default=0)
    return "\n".join(lines[after:]).strip()


def _names(body: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}


def _imports(parts: Iterable[str], used: set[str]) -> str:
    """Return the imports of all parts, as isort sorts them: the standard library's first."""
    plain: set[str] = set()
    froms: dict[str, set[str]] = {}
    for part in parts:
        for node in ast.parse(part).body:
            if isinstance(node, ast.Import):
                plain |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                froms.setdefault(node.module, set()).update(alias.name for alias in node.names)
    sections = []
    for standard in (True, False):
        lines = [
            f"import {name}"
            for name in sorted(plain)
            if _is_standard(name) is standard and name.partition(".")[0] in used
        ]
        for module, names in sorted(froms.items()):
            kept = sorted(names & used, key=lambda name: (not name.isupper(), name.lower()))
            if kept and _is_standard(module) is standard:
                lines.append(f"from {module} import {', '.join(kept)}")
        if lines:
            sections.append("\n".join(lines))
    return "\n\n".join(sections) + "\n"


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names
