"""Run a module of ours in a child process that runs the user's code, and read its report.

The child reads a request from stdin and appends facts, one JSON object a line, to a report file:
its stdout and stderr belong to the user's code. No process is left behind, nor a directory, even
when a signal ends the command.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import scaffold
from scaffold.core.domain import Model
from scaffold.making.interrupt import guarded
from scaffold.making.inventory import runner_module
from scaffold.measuring.wire import to_text

Facts = dict[str, Any]
# Called while the child runs, with the seconds and the facts so far.
Watch = Callable[[float, Facts], None]
# Imports concgen from where it is, because the interpreter of a repository may not have it, and
# nothing else of what is installed there: the user's modules have to be found without that.
_START = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("scaffold", sys.argv.pop(1))
sys.modules["scaffold"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["scaffold"])
importlib.import_module(sys.argv.pop(1)).main()
"""
# Seconds between two looks at a child: often enough to see it move, too seldom to disturb it.
LOOK = 0.2


def run_child(
    module: str,
    request: Mapping[str, Any],
    seconds: float,
    watch: Watch = lambda *_: None,
    python: str = sys.executable,
) -> tuple[Facts, str]:
    """Run `module` for at most `seconds`; return its facts, and in words how it ended."""
    with (
        guarded() as guard,
        tempfile.TemporaryDirectory(prefix="concgen-") as folder,
        guard.open(),
    ):
        report, order = Path(folder) / "report.jsonl", Path(folder) / "request.json"
        order.write_text(to_text({**request, "report": str(report)}), encoding="utf-8")
        words = command(module, python)
        ended = _run(words, order, seconds, lambda elapsed: watch(elapsed, _read(report)))
        return _read(report), ended


def command(module: str, python: str) -> list[str]:
    """Return the command that runs `main` of a module of ours, in any interpreter."""
    return [python, "-P", "-c", _START, str(Path(scaffold.__file__)), module]


def _run(words: list[str], order: Path, seconds: float, look: Callable[[float], None]) -> str:
    lifeline, lifeline_end = os.pipe()
    try:
        # A file, and not a pipe: a child that is slow to start or to read holds up nothing.
        with order.open("rb") as request:
            child = subprocess.Popen(
                [*words, str(lifeline)],
                stdin=request,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(lifeline,) if os.name == "posix" else (),
                start_new_session=True,  # so that what the user's code starts can be ended with it
            )
        # A project ends its own workers, with what they started, in the same way.
        family = runner_module("children", Model.MULTIPROCESSING).Family(child.pid)
        return _wait(child, family.kill, seconds, look)
    finally:
        os.close(lifeline)
        os.close(lifeline_end)


def _wait(
    child: subprocess.Popen[bytes],
    kill: Callable[[], None],
    seconds: float,
    look: Callable[[float], None],
) -> str:
    began = time.monotonic()
    try:
        while (elapsed := time.monotonic() - began) < seconds:
            try:
                return _exit_reason(child.wait(timeout=min(LOOK, seconds - elapsed)))
            except subprocess.TimeoutExpired:
                look(time.monotonic() - began)
        return f"killed, as it would not stop after {seconds:.3g} s"
    finally:
        kill()  # also whatever the user's code left running
        child.wait()


def _exit_reason(code: int) -> str:
    if code < 0:
        with suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit code {code}"


def _read(report: Path) -> Facts:
    facts: Facts = {}
    with suppress(FileNotFoundError):  # it died before its first report
        for line in report.read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):  # it died in the middle of a line
                facts.update(json.loads(line))
    return facts
