"""Runs on a simulated disk: crashes, power cuts, a full disk, and items that are edited in between.

The journal, its state and the way in which a run goes on are the real ones, and so is what decides
which items run. What is simulated is the disk, the input and the outcomes, all drawn from one seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

from .disk import Crash, Disk

RESULTS = "/results.jsonl"
RUNS = 6  # at most, before the last one
BACKUP = f"{RESULTS}.bak"


class Row(NamedTuple):
    """An item: its key, how often it was corrected, and whether work() fails on it."""

    key: str
    version: int
    bad: bool

    @property
    def value(self) -> str:
        """What work() returns; some take several blocks."""
        size = 1500 if int(self.key[1:]) % 7 == 0 else 10
        return f"{self.key} {self.version} {'x' * size}"


class Reader:
    """The rows, as a format gives them."""

    header, note, share = b"", "", None

    def __init__(self, rows: list[Row]) -> None:
        self._rows, self.line = rows, 0

    def records(self) -> Iterator[Row]:
        """Each."""
        for row in self._rows:
            self.line += 1
            yield row

    def pack(self, row: Row) -> bytes:
        """What tells whether it has changed."""
        return repr(row).encode()

    def parse(self, row: Row) -> dict[str, Any]:
        """The item."""
        return row._asdict()


class Story:
    """What one seed does to a results file, and what is known of it."""

    def __init__(self, seed: int, modules: SimpleNamespace) -> None:
        self.random = random.Random(seed)
        self.modules = modules
        self.disk = Disk(self.random, links=self.random.random() < 0.8)
        self.key = self.random.choice([None, "key"])
        self.fsync = self.random.random() < 0.5
        self.made = 0  # keys
        self.rows = [self._new() for _ in range(self.random.randint(0, 12))]
        self.good: dict[str, Row] = {}  # written down, and not to be lost
        self.safe: dict[str, Row] = {}  # of them, those that survive a power cut
        self.maybe: set[str] = set()  # keys of good results that nobody was promised
        self.edited = False  # so that a run without --retry-failed may refuse
        self.unsure = False  # a power cut, without fsync, after items were edited
        self.refused = False
        self.told: list[str] = []
        self.now = 0.0

    def monotonic(self) -> float:
        """The time: now and then a second goes by."""
        self.now += self.random.choice([0.0, 0.0, 0.5])
        return self.now

    def _new(self) -> Row:
        self.made += 1
        return Row(f"k{self.made}", 0, self.random.random() < 0.3)

    def edit(self) -> None:
        """Correct what has no good result; with keys, also add, remove and move."""
        rng = self.random
        for at, row in enumerate(self.rows):
            if row.key not in self.kept and rng.random() < 0.4:
                self.rows[at] = row._replace(version=row.version + 1, bad=rng.random() < 0.3)
        self.rows += [self._new() for _ in range(rng.randint(0, 3))]
        if self.key is None:
            return
        for _ in range(rng.randint(0, 3)):
            self.rows.insert(rng.randint(0, len(self.rows)), self._new())
        if rng.random() < 0.3:
            rng.shuffle(self.rows)
        if rng.random() < 0.3:
            self.rows = [row for row in self.rows if row.key in self.kept or rng.random() < 0.8]

    @property
    def kept(self) -> set[str]:
        """Keys of items that are not to be edited: they have a good result."""
        return self.maybe | set(self.good)

    def items(self) -> Any:
        """The input of a run."""
        story = self

        class Input(self.modules.items.Items):  # type: ignore[misc,name-defined]
            """It is in no file."""

            def __init__(self) -> None:
                self.name, self.key, self.count, self.keys = "items.csv", story.key, 0, {}
                self._tell, self._noted = story.told.append, False
                self._seen, self._watched, self._repeated = set(), 0, 0
                self.rewinds = True
                self.rewind()

            def rewind(self) -> None:
                self._reader, self.count = Reader(story.rows), 0

            def is_one_of(self, *paths: str) -> bool:
                return False

            def close(self) -> None:
                """Nothing to close."""

        return Input()

    def run(self, *, fresh: bool = False, retry: bool = False, stop_at: int | None = None) -> None:
        """One run of the project, until its end or that of its process."""
        results, resume = self.modules.results, self.modules.resume
        items = self.items()
        with (
            closing(results.Journal(RESULTS, fsync=self.fsync, version=self.version())) as journal,
            closing(resume.Resume(journal, items, fresh=fresh, retry_failed=retry)) as resumed,
        ):
            window: list[tuple[int, dict[str, Any]]] = []
            if fresh:
                self.good, self.safe = {}, {}
            for number, numbered in enumerate(resumed.pending()):
                if number == stop_at:
                    return
                window.append(numbered)
                assert numbered[1]["key"] not in self.good, "a task with a good result runs again"
                if self.random.random() < 0.4:
                    self._finish(journal, items, window)
            while window:
                self._finish(journal, items, window)

    def _finish(self, journal: Any, items: Any, window: list[Any]) -> None:
        """Some of what is in flight finishes, in any order."""
        self.random.shuffle(window)
        burst = []
        for _ in range(self.random.randint(1, len(window))):
            position, item = window.pop()
            row, task = Row(**item), self.modules.task
            failure = self.modules.failures.Failure("ValueError: bad") if row.bad else None
            value = None if row.bad else row.value
            burst.append(task.Outcome(position, item, value, failure, 0.001, 1))
        for outcome in journal.write(burst, items.keys):
            if outcome.ok:
                row = Row(**outcome.item)
                self.good[row.key] = row
                if self.fsync:
                    self.safe[row.key] = row

    def version(self) -> str:
        """Of work.py: it is edited as well."""
        return self.random.choice("aab") * 32

    def tell(self) -> None:
        """One seed: runs that end as they end, and one in which all goes well."""
        for _ in range(self.random.randint(1, RUNS)):
            self._one_run()
        disk = self.disk
        disk.start(None, None)
        self.rows = [row._replace(bad=False, version=row.version + row.bad) for row in self.rows]
        try:
            self.run(retry=True)
        except self.modules.results.Refused as refused:
            if not self.unsure:
                raise
            self.refused = str(refused)
            del disk.names[RESULTS]
            self.good = {}
            self.run()
        self.run()

    def _one_run(self) -> None:
        rng, disk = self.random, self.disk
        if rng.random() < 0.5:
            disk.sync_all()
            self.safe = dict(self.good)
        self.old = self.safe
        retry, fresh = rng.random() < 0.6, rng.random() < 0.1
        if rng.random() < 0.7 and (retry or fresh):
            self.edit()
            self.edited = True
        crash_at = rng.randint(0, 40) if rng.random() < 0.7 else None
        disk.start(crash_at, rng.randint(0, 4000) if rng.random() < 0.2 else None)
        stop_at = rng.randint(0, 5) if rng.random() < 0.3 else None
        before = self.good
        try:
            self.run(fresh=fresh, retry=retry, stop_at=stop_at)
        except Crash:
            if rng.random() < 0.5:
                before = before and dict(self.old)
                self.good = dict(self.safe)
                self.unsure |= not self.fsync
                disk.power_cut()
        except self.modules.results.Refused:
            if not (self.edited and not retry) and not self.unsure:
                raise
        except self.modules.ledger.JournalError:
            assert disk.room is not None, "it cannot be written, and there is room"
        self._look(before if fresh and not self.good else {})

    def _look(self, before: dict[str, Row]) -> None:
        """What was written down is there; after --fresh without a new result, what was before."""
        there, aside = self.found(RESULTS), self.found(BACKUP)
        assert self.good.items() <= there.items(), "a good result is lost"
        kept = before.items() <= there.items()
        new = RESULTS in self.disk.names and b"\n" in self.disk.names[RESULTS].data
        assert kept or new or before.items() <= aside.items(), "old results are gone"
        if kept and not self.unsure:
            self.good |= before
        self.maybe = set(there) - set(self.good)

    def found(self, name: str) -> dict[str, Row]:
        """The good results in a file, by the key that their value has."""
        rows = {}
        inode = self.disk.names.get(name)
        for line in bytes(inode.data).split(b"\n")[:-1] if inode else ():
            said = self.modules.results.parse(line)
            if said is not None and said.ok and b'"value": "' in line:
                key, version, _ = line.split(b'"value": "')[1].decode().split(" ", 2)
                rows[key] = Row(key, int(version), bad=False)
        return rows


def simulate(
    seed: int, modules: SimpleNamespace, patch: Callable[[ModuleType, str, Any], None]
) -> Story:
    """Tell one story to its end."""
    story = Story(seed, modules)
    disk = story.disk
    for module in (modules.results, modules.ledger, modules.resume):
        patch(module, "os", disk.os())
        patch(module, "FileIO", disk.open)
        for name, stand_in in (
            ("open", disk.open),
            ("time", story),
            ("shutil", disk.shutil()),
            ("say", story.told.append),
            ("_lock", lambda _: None),
            ("_held", set()),
            ("is_of_sample", lambda _: False),
        ):
            if name == "open" or hasattr(module, name):
                patch(module, name, stand_in)
    story.tell()
    return story
