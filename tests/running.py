"""Run Python modules as a user of a generated project does."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

# What mypy knows of the standard library and of dependencies serves every project that one process
# of the tests checks: reading it anew takes ten times as long as the project itself.
_TYPES = tempfile.TemporaryDirectory(prefix="concgen-types-")


def call(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a Python module in the project's directory."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env={**os.environ, "MYPY_CACHE_DIR": _TYPES.name},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
