"""Measure the user's function in a child process: crash, hang or chatter cost only a report."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from scaffold.domain import Profile
from scaffold.errors import UsageError
from scaffold.target import Items, Target

DEFAULT_BUDGET = 3.0
# Less leaves no time for a verdict about the GIL; more is a benchmark.
LEAST_BUDGET, MOST_BUDGET = 0.5, 600.0
# Seconds beyond the budget that the child gets to write its report before it is killed.
GRACE = 0.4
# Seconds that an interpreter takes to start, kept back from the child's share of the budget.
START_UP = 0.1


def measure(target: Target, items: Items, budget: float = DEFAULT_BUDGET) -> Profile:
    """Run `target` on the sample for at most `budget` seconds and return its profile.

    Raises UsageError when the function cannot be imported or called with one item, when it kills
    its process, and when no call returns in time.
    """
    with tempfile.TemporaryDirectory(prefix="concgen-") as folder:
        report = Path(folder) / "report.jsonl"
        request = {
            "module": target.module,
            "function": target.function,
            "path": target.path,
            "items": items.sample,
            "seconds": budget - START_UP,
            "report": str(report),
        }
        ended = _run_child(json.dumps(request).encode(), budget + GRACE)
        facts = _read(report)
    return _profile(target, facts, ended, budget)


def _run_child(request: bytes, seconds: float) -> int | None:
    """Run the probe; return its exit code, or None when it had to be killed. Leaves no process."""
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "scaffold.probe"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # so that what the function starts can be ended with it
    )
    try:
        child.communicate(request, timeout=seconds)
    except subprocess.TimeoutExpired:
        return None
    else:
        return child.returncode
    finally:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill the child and whatever the user's function left running in its session."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    child.wait()


def _read(report: Path) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    with suppress(FileNotFoundError):  # it died before its first word
        for line in report.read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):  # it died in the middle of a line
                facts.update(json.loads(line))
    return facts


def _profile(target: Target, facts: dict[str, Any], ended: int | None, budget: float) -> Profile:
    if "refused" in facts:
        raise UsageError(facts["refused"])
    if not (facts.get("finished") or facts.get("overran")):
        raise UsageError(_why_dead(target, facts, ended, budget))
    if facts.get("overran") and not facts.get("calls"):
        raise UsageError(
            f"{target} did not finish one call in {budget:g} s", hint="give it more with --budget"
        )
    names = Profile.__dataclass_fields__
    return Profile(**{name: value for name, value in facts.items() if name in names})


def _why_dead(target: Target, facts: dict[str, Any], ended: int | None, budget: float) -> str:
    doing = "a call" if "is_async" in facts else "importing it"
    if ended is None:
        return f"{target}: {doing} did not finish in {budget:g} s, nor would it be stopped"
    reason = f"exit code {ended}"
    if ended < 0:
        with suppress(ValueError):
            reason = signal.Signals(-ended).name
    return f"{target}: {doing} ended the whole process ({reason})"
