"""Hostile names, paths, options and answers files: a sound project, or exit 2 or 3 and nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from scaffold.asking.interview import SPELLINGS

from .conftest import Cage, check_sound
from .strings import AWKWARD, texts, values

quick = settings(settings.get_profile("hostile"))


def can_be_an_argument(text: str) -> bool:
    """Tell whether a system can hand `text` to a program: no NUL, and bytes behind it."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


arguments = texts.filter(can_be_an_argument)
OPTIONS = (
    "--name",
    "--workload",
    "--tasks",
    "--task-time",
    "--max-in-flight",
    "--payload",
    "--starter",
    "--model",
    "--from",
    "--items",
    "--answers",
)


def check(cage: Cage, dest: str, code: int) -> None:
    """A sound project at its destination and nothing else, or nothing at all."""
    snapshot = cage.snapshot()
    if code:
        assert snapshot.keys() <= {"here", "here/answers.json"}
        return
    project = Path(os.path.abspath(cage.here / dest))
    check_sound(project)
    inside = project.relative_to(cage.root).as_posix()
    parents = {
        path.relative_to(cage.root).as_posix()
        for path in project.parents[:-1]
        if path.is_relative_to(cage.root)
    }
    assert all(
        name.startswith(f"{inside}/") or name in {inside, "here/answers.json", *parents}
        for name in snapshot
    )


@quick
@given(dest=arguments, name=st.none() | arguments)
def test_any_destination_and_name(cage: Callable[[], Any], dest: str, name: str | None) -> None:
    """The destination may be called anything visible; the name has its rules."""
    if dest.startswith(("/", "..")):
        return  # elsewhere is where the user wants it
    with cage() as made:
        named = [] if name is None else [f"--name={name}"]
        ended = made.run("new", *named, "--yes", "--", dest)
        check(made, dest, ended.code)


@quick
@given(options=st.lists(st.sampled_from(OPTIONS), max_size=3, unique=True), data=st.data())
def test_any_value_of_any_option(
    cage: Callable[[], Any], options: list[str], data: st.DataObject
) -> None:
    """A value is taken or refused, by its own reason; it is never run."""
    words = [f"{option}={data.draw(arguments)}" for option in options]
    with cage() as made:
        ended = made.run("new", "p", *words, "--yes", "--dry-run")
        check(made, "p", ended.code or 1)


@quick
@given(
    content=st.one_of(
        st.dictionaries(st.sampled_from([*SPELLINGS, "name", "model", "starter"]) | texts, values),
        values,
    )
)
def test_any_answers_file(cage: Callable[[], Any], content: object) -> None:
    """JSON of any shape, under any key."""
    with cage() as made:
        (made.here / "answers.json").write_text(json.dumps(content))
        ended = made.run("new", "p", "--answers", "answers.json", "--yes")
        check(made, "p", ended.code)


@quick
@given(
    content=st.binary(max_size=200)
    | st.sampled_from(AWKWARD).map(lambda text: text.encode("utf-8", "surrogatepass")),
    suffix=st.sampled_from(["json", "toml"]),
)
def test_any_bytes_as_answers(cage: Callable[[], Any], content: bytes, suffix: str) -> None:
    """Text or not."""
    with cage() as made:
        (made.here / f"answers.{suffix}").write_bytes(content)
        assert made.run("recommend", "--answers", f"answers.{suffix}", "--yes").code in (0, 2)


@quick
@given(
    lines=st.lists(texts | values.map(json.dumps), max_size=4),
    suffix=st.sampled_from(["txt", "jsonl"]),
    function=arguments,
)
def test_any_items_and_function(
    cage: Callable[[], Any], lines: list[str], suffix: str, function: str
) -> None:
    """Items are data, and a function is a name."""
    with cage() as made:
        text = "\n".join(lines).encode("utf-8", "surrogatepass")
        (made.here / f"items.{suffix}").write_bytes(text)
        (made.here / "work.py").write_text("raise SystemExit('work.py was imported')\n")
        before = made.snapshot()
        target = f"work.py:{function}"
        ended = made.run("measure", f"--items=items.{suffix}", "--budget=1", "--", target)
        assert ended.code == 2
        assert {
            n for n in made.snapshot().keys() - before.keys() if "__pycache__" not in n
        } == set()
