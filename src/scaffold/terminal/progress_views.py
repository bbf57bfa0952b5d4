"""Progress as text: what begins, and how far it is."""

from __future__ import annotations

import os
import sys

from scaffold.commands.progress import Done, Left, LeftOut, Measuring, Running, Step, Tick, Trying
from scaffold.core.units import show_count, show_seconds


def running(run: Running) -> str:
    """Return what is said before the user's code is really run."""
    return f"Running {run.target} for real{_by(run)}, {_on_what(run)}."


def consent(run: Running) -> str:
    """Return what is said before asking whether the user's code may be run."""
    return f"This runs {run.target} for real{_by(run)}, {_on_what(run)}."


def _by(run: Running) -> str:
    """Name the interpreter, if it is not ours."""
    own = run.target.python == sys.executable
    return "" if own else f" with {os.path.relpath(run.target.python)}"


def _on_what(run: Running) -> str:
    count = show_count(run.of)
    items = count if run.sample is None else f"{show_count(run.sample)} of {count}"
    return f"on up to {items} items, for at most {show_seconds(run.seconds)}"


def step(step: Step) -> str:
    """Return the line that says what begins."""
    match step:
        case Running():
            return running(step)
        case Measuring(target):
            return f"measuring {target}"
        case LeftOut(model):
            return f"{model} is left out: on one machine it tells nothing of a cluster"
        case Trying(model, number, of, seconds):
            return f"{model} ({number} of {of}, at most {show_seconds(seconds)})"


def tick(tick: Tick) -> str:
    """Return the line that says how far it is."""
    match tick:
        case Left(seconds):
            return f"measuring, {max(0.0, seconds):.1f} s left"
        case Done(items, of, rate, seconds):
            return f"{items:,} of {of:,} items, {rate:,.0f}/s, {max(0.0, seconds):.1f} s left"
