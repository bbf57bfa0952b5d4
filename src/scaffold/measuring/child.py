"""Run a module of ours in a child process that runs the user's code, and read its report.

The child gets a request on stdin and appends facts, one JSON object a line, to a report file: its
stdout and stderr belong to the user's code. No process is left behind.
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

Facts = dict[str, Any]
# Told while the child runs: for how many seconds it has, and its facts so far.
Watch = Callable[[float, Facts], None]
# Seconds between two looks at a child: a person sees it move, and it is not disturbed.
LOOK = 0.2


def run_child(
    module: str, request: Mapping[str, Any], seconds: float, watch: Watch = lambda *_: None
) -> tuple[Facts, str]:
    """Run `module` for at most `seconds`; return its facts, and in words how it ended."""
    with tempfile.TemporaryDirectory(prefix="concgen-") as folder:
        report = Path(folder) / "report.jsonl"
        text = json.dumps({**request, "report": str(report)})
        ended = _run(module, text.encode(), seconds, lambda elapsed: watch(elapsed, _read(report)))
        return _read(report), ended


def _run(module: str, request: bytes, seconds: float, look: Callable[[float], None]) -> str:
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # so that what the user's code starts can be ended with it
    )
    began, unsent = time.monotonic(), request
    try:
        while (elapsed := time.monotonic() - began) < seconds:
            try:
                child.communicate(unsent or None, timeout=min(LOOK, seconds - elapsed))
            except subprocess.TimeoutExpired:
                unsent = b""
                look(time.monotonic() - began)
            else:
                return _exit_reason(child.returncode)
        return f"killed, as it would not stop after {seconds:.3g} s"
    finally:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill the child and whatever the user's code left running in its session."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    child.wait()


def _exit_reason(code: int) -> str:
    if code < 0:
        with suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit code {code}"


def _read(report: Path) -> Facts:
    facts: Facts = {}
    with suppress(FileNotFoundError):  # it died before its first word
        for line in report.read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):  # it died in the middle of a line
                facts.update(json.loads(line))
    return facts
