"""`undo`: take back the last switch or update, or one that was cut short."""

from __future__ import annotations

from pathlib import Path

from scaffold.changing import apply, record
from scaffold.changing.journal import Journal


def undo(place: Path | None) -> Journal:
    """Put back every file of the project at `place` (None: here); return what was taken back.

    Raises what `record.find` and `apply.undo` raise.
    """
    return apply.undo(record.find(place))
