"""`.concgen/` damaged, missing, foreign or newer: one clear line, and what can still be done."""

from __future__ import annotations

import json
import shutil
import zipfile

import pytest
import yaml

from scaffold.changing.record import ANSWERS
from scaffold.changing.recorded import checked
from scaffold.commands import check
from scaffold.commands.progress import SILENT
from scaffold.making.inventory import templates_dir
from scaffold.making.project import PRISTINE
from scaffold.measuring import machine

from .conftest import answers, render, snapshot, write

COMMANDS = (["switch", "threading"], ["update"], ["diff"])


def rewrite(root, **changes):
    """Change the top level of answers.json, or its answers where they have the key."""
    path = root / ANSWERS
    content = json.loads(path.read_text())
    for key, value in changes.items():
        (content["answers"] if key in content["answers"] else content)[key] = value
    path.write_text(json.dumps(content))


def truncate(path):
    path.write_bytes(path.read_bytes()[:-40])


def flip(path):
    data = bytearray(path.read_bytes())
    data[2000] ^= 1
    path.write_bytes(data)


def outside(path):
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../victim", "x")


def huge(path):
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(101_000_000))


def foreign(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("README.md", "x")


CASES = {
    "no folder": (lambda root: shutil.rmtree(root / ".concgen"), 2, "no project"),
    "no answers": (lambda root: (root / ANSWERS).unlink(), 2, "answers.json is missing"),
    "no pristine": (lambda root: (root / PRISTINE).unlink(), 2, "pristine.zip is missing"),
    "torn answers": (lambda root: truncate(root / ANSWERS), 2, "answers.json is damaged"),
    "not text": (lambda root: (root / ANSWERS).write_bytes(b"\xff\0"), 2, "damaged"),
    "a list": (lambda root: (root / ANSWERS).write_text("[]"), 2, "holds no answers"),
    "deep": (lambda root: (root / ANSWERS).write_text("[" * 100_000), 2, "damaged"),
    "torn pristine": (lambda root: truncate(root / PRISTINE), 2, "pristine.zip is damaged"),
    "flipped bit": (lambda root: flip(root / PRISTINE), 2, "pristine.zip is damaged"),
    "a path outside": (lambda root: outside(root / PRISTINE), 2, "is not a path in a project"),
    "a bomb": (lambda root: huge(root / PRISTINE), 2, "damaged: it is compressed"),
    "foreign pristine": (lambda root: foreign(root / PRISTINE), 2, "not written by concgen"),
    "by copier alone": (lambda root: rewrite(root, concgen=""), 2, "no version of concgen"),
    "fork's model": (lambda root: rewrite(root, model="celery"), 2, "'celery' is not one of"),
    "fork's starter": (lambda root: rewrite(root, starter="grpc"), 2, "'grpc'"),
    "no package": (lambda root: rewrite(root, package=None), 2, "package is None"),
    "bad package": (lambda root: rewrite(root, package="../x"), 2, "package is '../x'"),
    "bad decision": (lambda root: rewrite(root, decision=[1]), 2, "decision"),
    "newer": (lambda root: rewrite(root, concgen="99.1"), 3, "pip install --upgrade"),
    "newer record": (lambda root: rewrite(root, schema=2), 3, "newer"),
}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_said_and_nothing_is_written(crawl, concgen, case, command):
    spoil, code, words = CASES[case]
    spoil(crawl)
    before = snapshot(crawl)
    result = concgen(*command)
    assert result.code == code
    assert words in result.err
    assert 1 <= len(result.err.splitlines()) <= 2
    assert "Traceback" not in result.err
    assert snapshot(crawl) == before


def test_every_answer_is_recorded(crawl):
    """What `new` passes to the template and the record forgets, a switch would lose."""
    questions = yaml.safe_load((templates_dir() / "copier.yml").read_text())
    asked = {name for name in questions if not name.startswith("_")}
    recorded = json.loads((crawl / ANSWERS).read_text())["answers"].keys()
    computed = {"starter_facts", "model_facts", "requirements", "workload"}
    assert asked - recorded == {"concgen_version", *computed}  # the version is kept apart


def test_every_answer_that_is_recorded_is_checked(crawl):
    """What has no check is dropped: the template computes the rest itself."""
    recorded = json.loads((crawl / ANSWERS).read_text())["answers"]
    assert checked(recorded, ANSWERS) == recorded
    assert (
        checked({**recorded, "starter_facts": "../../x", "requirements": ["x"]}, ANSWERS)
        == recorded
    )


def test_edited_answers_are_used(crawl, concgen):
    """The tree's own answers count: a limit written there reaches the new rendering."""
    rewrite(crawl, max_in_flight=7)
    assert concgen("switch", "threading").code == 0
    assert "More than 7 at once" in (crawl / "crawl/settings.py").read_text()


def test_undo_needs_no_record(crawl, concgen):
    """With its answers damaged, a project still goes back to how it was."""
    before = snapshot(crawl)
    concgen("switch", "threading")
    (crawl / ANSWERS).unlink()
    result = concgen("undo")
    assert result.code == 3
    assert ANSWERS in result.err
    assert snapshot(crawl) != before


def test_a_project_that_is_not_there(crawl, concgen, tmp_path, monkeypatch):
    """A slip in --project does not reach the project around it."""
    assert concgen("switch", "threading", "--project", "typo").code == 2
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert concgen("diff").code == 2


@pytest.mark.parametrize("switched", [True, False])
def test_check_remembers_that_the_function_switches_the_gil_on(tmp_path, monkeypatch, switched):
    """On an interpreter that runs without it, by what was measured when the project was made."""
    root = write(tmp_path / "crawl", render({**answers("asyncio"), "switches_gil_on": switched}))
    monkeypatch.setattr(machine, "gil_enabled", lambda: False)
    assert check.check(root, remeasure=False, progress=SILENT).advice.machine.gil is switched
