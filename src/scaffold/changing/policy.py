"""Whose file is whose in a generated project. Pure."""

from __future__ import annotations

from dataclasses import dataclass

ITEMS = "items.jsonl"


@dataclass(frozen=True)
class Policy:
    """Whose file is whose in a project whose code is in `package`, on its way to `target`.

    The user's `work` and data are never merged, and while the work is edited, what the starter
    brought with it stays too. The machinery is ours; with `replace` it changes as a whole, being
    another model's. `force` takes ours where the user's is in the way, and keeps that beside it.
    `untouched` says, if there is more to say than usual, why a file that is not edited changes.
    """

    target: str
    package: str
    replace: bool
    force: bool = False
    untouched: str = ""

    @property
    def work(self) -> str:
        """The user's function."""
        return f"{self.package}/work.py"

    def goes_with_work(self, path: str) -> bool:
        """Tell whether `path` makes sense with the starter's own work only."""
        return path in ("tests/conftest.py", "tests/test_work.py", ITEMS)

    def is_yours(self, path: str) -> bool:
        """Tell whether the file at `path`, once edited, is the user's alone."""
        return path in (self.work, ITEMS)

    def is_machinery(self, path: str) -> bool:
        """Tell whether the file at `path` is ours, and the engine may need it as it is."""
        own = (self.work, f"{self.package}/settings.py")
        return path.startswith(f"{self.package}/") and path not in own
