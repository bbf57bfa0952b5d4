"""`diff`: what the user changed in the generated files since they were made."""

from __future__ import annotations

from pathlib import Path

from scaffold.changing import record
from scaffold.changing.plan import Action, Change
from scaffold.changing.record import Record
from scaffold.changing.tree import Tree
from scaffold.making.project import PRISTINE

# Bytes of a file that is still compared line by line; an input of a million items is not.
LARGEST = 10_000_000


def edits(place: Path | None) -> tuple[Change, ...]:
    """Return the generated files that are not as they were made: changed, or deleted.

    Raises what `record.load` raises.
    """
    return edits_of(record.load(place))


def edits_of(known: Record) -> tuple[Change, ...]:
    """Return the edits in a project whose record is read already."""
    tree = Tree(known.root)
    changes = []
    for path, pristine in sorted(known.pristine.items()):
        if path == PRISTINE:
            continue
        if path not in tree:
            changes.append(Change(path, Action.DELETE, "deleted", pristine, None))
        elif tree.same(path, pristine):
            if tree[path] != pristine:
                changes.append(Change(path, Action.KEEP, "only the line endings differ"))
        elif tree.size(path) > LARGEST:
            changes.append(Change(path, Action.KEEP, "edited, and too large to show"))
        else:
            changes.append(Change(path, Action.UPDATE, "edited", pristine, tree[path]))
    return tuple(changes)
