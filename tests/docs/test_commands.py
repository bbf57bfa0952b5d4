"""Every command of the README and of the guide runs, in order, and ends as the text says.

A command is a line that begins with `$ ` in a fenced block. All those of a page run in one bash, in
a directory of their own. Each has to exit 0, unless the next one is `echo $?`, whose output the
page shows. A fenced Python file whose first line is `# NAME.py` is written first.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from scaffold.core.domain import Model
from scaffold.making.inventory import available_models
from scaffold.terminal import usage

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the pages speak to a POSIX shell")

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

# What is not run, by how it begins, and why.
STAND_INS = {
    "concgen doctor --calibrate": "takes two seconds; run below, as the example of its help",
    "pipx ": "installs from a package index",
    "uvx ": "installs from a package index",
    "python -m simulate run --scheduler": "needs a cluster; tests/engines has one",
}
# The tour shows sessions with files and edits of a reader's own: what has to be there before a
# command runs.
README_WORK = """\
cat > work.py <<'END'
import hashlib


def digest(item):
    return hashlib.sha256(bytes(10**6)).hexdigest()
END
seq 2000 > items.jsonl
"""
README_EDIT = "cd crawl; sed -i 's/^RETRIES: int = 0/RETRIES: int = 3/' crawl/settings.py\n"
BEFORE = {
    "tour.md": {
        "concgen measure work.py:digest --items items.jsonl": README_WORK,
        "concgen diff": README_EDIT,
    }
}
# Heavier tasks of the demonstration are light here, and a bench takes as long as on its page: what
# they show is the same. Python imports it as it starts.
QUICK = """\
import sys

if "demo" in sys.orig_argv:
    from scaffold.commands import demo

    demo.SECONDS = 0.04
if "bench" in sys.orig_argv:
    from scaffold.commands import bench

    bench.DEFAULT_BUDGET = 6.0
"""
MARK = "@@exit@@"
PATIENCE = 600  # seconds for a page, on the busiest of machines


class Command(NamedTuple):
    """One command of a page: what is typed, and the lines that the page shows as its output."""

    line: str
    shown: tuple[str, ...]


def blocks(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the language and the lines of every fenced block."""
    for block in re.finditer(r"(?ms)^```([^\n]*)\n(.*?)^```$", page.read_text(encoding="utf-8")):
        yield block[1].strip(), block[2].splitlines()


def commands(page: Path) -> list[Command]:
    """Return the commands of a page, in order."""
    commands: list[Command] = []
    for _, lines in blocks(page):
        begun = False
        for line in lines:
            if line.startswith("$ "):
                commands.append(Command(line[2:], ()))
                begun = True
            elif begun:
                commands[-1] = commands[-1]._replace(shown=(*commands[-1].shown, line))
    return commands


def files(page: Path) -> dict[str, str]:
    """Return the Python files that a page shows, by name."""
    named = {}
    for language, lines in blocks(page):
        if language == "python" and (title := re.fullmatch(r"# (\w+\.py)", lines[0])):
            named[title[1]] = "\n".join(lines) + "\n"
    return named


def runs(line: str) -> bool:
    """Tell whether a command is run, rather than stood in for."""
    needs_dask = "dask" in line or "--deadline" in line
    if needs_dask and Model.DASK not in available_models():
        return False
    return not line.startswith(tuple(STAND_INS))


def environment(scratch: Path) -> dict[str, str]:
    """Return a reader's environment: a home of its own, and concgen on the path."""
    quick = scratch / "quick"
    quick.mkdir()
    (quick / "sitecustomize.py").write_text(QUICK, encoding="utf-8")
    scripts = sysconfig.get_path("scripts")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("_TYPER")}
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    home = {"HOME": str(scratch), "XDG_CACHE_HOME": str(scratch / "cache")}
    return {**kept, **home, "PATH": path, "PYTHONPATH": str(quick), "COLUMNS": "100"}


