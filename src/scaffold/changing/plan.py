"""The plan of a switch or an update: what happens to each file, and why. Pure.

A dry run, a diff, a JSON document and the writing all use the same plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What happens to one file."""

    CREATE = "create"
    UPDATE = "update"
    MERGE = "merge"
    DELETE = "delete"
    KEEP = "keep"
    CONFLICT = "conflict"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Change:
    """What happens to one file, and why.

    `before` and `after` are its contents, None if it does not exist. If they are the same, nothing
    is written.
    """

    path: str
    action: Action
    reason: str
    before: bytes | None = None
    after: bytes | None = None


@dataclass(frozen=True)
class Plan:
    """All that one command does to a project. `source` and `target` are models, or versions."""

    command: str
    source: str
    target: str
    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()

    @property
    def writes(self) -> tuple[Change, ...]:
        """The changes that reach the disk."""
        return tuple(change for change in self.changes if change.before != change.after)

    def of(self, action: Action) -> tuple[Change, ...]:
        """Return the changes of one kind."""
        return tuple(change for change in self.changes if change.action is action)
