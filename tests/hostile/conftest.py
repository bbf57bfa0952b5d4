"""Run the command line on hostile input, and see that nothing happened that should not."""

from __future__ import annotations

import ast
import contextlib
import io
import os
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings

from scaffold import cli

# Examples of each property; HOSTILE_EXAMPLES=1000 looks longer.
EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "25"))
settings.register_profile(
    "hostile",
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    err: str


@dataclass(frozen=True)
class Cage:
    """A directory `here` in a directory of its own: what else appears in that is an escape."""

    root: Path

    @property
    def here(self) -> Path:
        """The current directory of the command."""
        return self.root / "here"

    def run(self, *words: str) -> Ended:
        """Run `concgen` in this process, in `here`; hostile input is never a fault of ours."""
        out, err = _stream(), _stream()
        with (
            contextlib.chdir(self.here),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            mock.patch.object(sys, "stdin", None),
            mock.patch.object(sys, "argv", ["concgen", *words]),
        ):
            code = cli.run()
        err.seek(0)
        errors = err.read()
        assert code in (0, 2, 3, 4, 5), errors
        assert all(line.isprintable() for line in errors.splitlines())
        return Ended(code, errors)

    def snapshot(self) -> dict[str, bytes]:
        """Every file and directory in the cage."""
        return {
            path.relative_to(self.root).as_posix(): b"" if path.is_dir() else path.read_bytes()
            for path in self.root.rglob("*")
        }


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace", write_through=True)


@pytest.fixture
def cage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], object]:
    """Return a context manager that makes a cage; the user's own directories are another one."""
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))

    @contextlib.contextmanager
    def make() -> Iterator[Cage]:
        with TemporaryDirectory() as folder:
            made = Cage(Path(folder).resolve())
            made.here.mkdir()
            yield made

    return make


def check_sound(project: Path) -> None:
    """Every file of a project can be read by who reads it: Python, TOML."""
    for path in project.rglob("*.py"):
        ast.parse(path.read_bytes())
    tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
