"""Where a case of the catalogue happens: an empty directory, a project in it, things gone wrong."""

from __future__ import annotations

import errno
import io
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from life.conftest import edit, make

from scaffold.terminal import console

FUNCTIONS = """
import os, sys, time
class Client:
    def fetch(self, item): return item
def work(item): return item
def two(item, other): return item
def fails(item): raise ValueError("no good")
def dies(item): os._exit(7)
def hangs(item): time.sleep(60)
def dies_in_a_trial(item):
    if "scaffold.measuring.trial" in sys.orig_argv: os._exit(7)
    return item
"""


@dataclass
class Scene:
    """The current directory, and how to spoil what is in it."""

    here: Path
    monkeypatch: pytest.MonkeyPatch
    concgen: Callable[..., Any]

    def write(self, name: str, text: str = "") -> Path:
        """Write a file, in directories that are made."""
        path = self.here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def functions(self) -> None:
        """Write the functions, and three items."""
        self.write("functions.py", FUNCTIONS)
        self.write("items.jsonl", "1\n2\n3\n")

    def endless_pipe(self) -> None:
        """Make a pipe that nobody writes to, and be in no mood to wait."""
        self.functions()
        os.mkfifo(self.here / "pipe.jsonl")
        self.monkeypatch.setattr("scaffold.asking.spool.PATIENCE", 0.1)

    def project(self) -> Path:
        """Make a project and go there; it is also what is returned."""
        self.here = make(self.here / "crawl")
        self.monkeypatch.chdir(self.here)
        return self.here

    def switched(self) -> Path:
        """Make a project and switch it to threading."""
        root = self.project()
        assert self.concgen("switch", "threading").code == 0
        return root

    def edit(self, name: str, old: str, new: str) -> None:
        """Edit a file of the project."""
        edit(self.here / name, old, new)

    def answers(self, **changes: Any) -> None:
        """Make a project and change what it recorded; a key of the top level stays there."""
        path = self.project() / ".concgen/answers.json"
        content = json.loads(path.read_text())
        for key, value in changes.items():
            (content if key in content else content["answers"])[key] = value
        path.write_text(json.dumps(content))

    def link(self, name: str, target: str) -> None:
        """Put a symbolic link where a file or a directory may be, which moves to `target`."""
        path = self.here / name
        if path.exists():
            path.rename(self.here / target)
        path.symlink_to(self.here / target)

    def fail(self, where: str, error: BaseException) -> None:
        """Let a function raise."""

        def failing(*_: object, **__: object) -> None:
            raise error

        self.monkeypatch.setattr(f"scaffold.{where}", failing)

    def full(self, where: str) -> None:
        """Let a function meet a full disk."""
        self.fail(where, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    def before(self, where: str, act: Callable[[], object]) -> None:
        """Do something just before a function runs."""
        module, _, name = f"scaffold.{where}".rpartition(".")
        original = getattr(sys.modules[module], name)

        def later(*args: object, **options: object) -> Any:
            act()
            return original(*args, **options)

        self.monkeypatch.setattr(f"{module}.{name}", later)

    def pipe(self, text: str) -> None:
        """Let answers come from a pipe."""
        self.monkeypatch.setattr(console, "can_ask", lambda: True)
        self.monkeypatch.setattr(io, "StringIO", lambda _: _stdin(text))

    def git(self, script: str) -> None:
        """Let git be a script that tells a version, and then does this."""
        from scaffold.changing import git

        version = '[ "$1" = --version ] && echo git version 2.40 && exit\n'
        path = self.write("bin/git", f"#!/bin/sh\n{version}{script}\n")
        path.chmod(0o755)
        self.monkeypatch.setenv("PATH", str(path.parent))
        git.version.cache_clear()


def _stdin(text: str) -> io.TextIOBase:
    return io.TextIOWrapper(io.BytesIO(text.encode()))
