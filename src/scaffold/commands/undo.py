"""`undo`: take back the last add, switch or update, or a command that was cut short."""

from __future__ import annotations

from pathlib import Path

from scaffold.changing import apply, record
from scaffold.changing.undo_log import UndoLog


def undo(place: Path | None) -> UndoLog:
    """Put back every file of the project at `place` (None: here); return what was taken back.

    Raises what `record.find` and `apply.undo` raise.
    """
    from scaffold.commands import add

    root = record.find(place)
    undone = apply.undo(root)
    if undone.command == add.COMMAND:
        add.remove_rest(root, undone.target)
    return undone