def in_bash(script: str, folder: Path, scratch: Path) -> str:
    """Run `script` in bash, in `folder`, and return its output, errors with it."""
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=folder,
        env=environment(scratch),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_ends_as_the_page_says(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    for name, text in files(page).items():
        (folder / name).write_text(text, encoding="utf-8")
    todo = [command for command in commands(page) if runs(command.line)]
    before = BEFORE.get(page.name, {})
    # After each command a line with its exit code, which `$?` still is for the next one.
    script = "".join(
        f"{before.get(line, '')}{line}\ncode=$?; printf '\\n{MARK}%d\\n' $code; (exit $code)\n"
        for line, _ in todo
    )
    ended = re.split(rf"\n{MARK}(\d+)\n", in_bash(script, folder, tmp_path))
    outputs, codes = ended[:-1:2], [int(code) for code in ended[1::2]]
    assert len(codes) == len(todo)
    for number, (command, output, code) in enumerate(zip(todo, outputs, codes, strict=True)):
        following = todo[number + 1] if number + 1 < len(todo) else None
        expected = int(following.shown[0]) if following and following.line == "echo $?" else 0
        assert code == expected, f"{command.line}\n{output}"
        check_output(command, output)


def check_output(command: Command, output: str) -> None:
    """Hold what a page shows against what was printed, but for the figures of a machine."""
    printed = set(map(without_figures, output.splitlines()))
    for line in command.shown:
        words = without_figures(line)
        assert line.strip() == "..." or not words or words in printed, (
            f"{command.line}\n{line}\n{output}"
        )


def without_figures(line: str) -> str:
    """Return a line without its numbers, their units and its blanks; of a table's row, its name."""
    name = re.split(r"  +", line.strip())[0]
    return re.sub(r"\d[\d,.]*( ?(us|ms|s|min|h|MB|GB|x)\b)?|\s", "", name)


def test_every_stand_in_is_needed() -> None:
    lines = [command.line for page in PAGES for command in commands(page)]
    for begin in STAND_INS:
        assert any(line.startswith(begin) for line in lines), begin


def test_the_lines_that_are_set_up_for_are_there() -> None:
    for page, before in BEFORE.items():
        assert {command.line for command in commands(ROOT / "docs" / page)} >= set(before)


def test_the_example_of_every_commands_help_runs(tmp_path: Path) -> None:
    """In the order in which a reader would try them, in a project that one of them makes."""
    order = [
        "doctor",
        "models",
        "rules",
        "starters",
        "recommend",
        "measure",
        "bench",
        "demo",
        "new",
    ]
    inside = ["switch", "update", "diff", "check"]
    assert {*order, *inside, "undo", "add"} == set(usage.EXAMPLES)
    lines = [
        *(f"concgen {usage.EXAMPLES[name]}" for name in order),
        "cd crawl",
        *(f"concgen {usage.EXAMPLES[name]}" for name in inside),
        "concgen switch threading",
        f"concgen {usage.EXAMPLES['undo']}",
        "cd .. && mkdir repository && cd repository && mkdir shop && touch shop/__init__.py",
        "printf 'def thumb(name):\\n    return len(name)\\n' > shop/thumbs.py",
        "printf 'one\\ntwo\\n' > items.txt",
        "printf '[project]\\nname = \"shop\"\\n' > pyproject.toml",
        f"concgen {usage.EXAMPLES['add']}",
    ]
    script = "set -e\n" + README_WORK + "".join(f"{line} || echo FAILED {line}\n" for line in lines)
    script = script.replace("seq 2000", "seq 200")
    output = in_bash(script, tmp_path, tmp_path)
    assert "FAILED" not in output, output
    assert "Took back the switch" in output
    assert (tmp_path / "bench.svg").is_file()
    assert (tmp_path / "demo.svg").is_file()


def test_pictures_and_links_of_the_readme_are_there() -> None:
    """Mkdocs checks those of the guide."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (ROOT / target).exists(), target


def test_pictures_are_small_and_name_no_machine() -> None:
    pictures = sorted((ROOT / "docs" / "pictures").glob("*.svg"))
    assert pictures
    for picture in pictures:
        text = picture.read_text(encoding="utf-8")
        assert len(text) < 100_000, picture.name
        for private in (str(Path.home()), os.uname().nodename, "/tmp/", str(ROOT)):
            assert private not in text, f"{picture.name}: {private}"
