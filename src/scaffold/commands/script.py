"""`new FILE.py`: from advice to one self-contained script."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scaffold.asking.target import Target
from scaffold.commands.advise import Advice
from scaffold.commands.new import AUTO, read_model
from scaffold.core import shell
from scaffold.core.domain import Model
from scaffold.core.errors import ConcgenError, UsageError
from scaffold.core.models import MODELS
from scaffold.core.texts import shown
from scaffold.making import script, starters
from scaffold.making.items import Items
from scaffold.making.starters import Starter


@dataclass(frozen=True)
class ScriptRequest:
    """A checked request: where the script goes, its starter, and its model or None for advice."""

    dest: Path
    starter: Starter
    model: Model | None


@dataclass(frozen=True)
class Written:
    """A script that was written, or would be, how to run it, and how to make it again."""

    path: Path
    model: Model
    lines: int
    run: str
    command: str


def is_script(dest: Path) -> bool:
    """Tell whether DEST asks for a script in place of a project."""
    return dest.suffix == ".py"


def read_request(dest: Path, wishes: Mapping[str, str]) -> ScriptRequest:
    """Check the request; raise UsageError or Refused for what cannot be a single file."""
    script.check_destination(dest)
    if "key" in wishes:
        raise UsageError("a script names no items by --key", hint="make a project, without the .py")
    starter = starters.find(wishes.get("starter", starters.DEFAULT))
    model = read_model(wishes.get("model", AUTO), starter)
    script.refuse(model or Model.SEQUENTIAL, starter.name)
    return ScriptRequest(dest, starter, model)


def create(
    wanted: ScriptRequest,
    advice: Advice,
    model: Model,
    *,
    dry_run: bool,
    user_code: tuple[Target, Items] | None = None,
) -> Written:
    """Write the script with `model`, or only say what it would be; `user_code` is what it runs."""
    script.refuse(model, wanted.starter.name)
    sizes = {estimate.model: estimate.max_workers for estimate in advice.recommendation.estimates}
    per_core = MODELS[model].per_core
    own = _own(user_code[0], wanted.dest, model, advice) if user_code else None
    text = script.text(model, wanted.starter.name, None if per_core else sizes.get(model), own)
    if not dry_run:
        try:
            with wanted.dest.open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise ConcgenError(
                f"cannot write {shown(wanted.dest)}: {error.strerror}", hint="name another place"
            ) from error
    return Written(
        wanted.dest,
        model,
        text.count("\n"),
        _run(wanted, model, user_code),
        _command(wanted, advice, model, user_code),
    )


def _own(target: Target, dest: Path, model: Model, advice: Advice) -> str:
    """Return a work() that calls the user's function where it is."""
    has_async_client = advice.recommendation.workload.async_client
    call = "function(item)"
    if script.awaits(model):
        call = f"await {call}" if has_async_client else "await asyncio.to_thread(function, item)"
    elif has_async_client:
        call = f"asyncio.run({call})"
    where = os.path.relpath(target.path[0], dest.parent or ".").replace(os.sep, "/")
    place = "Path(__file__).parent" + ("" if where == "." else f" / {where!r}")
    lines = ["import asyncio", "import sys", "from pathlib import Path", "from typing import Any"]
    lines += ["", "", f"sys.path.insert(0, str({place}))", "", ""]
    lines += [
        f"{'async ' * script.awaits(model)}def work(item: Any) -> Any:",
        '    """What is done with one item: your function, where it is."""',
        f"    from {target.module} import {target.function} as function",
        "",
        f"    return {call}",
    ]
    return "\n".join(lines) + "\n"


def _run(wanted: ScriptRequest, model: Model, user_code: tuple[Target, Items] | None) -> str:
    name = shell.quote(str(wanted.dest))
    if user_code:
        return f"python {name} {shell.quote(str(user_code[1].given))}"
    runner = "uv run" if script.needs(model, wanted.starter.name) else "python"
    if wanted.starter.name == "http":
        return shell.then("echo https://example.com/ > urls.txt", f"{runner} {name} urls.txt")
    return shell.then("echo 42 > items.jsonl", f"{runner} {name} items.jsonl")


def _command(
    wanted: ScriptRequest, advice: Advice, model: Model, user_code: tuple[Target, Items] | None
) -> str:
    words = ["concgen", "new", str(wanted.dest)]
    if user_code is not None:
        words += ["--from", str(user_code[0]), "--items", str(user_code[1].given)]
    words += advice.replies.options(wanted.starter.answers)
    if wanted.starter.name != starters.DEFAULT:
        words += ["--starter", wanted.starter.name]
    if model is not advice.recommendation.model:
        words += ["--model", str(model)]
    return shell.join([*words, "--yes"])
