"""Read answers from a file: JSON or TOML, written by hand or taken from a project's `.concgen/`."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from scaffold.asking.interview import from_mapping, is_question
from scaffold.core.errors import UsageError
from scaffold.core.texts import shown

# Answers about the project rather than about the work; the file may hold these too.
PROJECT_KEYS = ("name", "starter", "model", "ci", "ci_check", "key")
# No answers file is larger than this: a project's own answers take some kilobytes.
MOST_BYTES = 1_000_000
_EXAMPLE = 'such as {"tasks": "20k"}, or tasks = "20k" in a .toml'


def load(path: Path) -> tuple[dict[str, str | bool], dict[str, str]]:
    """Return the raw answers to the questions, and the answers about the project, in `path`.

    Raises UsageError for a file that cannot be read, or a key that is no question.
    """
    content = _parse(path)
    if isinstance(content.get("answers"), dict):
        # A project's own record also keeps what is no answer to a question, such as the decision.
        content = {
            key: value
            for key, value in content["answers"].items()
            if key in PROJECT_KEYS or is_question(key)
        }
    project = {key: content.pop(key) for key in PROJECT_KEYS if key in content}
    if not project.get("key"):  # a record has an empty key if its items have none
        project.pop("key", None)
    for key in ("ci", "ci_check"):
        if isinstance(project.get(key), bool):
            project[key] = str(project[key])
    for key, value in project.items():
        if not isinstance(value, str):
            raise UsageError(
                f"{shown(path)}: {key} is {shown(value)}, not a text", hint="put it in quotes"
            )
    return from_mapping(content, shown(path)), project


def _parse(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise UsageError(
                f"{shown(path)} is over {MOST_BYTES:,} bytes: not an answers file", hint=_EXAMPLE
            )
        text = data.decode("utf-8")
        content = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise UsageError(
            f"cannot read {shown(path)}: {error.strerror or error}",
            hint="name a JSON or TOML file with --answers",
        ) from error
    except (ValueError, RecursionError) as error:
        kind = "TOML" if path.suffix == ".toml" else "JSON"
        raise UsageError(f"{shown(path)} is not valid {kind}: {error}", hint=_EXAMPLE) from error
    if not isinstance(content, dict):
        raise UsageError(f"{shown(path)} holds no table of answers", hint=_EXAMPLE)
    return content
