"""Whatever the user did to the files: no byte of it is lost by a switch, nor by coming back."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaffold.changing import git
from scaffold.changing.plan import Action
from scaffold.changing.record import RECORD
from scaffold.changing.undo_log import FOLDER as UNDO
from scaffold.commands import switch
from scaffold.core.domain import Model

from .conftest import MODELS, answers, make, needs_git, render, snapshot

MARK = re.compile(rb"user-wrote-\d+")

models = st.sampled_from([str(model) for model in MODELS])
edits = st.lists(
    st.tuples(
        st.sampled_from(["insert", "append", "delete-lines", "crlf", "rename", "remove", "own"]),
        st.integers(0, 10**6),
        st.integers(0, 10**6),
    ),
    max_size=6,
)


def do(root: Path, number: int, what: str, which: int, where: int) -> None:
    """Do one edit to one of the project's files."""
    paths = sorted(path for path in snapshot(root) if path not in RECORD)
    place = root / paths[which % len(paths)]
    lines = place.read_bytes().splitlines(keepends=True)
    mark = b"# user-wrote-%d\n" % number
    if what == "insert":
        lines.insert(where % (len(lines) + 1), mark)
    elif what == "append":
        lines.append(mark)
    elif what == "delete-lines":
        start = where % (len(lines) + 1)
        del lines[start : start + 1 + where % 5]
    elif what == "crlf":
        lines = [line.rstrip(b"\r\n") + b"\r\n" for line in lines]
    if what == "rename":
        place.rename(place.with_name(f"my_{number}_{place.name}"))
    elif what == "remove":
        place.unlink()
    elif what == "own":
        (root / "crawl" / f"own{number}.py").write_bytes(mark)
    else:
        place.write_bytes(b"".join(lines))


def marks(files: dict[str, bytes]) -> set[bytes]:
    """Return all that the user wrote, wherever it is."""
    return {mark for data in files.values() for mark in MARK.findall(data)}


def go(root: Path, model: str, *, force: bool) -> set[Action] | None:
    """Switch, and return what was done; None when it was refused."""
    before = snapshot(root)
    prepared = switch.prepare(root, Model(model), force=force)
    assert snapshot(root) == before
    if prepared.refusal:
        return None
    if prepared.plan.writes:
        prepared.carry_out()
    return {change.action for change in prepared.plan.changes}


@needs_git
@pytest.mark.parametrize("version", [git.MERGE_TREE, (2, 30), None])
@settings(max_examples=int(os.environ.get("LIFE_EXAMPLES", "40")), deadline=None)
@given(models, models, models, edits, st.booleans())
def test_no_byte_is_lost_and_there_and_back_is_the_same_tree(
    version: tuple[int, int] | None,
    here: str,
    there: str,
    further: str,
    changes: list[tuple[str, int, int]],
    force: bool,
) -> None:
    with (
        tempfile.TemporaryDirectory() as scratch,
        mock.patch.object(git, "version", return_value=version),
    ):
        root = make(Path(scratch).resolve() / "crawl", here)
        for number, (what, which, where) in enumerate(changes):
            do(root, number, what, which, where)
        edited = snapshot(root)

        done = go(root, there, force=force)
        if done is None:
            assert not force
            return
        switched = snapshot(root)
        assert marks(switched) == marks(edited)

        assert go(root, here, force=False) is not None  # the way back needs no force
        assert snapshot(root) == edited

        assert go(root, there, force=force) is not None
        assert snapshot(root) == switched
        if Action.CONFLICT not in done:  # an unsettled conflict bars the way to elsewhere
            assert go(root, further, force=True) is not None
            assert marks(snapshot(root)) == marks(edited)


@needs_git
@settings(max_examples=int(os.environ.get("LIFE_EXAMPLES", "40")), deadline=None)
@given(models, models, edits)
def test_without_the_journal_edits_that_met_nothing_come_back(
    here: str, there: str, changes: list[tuple[str, int, int]]
) -> None:
    """A clone of the repository has no undo log: the way back is merged, not restored."""
    with tempfile.TemporaryDirectory() as scratch:
        root = make(Path(scratch).resolve() / "crawl", here)
        for number, (what, which, where) in enumerate(changes):
            if what in ("insert", "append", "own"):
                do(root, number, what, which, where)
        edited = snapshot(root)
        done = go(root, there, force=False)
        shutil.rmtree(root / UNDO, ignore_errors=True)
        if done is None or Action.CONFLICT in done:
            return
        back = go(root, here, force=False)
        assert marks(snapshot(root)) == marks(edited)
        if back is not None and Action.CONFLICT not in back:
            assert snapshot(root) == edited


def test_a_project_without_edits_becomes_what_new_would_have_made(tmp_path: Path) -> None:
    """From every model to every other, and back, byte for byte, the record included."""
    for source in MODELS:
        for target in MODELS:
            root = make(tmp_path / f"{source}-{target}", str(source))
            go(root, str(target), force=False)
            assert snapshot(root) == render(answers(str(target)))
            go(root, str(source), force=False)
            assert snapshot(root) == render(answers(str(source)))
