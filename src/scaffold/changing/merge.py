"""From three sides to a plan: which file is replaced, merged, kept or in conflict.

The sides: `base`, the rendering as it was made; `new`, the rendering that is wanted; and the user's
tree. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import PurePosixPath

from scaffold.changing.plan import Action, Change
from scaffold.changing.policy import Policy
from scaffold.changing.tree import Files, Tree, is_binary, like, to_lf

# What git calls a rename: half of the contents in common, so sizes differ by a factor of 2 at most.
RENAME_FACTOR = 2
# The most files that are compared for a rename; git's own diff.renameLimit is the same.
MOST_CANDIDATES = 1000


@dataclass(frozen=True)
class Merged:
    """The result of merging: contents by the user's path, and the paths in conflict.

    `renamed` maps a generated file that is gone to the user's name for it. All empty without git.
    """

    files: Files = field(default_factory=dict)
    conflicts: frozenset[str] = frozenset()
    renamed: dict[str, str] = field(default_factory=dict)


# Merges texts, given as base, the user's and new; raises nothing for conflicts.
Merger = Callable[[Files, Files, Files], Merged]


def changes(
    base: Files, new: Files, tree: Tree, policy: Policy, merger: Merger
) -> tuple[Change, ...]:
    """Return what happens to every file that is in `base` or in `new`, sorted by path."""
    planner = _Planner(base, new, tree, policy)
    planned = [change for path in sorted({*base, *new}) for change in planner.decide(path)]
    planned += planner.merge(merger)
    planned += planner.hidden()
    return tuple(sorted(planned, key=lambda change: change.path))


class _Planner:
    def __init__(self, base: Files, new: Files, tree: Tree, policy: Policy) -> None:
        self.base, self.new, self.tree, self.policy = base, new, tree, policy
        self.edited: list[str] = []
        self.missing: list[str] = []
        old = base.get(policy.work)
        self.own_work = old is not None and not (
            policy.work in tree and tree.same(policy.work, old)
        )

    def decide(self, path: str) -> Iterator[Change]:
        """Yield what happens to `path`; a file that has to be merged is noted for `merge`."""
        old, new, exists = self.base.get(path), self.new.get(path), path in self.tree
        if exists and new is not None and self.tree.same(path, new):
            return
        if old == new or new is None:
            if exists and old is not None:
                yield self._no_news(path, old, gone=new is None)
            elif new is not None and not exists and self._is_replaced(path):
                yield self._missing(path, new)
        elif not exists:
            yield from self._absent(path, new, fresh=old is None)
        elif old is None:
            yield from self._in_the_way(path, new)
        else:
            yield from self._both(path, old, new)

    def _no_news(self, path: str, old: bytes, *, gone: bool) -> Change:
        if not self.tree.same(path, old):
            reason = f"edited, though {self.policy.target} has no use for it" if gone else "edited"
            if successor := self._successor(path):
                reason = f"edited, and {successor} has taken its place: take your edit there"
                return Change(path, Action.CONFLICT, reason)
            return Change(path, Action.KEEP, reason)
        reason = self._why(f"not part of {self.policy.target}")
        return Change(path, Action.DELETE, reason, self.tree[path])

    def _successor(self, path: str) -> str | None:
        """Return the new place of a module that was beside the user's modules until 0.1.0."""
        place = self.policy.runner + path.removeprefix(self.policy.home)
        moved = "/" not in path.removeprefix(self.policy.home) and place not in self.base
        return place if moved and place in self.new else None

    def _why(self, usual: str) -> str:
        return self.policy.untouched or usual

    def _absent(self, path: str, new: bytes, *, fresh: bool) -> Iterator[Change]:
        if fresh:
            reason = self._why(f"part of {self.policy.target}")
            yield Change(path, Action.CREATE, reason, None, new)
        elif self._is_replaced(path):
            yield self._missing(path, new)
        elif self.policy.is_kept(path) or self._stays_with_work(path):
            yield Change(path, Action.KEEP, "deleted by you, stays deleted")
        else:
            self.missing.append(path)

    def hidden(self) -> Iterator[Change]:
        """Yield what happens to a module of the user's that a new `runner/` would hide."""
        path = f"{self.policy.runner.rstrip('/')}.py"
        comes = any(name.startswith(self.policy.runner) for name in self.new)
        was_there = any(name.startswith(self.policy.runner) for name in self.base)
        if comes and not was_there and path not in self.base and path in self.tree:
            action = Action.CONFLICT if self.policy.force else Action.REFUSE
            yield Change(path, action, f"yours, and {self.policy.runner} hides it: rename it")

    def _is_replaced(self, path: str) -> bool:
        return self.policy.is_machinery(path) and self.policy.replace

    def _missing(self, path: str, new: bytes) -> Change:
        """Return what happens if a part of the machinery is missing: without it no model runs.

        That includes a part which the new model has unchanged.
        """
        if self.policy.force:
            return Change(path, Action.CREATE, "was missing", None, new)
        return Change(path, Action.REFUSE, "missing: deleted, or renamed")

    def _in_the_way(self, path: str, new: bytes) -> Iterator[Change]:
        """Yield what happens if the user has a file with the name of a new file."""
        if self.policy.is_machinery(path):
            yield from self._replace(path, new, f"yours, and {self.policy.target} needs the name")
        else:
            yield from self._beside(path, new, "yours, and now there is a generated one too")

    def _both(self, path: str, old: bytes, new: bytes) -> Iterator[Change]:
        if self._stays_with_work(path):
            yield Change(path, Action.KEEP, f"goes with your {self.policy.work}")
        elif self.tree.same(path, old):
            present = self.tree[path]
            yield Change(path, Action.UPDATE, self._why("not edited"), present, like(present, new))
        elif self.policy.is_kept(path):  # it may be gigabytes, so it is not read
            yield Change(path, Action.KEEP, "edited: yours")
        elif path == self.policy.main and not any(map(self.policy.is_machinery, self.base)):
            yield from self._move_aside(path, new)
        elif self._is_replaced(path):
            yield from self._replace(path, new, "edited")
        elif self.tree.is_link(path):
            yield Change(path, Action.KEEP, "a symbolic link of yours")
        elif any(map(is_binary, (self.tree[path], old, new))):
            yield from self._beside(path, new, "edited, and not a text that can be merged")
        else:
            self.edited.append(path)

    def _stays_with_work(self, path: str) -> bool:
        return self.own_work and self.policy.goes_with_work(path)

    def _replace(self, path: str, new: bytes, reason: str) -> Iterator[Change]:
        if self.tree.is_link(path):
            yield Change(path, Action.REFUSE, "a symbolic link")
            return
        if not self.policy.force:
            yield Change(path, Action.REFUSE, reason)
            return
        present, copy = self.tree[path], self._free(f"{path}.yours")
        replaced = f"the new one; yours is kept as {copy}"
        yield Change(path, Action.UPDATE, replaced, present, like(present, new))
        yield Change(copy, Action.CREATE, f"your {path}", None, present)

    def _move_aside(self, path: str, new: bytes) -> Iterator[Change]:
        """Yield how an edited command line of 0.1.0 is replaced: without that nothing runs."""
        present, copy = self.tree[path], self._free(f"{path}.yours")
        reason = f"edited, and it is {self.policy.runner}cli.py now; yours is kept as {copy}"
        yield Change(path, Action.CONFLICT, reason, present, like(present, new))
        yield Change(copy, Action.CREATE, f"your {path}", None, present)

    def _beside(self, path: str, new: bytes, reason: str) -> Iterator[Change]:
        """Yield a conflict, and the new text beside the user's, unless it is there already.

        A text that the last command put there is replaced, unless the user edited it.
        """
        beside, last = f"{path}.new", self.base.get(path)
        action, present = Action.CREATE, None
        if beside in self.tree and self.tree.same(beside, new):
            yield Change(path, Action.CONFLICT, f"{reason}; the new one is {beside}")
            return
        if last is not None and beside in self.tree and self.tree.same(beside, last):
            action, present = Action.UPDATE, self.tree[beside]
        else:
            beside = self._free(beside)
        yield Change(path, Action.CONFLICT, f"{reason}; the new one is {beside}")
        yield Change(beside, action, f"the new {path}", present, new)

    def _free(self, path: str) -> str:
        candidate, count = path, 1
        while candidate in self.tree or candidate in self.new:
            count += 1
            candidate = f"{path}-{count}"
        return candidate

    def merge(self, merger: Merger) -> Iterator[Change]:
        """Yield what happens to the files that both sides changed, and to missing files."""
        if not self.edited and not self.missing:
            return
        paths = [*self.edited, *self.missing]
        merged = merger(
            {path: to_lf(self.base[path]) for path in paths},
            {path: to_lf(self.tree[path]) for path in [*self.edited, *self._candidates()]},
            {path: to_lf(self.new[path]) for path in paths},
        )
        for path in self.missing:
            name = merged.renamed.get(path)
            if name in merged.conflicts:
                reason = f"your name for {path}, whose new text meets your edits"
                yield from self._beside(name, self.new[path], reason)
            elif name is not None:
                yield from self._merged(name, merged, f"your name for {path}; ")
            else:
                yield Change(path, Action.KEEP, "deleted by you, stays deleted")
        for path in self.edited:
            if path in merged.conflicts:
                yield from self._beside(path, self.new[path], "your edits and the new text meet")
            elif path in merged.files:
                yield from self._merged(path, merged, "")
            else:
                yield from self._beside(
                    path, self.new[path], "edited, and without git nothing is merged"
                )

    def _merged(self, path: str, merged: Merged, remark: str) -> Iterator[Change]:
        present = self.tree[path]
        after = like(present, merged.files[path])
        if after != present:
            yield Change(path, Action.MERGE, f"{remark}your edits and the new text", present, after)

    def _candidates(self) -> list[str]:
        """Return the user's own files that may be missing files under another name."""
        sizes = [len(self.base[path]) for path in self.missing]
        if not sizes:
            return []
        known = {**self.base, **self.new}
        own_files = self.tree.others(known, min(sizes) // RENAME_FACTOR, max(sizes) * RENAME_FACTOR)
        kinds = {PurePosixPath(path).suffix for path in self.missing}
        alike = (path for path in own_files if PurePosixPath(path).suffix in kinds)
        return [path for path in islice(alike, MOST_CANDIDATES) if not is_binary(self.tree[path])]
