"""Run Python modules as a user of a generated project does."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

# What mypy knows of the standard library and of dependencies serves every check in all processes of
# pytest-xdist, and the next session: reading it anew takes ten times as long as a project does.
MYPY_CACHE = Path(__file__).resolve().parents[1] / ".mypy_cache" / "tests"


def call(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a Python module in the project's directory."""
    # As where nothing but pytest is installed: importing plugins takes longer than most tests do.
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    if command[0] == "mypy":
        environment["MYPY_CACHE_DIR"] = str(MYPY_CACHE / _options_of_mypy(project, command))
        command = (*command, "--no-sqlite-cache")  # several processes write to it
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _options_of_mypy(project: Path, command: tuple[str, ...]) -> str:
    """Return a name for the options of a check: what mypy keeps under others is of no use to it."""
    config = project / "pyproject.toml"
    text = config.read_text(encoding="utf-8") if config.exists() else ""
    named = tomllib.loads(text).get("tool", {}).get("mypy", {})
    options = {name: named[name] for name in named if name not in {"files", "overrides"}}
    given = [word for word in command if word.startswith("-")]
    return hashlib.sha256(json.dumps([options, given], sort_keys=True).encode()).hexdigest()[:8]
