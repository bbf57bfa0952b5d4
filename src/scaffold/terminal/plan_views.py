"""A plan as the user reads it: lines, a unified diff, figures, or data. Prints nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import unified_diff

from scaffold.changing.plan import Action, Change, Plan
from scaffold.changing.tree import is_binary, to_lf
from scaffold.terminal.layout import wrap

BAR = 40

# How a line of a diff begins, and how it is styled.
STYLES = (("+++", "bold"), ("---", "bold"), ("@@", "cyan"), ("+", "green"), ("-", "red"))


def lines(plan: Plan, width: int) -> list[str]:
    """Return one line per file: what happens to it, and why."""
    column = max((len(change.path) for change in plan.changes), default=0)
    lines = []
    for change in plan.changes:
        head = f"  {change.action:<8}  {change.path:<{column}}  "
        text = change.reason
        if len(head) > width // 2:  # too little room for a column
            head, text = "", f"  {change.action:<8}  {change.path}: {text}"
        lines += wrap(text, width, head, " " * 12) or [head.rstrip()]
    return lines


def diff(changes: Iterable[Change]) -> Iterator[str]:
    """Yield the unified diff of what is written, without styles."""
    for change in changes:
        before, after = change.before or b"", change.after or b""
        if change.before == change.after:
            continue
        if is_binary(before) or is_binary(after):
            yield f"Binary file {change.path} differs"
            continue
        old = "/dev/null" if change.before is None else f"a/{change.path}"
        new = "/dev/null" if change.after is None else f"b/{change.path}"
        for line in unified_diff(_text(before), _text(after), old, new, lineterm=""):
            yield from line.split("\n")


def stat(edits: Iterable[Change], width: int) -> list[str]:
    """Return one line per file with the lines added and removed, and their sum, as git does."""
    rows = [(change, *count(change)) for change in edits]
    column = max((len(change.path) for change, _, _ in rows), default=0)
    most = max((added + removed for _, added, removed in rows), default=0)
    room = max(1, min(BAR, width - column - 12))
    lines = []
    for change, added, removed in rows:
        if change.action is Action.KEEP:
            lines.append(f" {change.path:<{column}} | {change.reason}")
            continue
        scale = min(1.0, room / most) if most else 1.0
        bar = "+" * round(added * scale) + "-" * round(removed * scale)
        note = " (deleted)" if change.after is None else ""
        lines.append(f" {change.path:<{column}} | {added + removed:>4} {bar}{note}".rstrip())
    added, removed = sum(row[1] for row in rows), sum(row[2] for row in rows)
    files = _counted(len(rows), "file")
    lines.append(f" {files} changed, {_counted(added, 'line')} added, {removed} removed")
    return lines


def count(change: Change) -> tuple[int, int]:
    """Return how many lines a change adds and removes."""
    added = removed = 0
    for line in list(diff([change]))[2:]:
        added += line.startswith("+")
        removed += line.startswith("-")
    return added, removed


def summary(plan: Plan) -> str:
    """Return what is written in one line."""
    counts = [
        f"{len(plan.of(action))} {word}"
        for action, word in (
            (Action.CREATE, "created"),
            (Action.UPDATE, "updated"),
            (Action.MERGE, "merged"),
            (Action.DELETE, "deleted"),
            (Action.KEEP, "kept"),
            (Action.CONFLICT, "in conflict"),
        )
        if plan.of(action)
    ]
    return ", ".join(counts)


def styled(line: str) -> str | None:
    """Return the style of one line of a diff, or None for a plain line."""
    return next((style for lead, style in STYLES if line.startswith(lead)), None)


def _text(data: bytes) -> list[str]:
    """Return the lines of a text; a last line without a newline says so, as in git's diffs."""
    *lines, unfinished = to_lf(data).decode("utf-8", errors="replace").split("\n")
    return [*lines, f"{unfinished}\n\\ No newline at end of file"] if unfinished else lines


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
