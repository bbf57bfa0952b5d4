"""Who owns each file of a generated project: its path tells. Pure."""

from __future__ import annotations

from dataclasses import dataclass

ITEMS = "items.jsonl"


@dataclass(frozen=True)
class Policy:
    """Who owns each file, in a project with its code in `package` that changes to `target`.

    A package that was added to a repository is a project of its own: its `package` is empty then.

    `PACKAGE/runner/` and `.concgen/` are concgen's. With `replace` the runner changes as a whole,
    because another model has another runner. Everything else is the user's: merged if it was
    edited, never replaced. The user's `work` and data are not even merged, and while `work` is
    edited, the starter's files that go with it stay too. With `force` concgen's file replaces the
    user's file in its way, and the user's is kept beside it. `untouched` is the reason given for
    changing a file that was not edited, if it is not the usual reason.
    """

    target: str
    package: str
    replace: bool
    force: bool = False
    untouched: str = ""

    @property
    def home(self) -> str:
        """What the paths of the code begin with."""
        return f"{self.package}/" if self.package else ""

    @property
    def work(self) -> str:
        """The user's function."""
        return f"{self.home}work.py"

    @property
    def main(self) -> str:
        """What `python -m PACKAGE` runs."""
        return f"{self.home}__main__.py"

    @property
    def runner(self) -> str:
        """Where the machinery is; until 0.1.0 it was beside the user's modules."""
        return f"{self.home}runner/"

    def goes_with_work(self, path: str) -> bool:
        """Tell whether `path` makes sense only with the starter's own work."""
        return path in ("tests/conftest.py", "tests/test_work.py", ITEMS)

    def is_kept(self, path: str) -> bool:
        """Tell whether the file at `path`, once edited, is not even merged."""
        return path in (self.work, ITEMS)

    def is_machinery(self, path: str) -> bool:
        """Tell whether the file at `path` is concgen's, and the engine may need it as it is."""
        return path.startswith((self.runner, ".concgen/"))

    def is_starters(self, path: str) -> bool:
        """Tell whether the file at `path` is the starter's code, which has the form of the work."""
        own = (self.main, f"{self.home}__init__.py", f"{self.home}settings.py")
        return path.startswith(self.home) and not self.is_machinery(path) and path not in own
