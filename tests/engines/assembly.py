"""Put a package together as the template does: the shared files, one engine, a work module."""

from __future__ import annotations

import compileall
import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from scaffold.core.domain import Model
from scaffold.making import inventory

MODELS = tuple(map(str, inventory.available_models()))
HERE = MODELS[:-1]  # for what is the same for all: a cluster takes seconds to start
PROCESS_MODELS = ("multiprocessing", "hybrid")
STARTED: list[subprocess.Popen[str]] = []  # by the test that runs; see end_all()
_MADE = tempfile.TemporaryDirectory(prefix="concgen-assembled-")


def end_all() -> None:
    """End what a test has started and, having failed, not ended."""
    for process in STARTED:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    STARTED.clear()


def assemble(model: str, root: Path, work: str, package: str = "pkg") -> Path:
    """Write ROOT/PACKAGE, with `work` as the text of work.py."""
    target = shutil.copytree(_compiled(model), root / package)
    (target / "work.py").write_text(work)
    return target


@functools.cache
def _compiled(model: str) -> Path:
    """All but work.py, with its bytecode, as an installation has it: made once for all tests.

    Copies keep the times of the files, so their bytecode is valid until a file is edited.
    """
    target = Path(_MADE.name) / model
    inventory.assemble(target, Model(model), inventory.BARE)
    for path in target.rglob("*.py"):
        os.utime(path, (0, 0))  # older than any edit; some images have no other times
    compileall.compile_dir(target, quiet=2)
    return target


@dataclass(frozen=True)
class Project:
    """A directory with an assembled package in it, to be run as a user runs it."""

    model: str
    root: Path

    @classmethod
    def make(cls, model: str, root: Path, work: str, items: str | None = None) -> Project:
        """Assemble it, and write items.jsonl."""
        assemble(model, root, work)
        if items is not None:
            (root / "items.jsonl").write_text(items)
        return cls(model, root)

    def shorten(self, module: str, constant: str, seconds: float) -> None:
        """Let a wait of the runner be short, for a test that has to see its end."""
        path = self.root / "pkg" / "runner" / f"{module}.py"
        before = path.read_text()
        after = re.sub(rf"(?m)^{constant} = .*", f"{constant} = {seconds}", before)
        assert after != before, constant
        path.write_text(after)

    def start(self, *arguments: str, **options: object) -> subprocess.Popen[str]:
        """`python -m pkg ARGUMENTS`, in a session of its own, with its output in pipes."""
        defaults = {
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
            "env": os.environ | {"PYTHONWARNINGS": "error::DeprecationWarning"},
        }
        process: subprocess.Popen[str] = subprocess.Popen(  # type: ignore[call-overload]
            [sys.executable, "-m", "pkg", *arguments],
            cwd=self.root,
            start_new_session=True,
            **(defaults | options),
        )
        STARTED.append(process)
        return process

    def run(self, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        """The same, to its end."""
        process = self.start(*arguments, **options)
        try:
            out, err = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)
