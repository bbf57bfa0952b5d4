"""Run Python modules as a user of a generated project does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def call(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a Python module in the project's directory."""
    if command[0] == "mypy":
        command = (*command, "--no-sqlite-cache")  # several processes write to it: see conftest.py
    # As where nothing but pytest is installed: importing plugins takes longer than most tests do.
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
