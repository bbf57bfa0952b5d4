"""What a run does with the results of earlier runs: go on, forget failures, or start over.

First the results and the input are checked, and refused if they do not fit. The files change when
the first item is there, and change back if no result follows. So a wrong input, option or setup()
touches nothing of an earlier run.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from io import FileIO
from typing import Any, cast

from .items import Items, ItemsError, digest_of
from .ledger import JournalError, sync_names
from .prints import say, to_type
from .results import BAD, GOOD, LOST, Journal, Line, Refused, parse, renumbered
from .task import IDLE, Burst, Numbered
from .values import Encode

Keep = Callable[[Line], int | None]  # the id of a result from now on; None drops it
NONE: Keep = lambda _: None  # noqa: E731
PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PRISTINE = os.path.join(PROJECT, ".concgen", "pristine.zip")  # the project as it was made
LOOKING = 10.0  # seconds to check items without a result before the first task: some million lines
NEW, COPY = ".00000000.new", ".00000001.new"  # of results files, before they get their name


class Resume:
    """The journal, checked against the input, and what has to change in it."""

    def __init__(
        self,
        journal: Journal,
        items: Items,
        *,
        fresh: bool = False,
        retry_failed: bool = False,
        limit: int | None = None,
    ) -> None:
        """Check the journal against the input. Raises Refused, or ItemsError."""
        self._journal, self._items, self._limit = journal, items, limit
        self._retry = retry_failed
        self._keep: Keep | None = None  # set when the results have to be written anew
        ledger = journal.ledger
        self._before: dict[str, Any] = {"area": ledger.area, "versions": ledger.versions}
        self._replaced = self._dropped = False
        with self._replacing():
            self._clear_up()
        if items.rewinds and items.is_one_of(journal.path, f"{journal.path}.state"):
            raise Refused(
                f"{items.name} and {journal.name} are the same file: "
                "--results names another for what is made of it"
            )
        if not journal.size:
            self._look_through()
        elif fresh:
            self._start_over()
        else:
            self._go_on()

    def _go_on(self) -> None:
        journal = self._journal
        if not journal.has_state:
            raise Refused(
                f"{journal.name} has results, but {journal.name}.state does not tell of which "
                "input: restore it, or start over with --fresh"
            )
        journal.load()
        try:
            self._look_through(wholly=self._retry)
        except Refused:
            if not is_of_sample(journal):
                raise
            journal.set_done(bytearray())
            self._items.rewind()
            self._start_over()
            say(f"{journal.name} holds results of the sample: it is {_set_aside(journal)} now")
            return
        if journal.lost:
            say(
                f"{journal.lost:,} results are damaged, or of items that {journal.name}.state does "
                "not know, as after a power cut: their tasks run again"
            )
        if journal.lost or (self._retry and journal.failed):
            self._keep = self._keep or self._as_done
        forget = bytes(0 if self._is_open(state) else state for state in range(256))
        journal.set_done(journal.done.translate(forget))

    def _clear_up(self) -> None:
        """Remove what is left of a replacement that kill -9 cut short."""
        path, ledger = self._journal.path, self._journal.ledger
        for left in (NEW, COPY):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path + left)
        backup = f"{path}.bak"
        if ledger.backup is None or not os.path.exists(backup):
            return
        if os.path.samefile(backup, path):  # the new results did not get their name
            os.unlink(backup)
            ledger.backup = None

    def pending(self) -> Iterator[Numbered | None]:
        """Yield the items that are still to do. The first replaces the results, if need be."""
        begun = False
        for numbered in self._items.pending(self._journal, self._limit):
            if not begun and numbered is not None:
                begun = True
                self._replace()
            yield numbered
        reached = len(self._journal.done.rstrip(b"\0"))
        if self._limit is None and self._items.count < reached:
            raise self._refusal("it is shorter")
        if not begun:
            self._replace()
            self._dropped = self._keep is NONE  # nothing will come in the place of the others

    def close(self) -> None:
        """Put the old results back, if no new result came."""
        journal, ledger = self._journal, self._journal.ledger
        if not self._replaced or journal.written or ledger.backup is None:
            return
        with self._replacing():
            if not self._dropped:  # they only got other ids
                if ledger.backup is self._before:
                    journal.settle()
                return
            area, ledger.versions = ledger.backup["area"], ledger.backup["versions"]
            self._give_name(f"{journal.path}.bak", area)
            ledger.backup = None
            ledger.save()

    def _start_over(self) -> None:
        """Give up the results, once the whole input was read without an error."""
        self._look_through(wholly=True)
        self._keep = NONE
        self._journal.ledger.begin_area([])

    def _look_through(self, *, wholly: bool = False) -> None:
        """Check that the items that have results are as they were, and the others can be read.

        A pipe cannot be read twice. Items without a result get LOOKING seconds, if not `wholly`.
        """
        items = self._items
        if not items.rewinds:
            return
        changed = self._compare(wholly)
        items.rewind()
        if changed and items.key is None:
            raise self._refusal(changed)
        if changed:
            self._realign()
            items.rewind()

    def _compare(self, wholly: bool) -> str:
        """Say which items have changed since their results were made; empty if none has."""
        items, journal, done = self._items, self._journal, self._journal.done
        reached = len(done.rstrip(b"\0"))
        changed, until = Changed(), time.monotonic() + LOOKING
        for position, record, digest in items.records(self._limit):
            if record is None:
                if position >= reached and not wholly:  # it is being written
                    break
                time.sleep(IDLE)
                continue
            state = done[position] if position < len(done) else 0
            if self._is_open(state):
                item = items.parse(record)
                if items.key is not None:
                    items.key_of(item)
            elif digest != (before := journal.ledger.digest(position)):
                if before.strip(b"\0"):
                    changed.add(items.place, state)
                else:  # the state file has lost what its item was
                    done[position] = LOST
                    journal.lost += 1
            if position + 1 == reached:
                until = time.monotonic() + LOOKING
            elif position >= reached and not wholly and time.monotonic() > until:
                say(f"{items.name}: {items.count:,} items are checked; the others as they are read")
                break
        if items.count < reached and self._limit is None:
            # LOST counts too: a power cut damages results, but makes none up.
            left = done[items.count :]
            changed.gone = sum(state == LOST or not self._is_open(state) for state in left)
        return str(changed)

    def _is_open(self, state: int) -> bool:
        """Whether an item with this state in `done` is still to do."""
        return state in (0, LOST) or (self._retry and state == BAD)

    def _as_done(self, line: Line) -> int | None:
        """Keep the results that `done` has."""
        done = self._journal.done
        return line.id if line.id < len(done) and done[line.id] in (GOOD, BAD) else None

    def _realign(self) -> None:
        """Find the items of the results by their keys, wherever they are now."""
        items, journal = self._items, self._journal
        lines = filter(None, map(parse, journal.lines()))
        results = {line.key: line for line in lines if self._as_done(line) is not None}
        if len(results) != journal.ok + journal.failed:
            raise self._refusal("and not every result has a key of its own that tells which it is")
        moved: dict[int, int] = {}
        done, digests, changed = bytearray(), bytearray(), Changed()
        for position, record, digest in items.whole():
            digests += digest
            done.append(0)
            line = results.pop(items.key_of(items.parse(record)), None)
            if line is None or (self._retry and not line.ok):
                continue
            state, before = GOOD if line.ok else BAD, journal.ledger.digest(line.id)
            if digest == before:
                moved[line.id], done[position] = position, state
            elif before.strip(b"\0"):
                changed.add(items.place, state)
            else:
                journal.lost += 1
        changed.gone = sum(line.ok or not self._retry for line in results.values())
        if what := str(changed):
            raise self._refusal(what)
        journal.set_done(done)
        journal.ledger.begin_area([digests])
        self._keep = lambda line: moved.get(line.id)

    def _refusal(self, what: str) -> Refused:
        stem = os.path.splitext(os.path.basename(self._items.name))[0]
        own = to_type([f"results.{stem if len(stem) > 1 else 'other'}.jsonl"])
        return Refused(
            f"{self._items.name} is not what the results in {self._journal.name} were made of: "
            f"{what}; restore it, give it results of its own with --results {own}, "
            "or start over with --fresh"
        )

    def _replace(self) -> None:
        """Write the results anew. The old ones stay as .bak until the first new result."""
        if self._keep is None:
            return
        journal, ledger = self._journal, self._journal.ledger
        with self._replacing():
            new, versions = self._written_anew(self._keep)
            try:
                if ledger.area == self._before["area"]:
                    ledger.copy_area()  # the old results keep their own digests
                ledger.flush()
                area, ledger.area = ledger.area, self._before["area"]
                if ledger.backup is None:
                    self._back_up()
                ledger.versions = versions
                self._give_name(new, area)
            finally:
                if os.path.exists(new):
                    os.unlink(new)
            journal.size = os.stat(journal.path).st_size
        self._replaced = True

    @contextlib.contextmanager
    def _replacing(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise JournalError(f"cannot replace {self._journal.name}: {exc.strerror}") from None

    def _give_name(self, file: str, area: int) -> None:
        """Make `file` the results, with the digests in `area`: both at the same moment."""
        journal, ledger = self._journal, self._journal.ledger
        ledger.save(other={"area": area, "inode": os.stat(file).st_ino}, sync=True)
        journal.file.close()  # Windows replaces no open file
        os.replace(file, journal.path)
        sync_names(os.path.dirname(journal.path))
        ledger.area = area
        ledger.save()
        journal.file = FileIO(journal.path, "a+")

    def _written_anew(self, keep: Keep) -> tuple[str, list[list[Any]]]:
        """Write the results that stay to a file next to them; return its name, and versions."""
        journal = self._journal
        versions: list[list[Any]] = []
        old = list(journal.ledger.versions)
        kept = 0
        new = journal.path + NEW
        self._dropped = keep is NONE
        with open(new, "xb", buffering=1 << 16) as file:
            shutil.copymode(journal.path, new)
            for count, line in enumerate(journal.lines() if keep is not NONE else ()):
                while old and old[0][0] <= count:
                    versions.append([kept, old.pop(0)[1]])
                result = parse(line)
                index = keep(result) if result else None
                if result and index is not None:
                    kept += 1
                    file.write(line if index == result.id else renumbered(line, index))
                else:
                    self._dropped = True
            file.flush()
            os.fsync(file.fileno())
        return new, versions

    def _back_up(self) -> None:
        """Give the results a second name, by a hard link; where there are none, copy them."""
        path, backup = self._journal.path, f"{self._journal.path}.bak"
        if os.path.lexists(backup):
            raise Refused(f"{backup} exists, and no run made it: move it away")
        self._journal.ledger.backup = self._before
        self._journal.ledger.save(sync=True)  # first: without its file it is ignored
        try:
            os.link(path, backup)
        except OSError:
            copy = path + COPY  # it gets its name when it is whole
            shutil.copy2(path, copy)
            with open(copy, "r+b") as file:
                os.fsync(file.fileno())
            os.replace(copy, backup)
        sync_names(os.path.dirname(path))


def _set_aside(journal: Journal) -> str:
    """Copy the results to a name of their own, and return it. Raises Refused."""
    stem, suffix = os.path.splitext(journal.path)
    names = (
        f"{stem}.sample{number if number > 1 else ''}{suffix}" for number in itertools.count(1)
    )
    copy = next(name for name in names if not os.path.lexists(name))
    try:
        shutil.copy2(journal.path, copy)
        shutil.copy2(f"{journal.path}.state", f"{copy}.state")
    except OSError as exc:
        raise Refused(f"cannot copy {journal.name} to {copy}: {exc.strerror}") from None
    return os.path.basename(copy)


def is_of_sample(journal: Journal) -> bool:
    """Whether the results are those of the items that came with the project."""
    from zipfile import BadZipFile, ZipFile  # few runs need it

    try:
        with ZipFile(PRISTINE) as archive:
            lines = map(bytes.strip, archive.read("items.jsonl").splitlines())
    except (OSError, KeyError, BadZipFile):
        return False
    digests = [digest_of(line) for line in lines if line]
    ledger, known = journal.ledger, journal.ledger.known
    return 0 < known <= len(digests) and digests[:known] == [*map(ledger.digest, range(known))]


class Changed:
    """Items that have changed since their results were made."""

    def __init__(self) -> None:
        self._first = ""
        self._count = self._failed = 0
        self.gone = 0  # results of items that are no longer there

    def add(self, place: str, state: int) -> None:
        self._first = self._first or place
        self._count += 1
        self._failed += state == BAD

    def __str__(self) -> str:
        parts = []
        if self._count:
            more = f" and {self._count - 1:,} more" if self._count > 1 else ""
            parts.append(f"{self._first}{more} differ{'' if more else 's'}")
        if self.gone:
            parts.append(f"{self.gone:,} items that have a result are gone")
        if self._failed:
            parts.append(f"{self._failed:,} had failed and run again with --retry-failed")
        return ", ".join(parts)


class Journalled:
    """The journal for items of a program: a later run goes on where an earlier one ended."""

    rewinds = False  # like a pipe: this class stands in for Items, too
    key = None

    def __init__(
        self,
        name: str,
        items: Iterable[Numbered | None],
        encode: Encode | None,
        retry_failed: bool,
    ) -> None:
        self.name, self.count, self._items = "the input", 0, items
        with contextlib.ExitStack() as stack:
            self._journal = stack.enter_context(contextlib.closing(Journal(name, encode=encode)))
            resume = Resume(self._journal, cast(Items, self), retry_failed=retry_failed)
            self._resume = stack.enter_context(contextlib.closing(resume))
            self.close = stack.pop_all().close  # without a new result, the file is as it was

    def __iter__(self) -> Iterator[Numbered | None]:
        return self._resume.pending()

    def pending(self, journal: Journal, _: int | None) -> Iterator[Numbered | None]:
        """The items without a result. Raises ItemsError at an item that has changed."""
        others = ItemsError(
            f"{journal.name} has results of other items: delete it, or name another file"
        )
        for entry in self._items:
            if entry is None:  # there is none yet
                yield None
                continue
            position, item = entry
            self.count = position + 1
            text = json.dumps(
                item,
                sort_keys=True,
                default=lambda o: vars(o) if hasattr(o, "__dict__") else str(o),
            )
            digest = digest_of(text.encode())
            before = journal.ledger.digest(position)
            if not (position < len(journal.done) and journal.done[position]):
                if digest != before:
                    journal.ledger.note(position, digest)
                yield position, item
            elif digest != before:
                raise others
        if any(journal.done[self.count :]):
            raise others

    def write(self, burst: Burst) -> Burst:
        """Append the outcomes; a value that cannot be written has become an error."""
        return self._journal.write(burst, {})
