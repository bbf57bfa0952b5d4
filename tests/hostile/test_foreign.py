"""A project out of somebody else's repository: its `.concgen/` is data, and is never trusted."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from life.conftest import answers, make, render

from scaffold.changing import undo_log
from scaffold.changing.record import ANSWERS
from scaffold.commands import change
from scaffold.making.project import PRISTINE

from .conftest import Cage, check_sound
from .strings import AWKWARD, texts, values

quick = settings(settings.get_profile("hostile"))
RECORD = json.loads(render(answers("asyncio"))[ANSWERS])
KEYS = sorted(RECORD["answers"])
DECISION = RECORD["answers"]["decision"]
COMMANDS = (["switch", "threading"], ["update"], ["diff"], ["check"], ["undo"])
commands = st.sampled_from(COMMANDS)


def check(cage: Cage, words: list[str]) -> None:
    """Nothing changes but by a switch that succeeds, and that leaves a sound project."""
    before = cage.snapshot()
    ended = cage.run(*words)
    after = cage.snapshot()
    if ended.code == 0 and words[0] in ("switch", "update", "undo"):
        check_sound(cage.here)
        assert {name for name in after if not name.startswith("here")} == set()
    else:
        assert after == before
    assert not any(name.split("/")[-1] == "OWNED" for name in after)


@quick
@given(key=st.sampled_from(KEYS), value=values, words=commands)
def test_any_answer(cage: Callable[[], Any], key: str, value: object, words: list[str]) -> None:
    """One answer is replaced by anything that JSON can hold."""
    with cage() as made:
        make(made.here)
        record = {**RECORD, "answers": {**RECORD["answers"], key: value}}
        (made.here / ANSWERS).write_text(json.dumps(record))
        check(made, words)


@quick
@given(key=st.sampled_from(sorted(DECISION)), text=texts | values, words=commands)
def test_any_text_in_the_decision(
    cage: Callable[[], Any], key: str, text: object, words: list[str]
) -> None:
    """What CONCURRENCY.md quotes is quoted as it is."""
    with cage() as made:
        make(made.here)
        old = DECISION[key]
        new = [
            {**entry, "text": text, "note": text} if isinstance(entry, dict) else text
            for entry in old
        ]
        decision = {**DECISION, key: new if isinstance(old, list) else text}
        record = {**RECORD, "answers": {**RECORD["answers"], "decision": decision}}
        (made.here / ANSWERS).write_text(json.dumps(record))
        check(made, words)


@pytest.mark.parametrize("text", [text for text in AWKWARD if text.isprintable()])
def test_a_headline_is_taken_literally(
    cage: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """A template in it is not rendered."""
    with cage() as made:
        make(made.here)
        decision = {**DECISION, "headline": text}
        record = {**RECORD, "answers": {**RECORD["answers"], "decision": decision}}
        (made.here / ANSWERS).write_text(json.dumps(record))
        assert made.run("switch", "threading", "--force").code in (0, 4)
        assert f"**{text}**" in (made.here / "CONCURRENCY.md").read_text("utf-8")
        check_sound(made.here)


@quick
@given(
    content=st.binary(max_size=300) | values.map(lambda value: json.dumps(value).encode()),
    name=st.sampled_from(
        [ANSWERS, PRISTINE, f"{undo_log.FOLDER}/undo.zip", f"{undo_log.FOLDER}/applying.zip"]
    ),
    words=commands,
)
def test_any_bytes(cage: Callable[[], Any], content: bytes, name: str, words: list[str]) -> None:
    """A file of `.concgen/` holds anything."""
    with cage() as made:
        make(made.here)
        (made.here / name).parent.mkdir(exist_ok=True)
        (made.here / name).write_bytes(content)
        check(made, words)


@quick
@given(
    place=st.floats(0, 1),
    byte=st.integers(0, 255),
    name=st.sampled_from([ANSWERS, PRISTINE]),
    words=commands,
)
def test_one_other_byte(
    cage: Callable[[], Any], place: float, byte: int, name: str, words: list[str]
) -> None:
    """One byte is another: noticed, or without effect on where things are written."""
    with cage() as made:
        make(made.here)
        data = bytearray((made.here / name).read_bytes())
        data[int(place * (len(data) - 1))] = byte
        (made.here / name).write_bytes(data)
        check(made, words)


@quick
@given(names=st.lists(texts, min_size=1, max_size=4), words=commands)
def test_any_path_in_the_pristine_files(
    cage: Callable[[], Any], names: list[str], words: list[str]
) -> None:
    """An archive names files anywhere."""
    with cage() as made:
        make(made.here)
        with zipfile.ZipFile(made.here / PRISTINE, "a") as archive:
            for name in names:
                archive.writestr(zipfile.ZipInfo(name.encode("utf-8", "replace").decode()), "x")
        check(made, words)


@quick
@given(path=texts, mode=values, title=texts)
@example(path="x" * 300, mode=None, title="")
@example(path="x/" * 600 + "x", mode=None, title="")
def test_any_undo_log(cage: Callable[[], Any], path: str, mode: object, title: str) -> None:
    """What undoes a switch writes inside the project only, with no more than permissions."""
    manifest = {
        "schema": 1,
        "command": "switch",
        "from": title,
        "to": title,
        "files": [{"path": path, "mode": mode}],
        "conflicts": [],  # as concgen wrote them at first
    }
    with cage() as made:
        make(made.here)
        folder = made.here / undo_log.FOLDER
        folder.mkdir()
        with zipfile.ZipFile(folder / "undo.zip", "w") as archive:
            archive.writestr("manifest.json", json.dumps(manifest))
            archive.writestr("before/0", "planted")
        check(made, ["undo"])
        assert not any(p.stat().st_mode & 0o7000 for p in made.here.rglob("*") if p.is_file())


LINKS = (
    ".concgen", ANSWERS, PRISTINE, undo_log.FOLDER, f"{undo_log.FOLDER}/.gitignore",
    f"{undo_log.FOLDER}/unwritten-PID.zip", "crawl", "crawl/runner/engine.py",
    "crawl/runner/.engine.py.concgen", "tests", "README.md", ".README.md.concgen",
)  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="makes links and pipes")
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "endless", "directory"])
def test_nothing_is_written_or_read_through(
    cage: Callable[[], Any], words: list[str], name: str, kind: str
) -> None:
    """A link to a file of the user's, to nowhere, a pipe that nobody writes to, /dev/zero."""
    if kind == "directory" and "PID" in name:
        return  # nobody knows the number beforehand; it would be an error of one line
    with cage() as made:
        make(made.here)
        victim = made.root / "victim"
        place = made.here / name.replace("PID", str(os.getpid()))
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists() and kind == "link":
            place.rename(victim)
        elif kind == "link":
            victim.write_text("precious")
        elif place.exists():
            place.rename(made.root / "away")
        if kind in ("link", "dangling"):
            place.symlink_to(victim)
        elif kind == "pipe":
            os.mkfifo(place)
        elif kind == "endless":
            place.symlink_to("/dev/zero")
        else:
            place.mkdir()
        before = outside(made)
        made.run(*words)
        assert outside(made) == before


def outside(cage: Cage) -> dict[str, bytes]:
    """What is not the project's own."""
    paths = [path for path in cage.root.rglob("*") if not path.is_relative_to(cage.here)]
    return {str(path): path.read_bytes() for path in paths if path.is_file()}


@pytest.fixture(autouse=True)
def _render_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change, "render", render)
