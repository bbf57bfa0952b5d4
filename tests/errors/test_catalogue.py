"""Every error that a user can meet, met from the command line: value, reason, way out, exit code.

A new error that is not in the catalogue fails `test_every_error_is_in_the_catalogue`.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from scaffold.changing import git
from scaffold.core import errors

from .scene import Scene
from .sites import sites

pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="sends signals, makes links"),
]

SITES = sites()
# Their reason is one of `units` or `questions`, which say what would be right.
REASON_SAYS_HOW = {
    "measure.read_budget: budget",
    "new.read_yes",
    "new.read_model: model",
    "console.ask_line",
    "interview.read",
}


class Case(NamedTuple):
    """What is done before, the command, and what is told: the value, the reason, the way out."""

    command: str
    code: int
    words: tuple[str, ...]
    before: Callable[[Scene], Any] = lambda _: None


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def unfit(scene: Scene) -> None:
    from scaffold.core.domain import Model
    from scaffold.making import starters

    blank = starters.load("blank")._replace(unfit={Model.THREADING: "it has no lock"})
    scene.monkeypatch.setattr(starters, "load", lambda _: blank)


def nothing_finished(scene: Scene) -> None:
    from scaffold.core.domain import Model
    from scaffold.core.observed import Measurement
    from scaffold.measuring.lab import Laboratory

    scene.functions()
    nothing = Measurement(Model.SEQUENTIAL, 1, 1.0, 0, 0, complete=False, first_error=None)
    scene.monkeypatch.setattr(Laboratory, "run", lambda *_, **__: nothing)


def no_cache(scene: Scene) -> None:
    from scaffold.core.costs import DEFAULT_COSTS
    from scaffold.measuring import calibrate

    scene.monkeypatch.setattr(calibrate, "calibrate", lambda _: DEFAULT_COSTS)
    scene.monkeypatch.setenv("XDG_CACHE_HOME", str(scene.write("cache")))
    scene.monkeypatch.setenv("HOME", str(scene.write("home")))


def packages(*names: str) -> Callable[[Scene], Any]:
    def before(scene: Scene) -> None:
        scene.functions()
        for name in names:
            scene.write(name)

    return before


def added_twice(scene: Scene) -> None:
    scene.write("shop/__init__.py")
    for name in ("shop.one", "shop.two"):
        assert scene.concgen("add", name, "--yes").code == 0


def read_only(scene: Scene) -> None:
    (scene.project() / "crawl/runner/engine.py").chmod(0o444)


def torn(scene: Scene, name: str) -> None:
    path = scene.here / name
    path.write_bytes(path.read_bytes()[:-40])


def loop(scene: Scene, name: str) -> None:
    """A link to itself cannot be read, whoever asks."""
    path = scene.here / name
    path.unlink(missing_ok=True)
    path.symlink_to(path)


def edited_readme(scene: Scene) -> None:
    scene.project()
    scene.edit("README.md", "# crawl", "# Mine")


def full_stdout(scene: Scene) -> None:
    scene.monkeypatch.setattr(sys, "stdout", Path("/dev/full").open("w"))  # noqa: SIM115


def do(*acts: Callable[[Scene], Any]) -> Callable[[Scene], None]:
    """Do all of them."""

    def all_of_them(scene: Scene) -> None:
        for act in acts:
            act(scene)

    return all_of_them


IO = "--workload io --yes"
DISK = "No space left on device"
OF_OURS = "version control"


def old(scene: Scene) -> None:
    """An environment of a Python that is too old."""
    (scene.here / ".venv/bin").mkdir(parents=True)
    python = scene.write(".venv/bin/python", "#!/bin/sh\necho 3 9\n")
    python.chmod(0o755)


CASES = {
    "answers_file._parse: bytes: not an answers file": Case(
        f"new p --answers big.json {IO}", 2, ("'big.json'", "1,000,000", "such as"),
        lambda scene: scene.write("big.json", " " * 1_000_001),
    ),
    "answers_file._parse: cannot read": Case(
        f"new p --answers no.json {IO}", 2, ("'no.json'", "No such file", "--answers"),
    ),
    "answers_file._parse: is not valid": Case(
        f"new p --answers a.toml {IO}", 2, ("'a.toml'", "valid TOML: ", "such as"),
        lambda scene: scene.write("a.toml", "tasks = "),
    ),
    "answers_file._parse: holds no table of answers": Case(
        f"new p --answers a.json {IO}", 2, ("'a.json'", "no table", "such as"),
        lambda scene: scene.write("a.json", "[]"),
    ),
    "answers_file.load: , not a text": Case(
        f"new p --answers a.json {IO}", 2, ("name is 5", "not a text", "quotes"),
        lambda scene: scene.write("a.json", '{"name": 5}'),
    ),
    "apply._refuse_changed: was changed in the meantime": Case(
        "switch threading", 3, ("'crawl/runner/engine.py'", "in the meantime", "start again"),
        lambda scene: (scene.project(), scene.before(
            "changing.undo_log.begin", lambda: scene.write("crawl/runner/engine.py", "mine"))),
    ),
    "apply._refuse_edited: edited since the": Case(
        "undo", 3, ("'crawl/runner/engine.py'", "edited since", "as they were"),
        lambda scene: (scene.switched(), scene.write("crawl/runner/engine.py", "mine")),
    ),
    "apply._refuse_unwritable: is a symbolic link": Case(
        "undo", 3, ("'README.md'", "symbolic link", "put the file"),
        lambda scene: (scene.switched(), scene.link("README.md", "other.md")),
    ),
    "apply._refuse_unwritable: the directory": Case(
        "switch threading",
        3,
        ("'crawl/runner/.engine.py.concgen'", "in the way", "move it away"),
        lambda scene: (scene.project() / "crawl/runner/.engine.py.concgen").mkdir(),
    ),
    "apply._refuse_unwritable: is where a directory belongs": Case(
        "switch threading --force", 3, ("the file 'crawl/runner'", "directory", "move it away"),
        lambda scene: (
            shutil.rmtree(scene.project() / "crawl/runner"), scene.write("crawl/runner"),
        ),
    ),
    "apply._refuse_unwritable: is outside the project, behind a symbolic link": Case(
        "undo", 3, ("'crawl/", "outside", "put the directory"),
        lambda scene: (scene.switched(), scene.link("crawl", "../outside")),
    ),
    "apply._refuse_unwritable: is read-only, and has to change": Case(
        "switch threading", 3, ("'crawl/runner/engine.py'", "read-only", "chmod"), read_only,
    ),
    "apply.apply": Case(
        "switch threading", 1, (DISK, "cannot write", "restores every file"),
        lambda scene: (scene.project(), scene.full("changing.undo_log.sync")),
    ),
    "apply.apply: interrupted, after the": Case(
        "switch threading", 130, ("interrupted", "the switch was complete"),
        lambda scene: (scene.project(), scene.before("changing.apply._put", interrupt)),
    ),
    "apply.undo": Case(
        "undo", 1, (DISK, "cannot write", "concgen undo"),
        lambda scene: (scene.switched(), scene.full("changing.apply._put")),
    ),
    "apply.undo: nothing to undo: no add, switch or update is on record here": Case(
        "undo", 2, ("nothing to undo", "on record", "concgen diff"), Scene.project,
    ),
    "saving.save: cannot write": Case(
        "bench functions.py:work --items items.jsonl --budget 15 --save x.svg", 1,
        ("'x.svg'", "Is a directory", "--save"),
        lambda scene: (scene.functions(), (scene.here / "x.svg").mkdir()),
    ),
    "bench_dialogue.watch: interrupted before there was a result": Case(
        "bench functions.py:work --items items.jsonl", 130, ("interrupted", "result"),
        lambda scene: (scene.functions(), scene.fail("commands.bench.run", KeyboardInterrupt())),
    ),
    "cli.run": Case(
        "new p --modle threading", 2, ("--modle", "No such option", "--model", "new --help"),
    ),
    "cli.run: interrupted; nothing half-finished is left": Case(
        f"recommend {IO}", 130, ("interrupted",),
        lambda scene: scene.fail("measuring.machine.inspect", KeyboardInterrupt()),
    ),
    "advise.advise: no terminal to ask on, and not answered": Case(
        "recommend --workload io", 2, ("--tasks", "no terminal", "--yes"),
    ),
    "bench._result: finished no item in": Case(
        "bench functions.py:work --items items.jsonl --budget 2", 2,
        ("sequential", "no item", "--budget"), nothing_finished,
    ),
    "picture.check_file: is neither .svg nor .html": Case(
        "bench --save bench.pdf", 2, ("'bench.pdf'", "neither", "bench.svg"),
    ),
    "picture.check_chart: save needs matplotlib, which is not installed": Case(
        "bench --save bench.svg", 2, ("--save", "not installed", "pip install"),
        lambda scene: scene.monkeypatch.setattr("importlib.util.find_spec", lambda _: None),
    ),
    "picture.check_file: save: there is no directory": Case(
        "bench --save no/bench.svg", 2, ("'no'", "no directory", "create it"),
    ),
    "bench.project_target: no items.jsonl in": Case(
        "bench", 2, ("items.jsonl", "no items", "--items"),
        lambda scene: (scene.project() / "items.jsonl").unlink(),
    ),
    "catalog.rule: rule": Case(
        "rules R77", 2, ("'R77'", "not one of R1", "did you mean R7", "concgen rules"),
    ),
    "change.refuse_renamed: / here, which is the package of this project": Case(
        "switch threading", 3, ("no crawl/", "give it that name back"),
        lambda scene: (scene.project() / "crawl").rename(scene.here / "spider"),
    ),
    "change.prepared: needs its own version of files that you changed": Case(
        "switch threading", 3, ("crawl/runner/engine.py (edited)", "its own version", "--force"),
        lambda scene: (scene.project(), scene.write("crawl/runner/engine.py", "mine")),
    ),
    "doctor.calibrate: cannot keep the costs in": Case(
        "doctor --calibrate", 1, ("costs-", "Not a directory", "writable"), no_cache,
    ),
    "measure.prepare: no items were given": Case(
        "measure functions.py:work", 2, ("no items", "--items FILE"), Scene.functions,
    ),
    "measure.read_budget: budget": Case(
        "measure functions.py:work --budget soon", 2, ("'soon'", "not a duration", "such as"),
    ),
    "measure.read_budget: is not from": Case(
        "measure functions.py:work --budget 1ms", 2, ("1ms", "not from", "such as"),
    ),
    "spool.kept: did not end within": Case(
        "measure functions.py:work --items pipe.jsonl", 2,
        ("pipe.jsonl", "did not end", "save them"), Scene.endless_pipe,
    ),
    "items._records": Case(
        "measure functions.py:work --items bad.jsonl", 2,
        ("'bad.jsonl', line 2", "Expecting", "a .txt holds plain lines"),
        lambda scene: (scene.functions(), scene.write("bad.jsonl", "1\n{\n")),
    ),
    "items._records: is larger than": Case(
        "measure functions.py:work --items items.jsonl", 2,
        ("line 1", "larger", "carry a path"),
        lambda scene: (
            scene.functions(), scene.monkeypatch.setattr("scaffold.making.items.LARGEST", 0)
        ),
    ),
    "measure._refuse_failing: failed": Case(
        "recommend --from functions.py:fails --items items.jsonl --budget 3 --yes", 2,
        ("no good", "every call failed", "works on these items"), Scene.functions,
    ),
    "measure.read_effort: calls": Case(
        "measure functions.py:work --calls some", 2, ("'some'", "such as"),
    ),
    "items.check_field: key: no text or number named": Case(
        "new crawl --from functions.py:work --items items.jsonl --budget 1 --key id --yes", 2,
        ("--key: no text or number named 'id' in every item", "fields that name them: none does"),
        Scene.functions,
    ),
    "new.check_key: key names a field of your items, and no items were given": Case(
        "new crawl --workload io --key id --yes", 2, ("--key names a field", "--from FILE.py:FUNC"),
    ),
    "script.read_request: a script names no items by --key": Case(
        "new crawl.py --workload io --key id --yes", 2, ("no items by --key", "without the .py"),
    ),
    "new.read_model: model": Case(
        f"new p {IO} --model asynco", 2, ("'asynco'", "not one of", "did you mean asyncio?"),
    ),
    "new.read_yes": Case(
        f"new p --answers a.json {IO}",
        2,
        ("ci: 'maybe'", "not yes or no"),
        lambda scene: scene.write("a.json", '{"ci": "maybe"}'),
    ),
    "switch.read_model: model": Case(
        "switch treading", 2, ("'treading'", "did you mean threading?", "concgen models"),
    ),
    "console.ask_line": Case(
        "new p", 2, ("'wait'", "not one of", "did you mean waits?"),
        lambda scene: scene.pipe("wait\n"),
    ),
    "console.ask_line: the input ended before every question was answered": Case(
        "new p", 2, ("question", "ended", "--yes"), lambda scene: scene.pipe("io\n"),
    ),
    "dialogue.counsel: nothing was run, and nothing written": Case(
        "recommend", 130, ("nothing was run",),
        lambda scene: (
            scene.functions(), scene.pipe("measure\nfunctions.py:work\nitems.jsonl\nno\n")
        ),
    ),
    "faults.kept": Case(
        f"recommend {IO}", 1, ("KeyError", "a fault of its own", "the traceback is in"),
        lambda scene: scene.fail("measuring.machine.inspect", KeyError("x")),
    ),
    "faults.kept: there is not enough memory": Case(
        f"recommend {IO}", 1, ("memory", "not enough", "free some"),
        lambda scene: scene.fail("measuring.machine.inspect", MemoryError()),
    ),
    "git._run: git did not run": Case(
        "switch threading", 1, ("git", "No such file", "concgen doctor"),
        lambda scene: (edited_readme(scene), scene.git('/bin/rm "$0"')),
    ),
    "git._run: git failed": Case(
        "switch threading", 1, ("git", "too tired", "concgen doctor"),
        lambda scene: (edited_readme(scene), scene.git("echo too tired >&2; exit 128")),
    ),
    "interrupt.guarded: interrupted: nothing was written": Case(
        f"new p {IO}", 130, ("interrupted", "nothing was written"),
        lambda scene: scene.before("making.project.render", interrupt),
    ),
    "interview.from_mapping: , not a text, a number or true or false": Case(
        f"new p --answers a.json {IO}", 2, ("tasks is [1]", "not a text", "such as"),
        lambda scene: scene.write("a.json", '{"tasks": [1]}'),
    ),
    "interview.from_mapping: no question is called": Case(
        f"new p --answers a.json {IO}", 2, ("'taks'", "no question", "did you mean 'tasks'?"),
        lambda scene: scene.write("a.json", '{"taks": 1}'),
    ),
    "interview.read": Case(
        "new p --workload ioo --yes", 2, ("--workload: 'ioo'", "not one of", "did you mean io?"),
    ),
    "interview.read: is not an answer": Case(
        "recommend --answers a.json --yes", 2, ("--tasks: true", "not an answer", "How many"),
        lambda scene: scene.write("a.json", '{"tasks": true}'),
    ),
    "inventory.templates_dir: the templates are missing from this installation": Case(
        f"recommend {IO}", 1, ("templates", "missing", "install it again"),
        lambda scene: scene.monkeypatch.setattr(
            "scaffold.making.inventory.__file__", str(scene.here / "a/b/inventory.py")),
    ),
    "undo_log._load: cannot read": Case(
        "undo", 1, ("undo.zip", "Too many levels", "make it readable"),
        lambda scene: (scene.switched(), loop(scene, ".concgen/undo/undo.zip")),
    ),
    "undo_log._load: is damaged": Case(
        "undo", 2, ("undo.zip", "is damaged: ", "delete it"),
        lambda scene: (scene.switched(), torn(scene, ".concgen/undo/undo.zip")),
    ),
    "undo_log._folder: is a link or a file": Case(
        "switch threading", 3, (".concgen/undo", "a link", "put a directory"),
        lambda scene: ((scene.project() / "elsewhere").mkdir(),
                       scene.link(".concgen/undo", "elsewhere")),
    ),
    "undo_log.refuse_unfinished: another command is changing this project, or was cut short while"
    " it did": Case(
        "diff", 3, ("changing this project", "cut short", "concgen undo"),
        lambda scene: (scene.switched() / ".concgen/undo/undo.zip").rename(
            scene.here / ".concgen/undo/applying.zip"),
    ),
    "lab.run_all": Case(
        "bench functions.py:work --items items.jsonl --budget 15", 2,
        ("sequential: ", "unwell", "concgen measure"),
        lambda scene: (scene.functions(), scene.monkeypatch.setattr(
            "scaffold.measuring.lab.run_child",
            lambda *_: ({"refused": "EngineError: unwell"}, ""))),
    ),
    "lab.run_all: the run did not end by itself": Case(
        "bench functions.py:dies_in_a_trial --items items.jsonl --budget 15", 2,
        ("sequential", "exit code 7", "concgen measure"), Scene.functions,
    ),
    "demo.__post_init__: no model ran here": Case(
        "demo", 1, ("no model ran", "unwell", "concgen doctor"),
        lambda scene: scene.monkeypatch.setattr(
            "scaffold.measuring.lab.run_child",
            lambda *_: ({"refused": "EngineError: unwell"}, "")),
    ),
    "demo.read_request: the work": Case(
        "demo foo", 2, ("'foo'", "not one of io, cpu, mixed", "such as"),
    ),
    "measure._profile": Case(
        "measure functions.py:wrk --items items.jsonl", 2,
        ("functions has no wrk", "its functions: ", "work", "name a function"), Scene.functions,
    ),
    "measure._profile: in": Case(
        "measure functions.py:hangs --items items.jsonl --budget 1", 2,
        ("functions.py:hangs", " in 1 s", "--budget"), Scene.functions,
    ),
    "measure._profile: ended the whole process": Case(
        "measure functions.py:dies --items items.jsonl", 2,
        ("functions.py:dies", "exit code 7", "fix that"), Scene.functions,
    ),
    "names.check_name: cannot name a project": Case(
        f"new p --name a/b {IO}", 2, ("'a/b'", "only letters", "such as"),
    ),
    "names.name_for: cannot name a project": Case(
        f"new $(id) {IO}", 2, ("'$(id)'", "only letters", "--name"),
    ),
    "project._render: the project could not be rendered": Case(
        f"new p {IO} --dry-run", 1, (DISK, "could not be rendered", "make room"),
        lambda scene: (__import__("copier"), scene.monkeypatch.setattr(
            "copier.run_copy", _full)),
    ),
    "record._answers: holds no answers": Case(
        "diff", 2, ("answers.json", "no answers", OF_OURS),
        lambda scene: (scene.project(), scene.write(".concgen/answers.json", "[]")),
    ),
    "record._answers: names no version of concgen: made by copier alone, or by another template":
        Case("diff", 2, ("answers.json", "no version", "concgen new --answers"),
             lambda scene: scene.answers(concgen="")),
    "record._pristine: was not written by concgen": Case(
        "diff", 2, ("pristine.zip", "not written by concgen", OF_OURS),
        lambda scene: (scene.project() / ".concgen/pristine.zip").write_bytes(
            b"PK\5\6" + bytes(18)),
    ),
    "record._read: cannot read": Case(
        "diff", 1, ("answers.json", "Too many levels", "make it readable"),
        lambda scene: (scene.project(), loop(scene, ".concgen/answers.json")),
    ),
    "record._read: is damaged": Case(
        "diff", 2, ("pristine.zip", "not a zip file", OF_OURS),
        lambda scene: (scene.project(), torn(scene, ".concgen/pristine.zip")),
    ),
    "record._read: is missing": Case(
        "diff", 2, ("answers.json", "is missing", OF_OURS),
        lambda scene: (scene.project() / ".concgen/answers.json").unlink(),
    ),
    "record._refuse_newer: the project was made by concgen": Case(
        "diff", 3, ("99.1", "newer than this", "pip install"),
        lambda scene: scene.answers(concgen="99.1"),
    ),
    "record.find: is not a directory": Case(
        "diff --project file", 2, ("'file'", "not a directory", "--project DIR"),
        lambda scene: scene.write("file"),
    ),
    "record.find: no directory": Case(
        "diff --project no", 2, ("'no'", "No such file", "--project DIR"),
    ),
    "record.find: no project in": Case(
        "diff", 2, ("no project in", "no .concgen", "--project DIR"),
    ),
    "recorded.checked: is not one of": Case(
        "diff", 2, ("model 'celery'", "not one of", "a different template"),
        lambda scene: scene.answers(model="celery"),
    ),
    "recorded.checked: , which concgen never records": Case(
        "diff", 2, ("tasks is 'many'", "concgen never records", OF_OURS),
        lambda scene: scene.answers(tasks="many"),
    ),
    "recorded.checked: in flight that were tried": Case(
        "diff", 2, ("in_flight_gain is 9", "more than the 2 in flight", OF_OURS),
        lambda scene: scene.answers(in_flight_tried=2, in_flight_gain=9),
    ),
    "recorded.checked: is": Case(
        "diff", 2, ("name is 5", "answers.json", OF_OURS),
        lambda scene: scene.answers(name=5),
    ),
    "recorded.checked: package is": Case(
        "diff", 2, ("package is '../x'", "answers.json", OF_OURS),
        lambda scene: scene.answers(package="../x"),
    ),
    "user_code.importable: is not at the top of its module: nothing can import it | script": Case(
        "new one.py --from functions.py:Client.fetch --items items.jsonl --yes",
        2, ("Client.fetch", "not at the top", "write a function"), Scene.functions,
    ),
    "add._write: cannot write": Case(
        "add shop.parallel --yes", 1, ("test_parallel.py", "nothing was written"),
        do(packages("shop/__init__.py", "tests/other.py"),
           lambda scene: (scene.here / "tests/test_parallel.py").symlink_to("nowhere")),
    ),
    "add.read_request: is not a directory": Case(
        "add shop.parallel --yes", 3, ("tests'", "not a directory", "goes there"),
        packages("shop/__init__.py", "tests"),
    ),
    "add.read_request: would be hidden by a package of its name": Case(
        "add shop.parallel --yes", 3, ("parallel.py'", "hidden", "another name"),
        packages("shop/__init__.py", "shop/parallel.py"),
    ),
    "add.read_request: exists already": Case(
        "add shop.parallel --yes", 3, ("test_parallel.py", "exists already", "another name"),
        packages("shop/__init__.py", "tests/test_parallel.py"),
    ),
    "user_code.importable: is not at the top of its module: nothing can import it | add": Case(
        "add shop.parallel --from functions.py:Client.fetch --items items.jsonl --yes",
        2, ("Client.fetch", "not at the top", "write a function"), packages("shop/__init__.py"),
    ),
    "record.find: more than one project here": Case(
        "diff", 2, ("shop/one", "shop/two", "--project"), added_twice,
    ),
    "repository.find: is in more than one place": Case(
        "add shop.parallel --yes", 2, ("shop", "more than one place", "change to the directory"),
        packages("a/shop/__init__.py", "b/shop/__init__.py"),
    ),
    "repository.find: no directory of a package": Case(
        "add shop.parallel --yes", 2, ("shop", "no directory", "go to the top"),
    ),
    "repository.split: is not a package inside a package of yours": Case(
        "add parallel --yes", 2, ("'parallel'", "not a package inside", "shop.parallel"),
    ),
    "script.check_destination: could not be imported later": Case(
        "new no-name.py --yes", 2, ("'no-name.py'", "imported", "letters"),
    ),
    "script.check_destination: is a device on Windows": Case(
        "new con.py --yes", 2, ("'con.py'", "device on Windows", "another name"),
    ),
    "script.check_destination: exists already": Case(
        "new functions.py --yes", 3, ("'functions.py'", "exists already", "another name"),
        Scene.functions,
    ),
    "script.check_destination": Case(
        "new threading.py --yes", 2, ("'threading.py'", "would hide", "such as threading_app.py"),
    ),
    "script.check_destination: no directory": Case(
        "new missing/one.py --yes", 2, ("'missing'", "no directory", "make it"),
    ),
    "script.create: cannot write": Case(
        f"new {'a' * 300}.py --yes", 1, ("aaa", "name too long", "another place"),
    ),
    "script.refuse: needs several files": Case(
        "new one.py --starter database --yes", 2, ("database", "several files", "--starter"),
    ),
    "script.refuse: takes more than one file": Case(
        "new one.py --model hybrid --yes", 2, ("hybrid", "more than one file", "--model"),
    ),
    "staging._make_parents: cannot create": Case(
        f"new a/p {IO}", 2, ("/a'", DISK, "another destination"),
        lambda scene: scene.monkeypatch.setattr(Path, "mkdir", _full),
    ),
    "staging._make_staging: cannot write to": Case(
        f"new p {IO}", 2, (DISK, "cannot write to", "another destination"),
        lambda scene: scene.monkeypatch.setattr(Path, "mkdir", _full),
    ),
    "staging._move_up: was created in the meantime": Case(
        f"new . --name p {IO}", 3, ("pyproject.toml'", "in the meantime", "another destination"),
        lambda scene: scene.before(
            "making.staging._settle_modes", lambda: scene.write("pyproject.toml")),
    ),
    "staging._rename: was created in the meantime": Case(
        f"new p {IO}", 3, ("p'", "created in the meantime", "another destination"),
        lambda scene: scene.before("making.staging._settle_modes", lambda: scene.write("p/mine")),
    ),
    "staging.check_destination: cannot use": Case(
        f"new {'x' * 300} --name p {IO}", 2, ("'xxx", "too long", "another destination"),
    ),
    "staging.check_destination: has invisible characters": Case(
        f"new a\x1b[31mb --name p {IO}", 2, (r"'a\x1b[31mb'", "invisible", "another destination"),
    ),
    "staging.check_destination: is a file": Case(
        f"new p {IO}", 3, ("'p'", "is a file", "another destination"),
        lambda scene: scene.write("p"),
    ),
    "staging.check_destination: is a link to nothing": Case(
        f"new p {IO}", 3, ("'p'", "link to nothing", "remove it"),
        lambda scene: (scene.here / "p").symlink_to("nowhere"),
    ),
    "staging.check_destination: is not empty": Case(
        f"new . --name p {IO}", 3, ("'mine.txt'", "not empty", "another destination"),
        lambda scene: scene.write("mine.txt"),
    ),
    "staging.place: cannot write": Case(
        f"new p {IO}", 1, ("'p'", DISK, "make room"),
        lambda scene: scene.full("making.staging._settle_modes"),
    ),
    "staging.place: interrupted, after": Case(
        f"new p {IO}", 130, ("'p'", "was complete"),
        lambda scene: scene.before("making.staging._rename", interrupt),
    ),
    "starters.find: starter": Case(
        f"new p {IO} --starter blnak",
        2,
        ("'blnak'", "did you mean blank?", "concgen starters"),
    ),
    "starters.refuse: cannot run on": Case(
        f"new p {IO} --model threading --starter blank",
        2,
        ("blank", "cannot run on threading: it has", "it runs on sequential"),
        unfit,
    ),
    "console.telling: , but": Case(
        "switch threading", 1, ("from asyncio to threading is done", "undo"),
        lambda scene: (scene.project(), full_stdout(scene)),
    ),
    "undo_log.begin: another command changed this project at the same time": Case(
        "switch threading", 3, ("at the same time", "start again"),
        lambda scene: (scene.project(), scene.before(
            "changing.undo_log._write", lambda: shutil.rmtree(scene.here / ".concgen/undo"))),
    ),
    "streams._give_up: cannot write the answer": Case(
        f"recommend {IO}", 1, ("the answer", DISK, "somewhere else"), full_stdout,
    ),
    "target._in_file: is not a module name, and cannot be imported": Case(
        "measure my-work.py:work --items x", 2, ("'my-work'", "not a module name", "rename"),
        lambda scene: scene.write("my-work.py"),
    ),
    "target._in_file: is in a folder with the name of the standard library's": Case(
        "measure queue/own.py:work --items x", 2,
        ("'queue/own.py'", "standard library's queue", "rename"),
        lambda scene: (scene.write("queue/__init__.py"), scene.write("queue/own.py")),
    ),
    "target._in_file: there is no file": Case(
        "measure no.py:work --items x", 2, ("'no.py'", "no file", "from the current directory"),
    ),
    "target.parse_target: is neither a .py file nor a module's name": Case(
        "measure work.txt:a-b.c:work", 2, ("'work.txt:a-b.c'", "neither", "such as"),
    ),
    "target.parse_target: is not FILE.py:FUNCTION or package.module:FUNCTION": Case(
        "measure work.py", 2, ("'work.py'", "is not FILE.py:FUNCTION", "such as"),
    ),
    "items.read_items: cannot read": Case(
        "measure functions.py:work --items no.jsonl", 2,
        ("'no.jsonl'", "No such file", "--items"), Scene.functions,
    ),
    "items.read_items: holds no item": Case(
        "measure functions.py:work --items empty", 2, ("'empty'", "no item", "one item per line"),
        lambda scene: (scene.functions(), scene.write("empty", "\n\n")),
    ),
    "tree.__contains__: is": Case(
        "switch threading", 3, ("'README.md'", "is a directory", "move it away"),
        lambda scene: ((scene.project() / "README.md").unlink(),
                       (scene.here / "README.md").mkdir()),
    ),
    "tree.__getitem__: cannot read": Case(
        "diff", 1, ("'README.md'", DISK, "make it readable"),
        lambda scene: (edited_readme(scene), scene.monkeypatch.setattr(
            "scaffold.changing.tree.Path.read_bytes", _unreadable(Path.read_bytes))),
    ),
    "environment.python_of: is Python": Case(
        "new p --from functions.py:work --items items.jsonl --yes", 2,
        (".venv", "is Python 3.9", "3.11 or newer"), lambda scene: (scene.functions(), old(scene)),
    ),
    "imports._refuse_hiding: , and the standard library has one as well": Case(
        "new p --from own.py:work --items items.jsonl --yes", 2,
        ("'own.py'", "calendar", "rename"),
        lambda scene: (
            scene.functions(), scene.write("calendar.py"), scene.write("own.py", "import calendar"),
        ),
    ),
    "imports._read: is not valid Python": Case(
        "new p --from bad.py:work --items items.jsonl --yes", 2,
        ("'bad.py'", "not valid Python", "correct"),
        lambda scene: (scene.functions(), scene.write("bad.py", "def")),
    ),
    "user_code.importable: is not at the top of its module: nothing can import it": Case(
        "new p --from functions.py:Client.fetch --items items.jsonl --yes", 2,
        ("Client.fetch", "not at the top", "write a function"), Scene.functions,
    ),
}  # fmt: skip


def site_of(name: str) -> str:
    """Where the error of a case is made; several ways to it differ in what follows a bar."""
    return name.partition(" | ")[0]


def _full(*_: object, **__: object) -> None:
    raise OSError(28, os.strerror(28))


def _unreadable(read: Callable[[Path], bytes]) -> Callable[[Path], bytes]:
    def reading(path: Path) -> bytes:
        if path.name == "README.md":
            _full()
        return read(path)

    return reading


def test_every_error_is_in_the_catalogue() -> None:
    """A new one comes with a case that provokes it."""
    assert set(map(site_of, CASES)) == SITES.keys()


def test_every_error_says_the_way_out() -> None:
    """It has a hint, unless its reason is one that says how; an interruption needs none."""
    without = {name for name, site in SITES.items() if not site.hint}
    assert without - REASON_SAYS_HOW == {n for n, s in SITES.items() if s.kind == "Interrupted"}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sites of the errors that are made, in order."""
    sites: list[str] = []
    init = errors.ConcgenError.__init__

    def noted(self: errors.ConcgenError, *args: Any, **options: Any) -> None:
        init(self, *args, **options)
        caller = sys._getframe(1)
        sites.extend(
            site.name
            for site in SITES.values()
            if site.file == caller.f_code.co_filename and caller.f_lineno in site.lines
        )

    monkeypatch.setattr(errors.ConcgenError, "__init__", noted)
    return sites


@pytest.mark.parametrize("name", CASES)
def test_the_error_is_told(
    name: str,
    made: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    concgen: Callable[..., Any],
) -> None:
    """From the command line: the exit code, the words, two lines at most, and no traceback."""
    case = CASES[name]
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    git.version.cache_clear()
    case.before(Scene(here, monkeypatch, concgen))
    made.clear()
    result = concgen(*case.command.split(" "))
    git.version.cache_clear()
    assert site_of(name) in made, (made, result.err)
    assert result.code == case.code
    last = "\n".join(result.err.splitlines()[-2:])  # an interview may have come before
    message = last if case.code == 130 else result.err.partition("error: ")[2]
    for word in case.words:
        assert word in message
    assert len(message.splitlines()) <= 2
    assert "Traceback" not in result.err


def test_who_is_unsure_is_told_how_to_measure(concgen: Callable[..., Any]) -> None:
    """The fourth answer of the interview, given as an option, needs the function named."""
    result = concgen("recommend", "--workload", "measure", "--yes")
    assert result.code == 2
    assert "--from FILE.py:FUNC --items FILE" in result.err
