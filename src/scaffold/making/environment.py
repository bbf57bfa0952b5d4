"""The Python that a repository's code runs with: that of its environment, if it has one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from scaffold.core.errors import UsageError
from scaffold.core.texts import shown

OLDEST = (3, 11)  # the oldest that runs what concgen generates
# Environments outside the repository: their mark in pyproject.toml, and what prints their place.
_ELSEWHERE = (
    ("[tool.poetry", ("poetry", "env", "info", "--path")),
    ("[tool.hatch.envs", ("hatch", "env", "find")),
)
PATIENCE = 60.0  # seconds that another program may take to answer, on a busy machine


def python_of(top: Path) -> str:
    """Return the interpreter of the project at `top`; ours, if it has no environment.

    The active environment comes first, unless it is concgen's own. Raises UsageError for a Python
    that cannot run what concgen writes.
    """
    for folder in _candidates(top):
        python = _interpreter(folder)
        if python is None or (version := _version(python)) is None:
            continue
        if version < OLDEST:
            raise UsageError(
                f"{shown(python)} is Python {'.'.join(map(str, version))}",
                hint=f"what concgen writes needs {'.'.join(map(str, OLDEST))} or newer",
            )
        return str(python)
    return sys.executable


def _candidates(top: Path) -> Iterator[Path]:
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        active = os.environ.get(variable)
        if active and Path(active) != Path(sys.prefix):
            yield Path(active)
    for place in _up_to_repository(top):
        if named := os.environ.get("UV_PROJECT_ENVIRONMENT"):
            yield place / named
        yield place / ".venv"
        yield place / "venv"
    with suppress(OSError, UnicodeDecodeError):
        text = (top / "pyproject.toml").read_text(encoding="utf-8")
        for mark, command in _ELSEWHERE:
            if mark in text and shutil.which(command[0]) and (printed := _output(command, top)):
                yield Path(printed)


def _up_to_repository(top: Path) -> Iterator[Path]:
    """Yield `top` and what is above it in its repository: a workspace has one environment."""
    for place in (top, *top.parents):
        yield place
        if (place / ".git").exists():
            return
        if place != top and not (place / "pyproject.toml").is_file():
            return


def _interpreter(folder: Path) -> Path | None:
    places = ("bin/python", "Scripts/python.exe", "python.exe")
    return next((folder / place for place in places if (folder / place).is_file()), None)


def _version(python: Path) -> tuple[int, ...] | None:
    numbers = _output((str(python), "-I", "-c", "import sys; print(*sys.version_info[:2])"), None)
    return tuple(map(int, numbers.split())) if numbers else None


def _output(command: tuple[str, ...], where: Path | None) -> str:
    """Return what a program prints, or an empty text if it fails."""
    with suppress(OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        done = subprocess.run(  # noqa: S603  # a Python, or a tool on PATH, asked for a fact
            command, cwd=where, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        if done.returncode == 0:
            return done.stdout.strip()
    return ""
