"""The pictures of the guide and the README, from real runs on this machine.

    python benchmarks/pictures.py [NAME...]

Writes docs/pictures/NAME.svg: terminals (interview, recommendation, bench) as what concgen printed
on a pseudo-terminal of 80 columns, and crossovers (crossover-io, crossover-cpu) as `bench --save`
draws them. It takes about a minute, best after `concgen doctor --calibrate`, and refuses where
others have more of the machine than a tenth: bench and crossovers claim what was measured.
`pip install -e ".[dev]"` brings what it needs.
"""

from __future__ import annotations

import argparse
import html
import io
import os
import re
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pexpect
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from scaffold.measuring.calibration import BUSY
from scaffold.measuring.machine import Others

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
CONCGEN = str(Path(sysconfig.get_path("scripts")) / "concgen")
COLUMNS = 80
PATIENCE = 120  # seconds for one answer: a bench is the longest
LOOK = 1.0  # seconds in which the machine is looked at before anything is drawn

GUIDE = PICTURES.parent / "measuring.md"  # has work.py, with `digest` and `parse`
FETCH = """

async def fetch(item: int) -> int:
    await asyncio.sleep(0.02)
    return item
"""
ITEMS = 2000

# What is typed in the interview, each after the prompt that it answers.
ANSWERS = (
    ("mostly do.*: ", "1"),
    ("How many tasks.*: ", "20k"),
    ("How long.*: ", "200ms"),
    ("async.*: ", "y"),
    ("in flight at once.*: ", ""),
    ("limit the rate.*: ", ""),
    ("Use asyncio.*: ", "y"),
    ("Choice.*: ", "1"),  # of a starter
)
RECOMMEND = "recommend --workload cpu --tasks 5k --task-time 50ms --yes"
BENCH = "bench work.py:parse --items items.jsonl --budget 6s --save bench.svg"  # as the guide's

# A light page, and colours that keep a contrast of 4.5 on it.
THEME = TerminalTheme(
    (250, 250, 250),
    (36, 41, 47),
    [(36, 41, 47), (164, 14, 38), (17, 99, 41), (121, 78, 0), (9, 105, 218), (130, 80, 223),
     (27, 124, 131), (110, 119, 129)],
)  # fmt: skip
# As rich draws it, without the fonts that it would fetch from the network.
FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"
 xml:space="preserve">
<title>TITLE</title>
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g></g></svg>
"""


def main() -> None:
    """Make the pictures named, or all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MAKERS))
    names = parser.parse_args().names
    if unknown := set(names) - set(MAKERS):
        parser.error(f"no picture {', '.join(sorted(unknown))}: there are {', '.join(MAKERS)}")
    PICTURES.mkdir(exist_ok=True)
    names = names or tuple(MAKERS)
    if MEASURED & set(names):
        refuse_busy("the pictures", Others(), LOOK)
    for name in names:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            (folder / "work.py").write_text(work(), encoding="utf-8")
            lines = "".join(f"{number}\n" for number in range(ITEMS))
            (folder / "items.jsonl").write_text(lines, encoding="utf-8")
            others = Others()
            text = MAKERS[name](folder)
            if name in MEASURED:
                refuse_busy(name, others)
        path = PICTURES / f"{name}.svg"
        path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(PICTURES.parents[1])}: {len(text) / 1000:.0f} KB")


def work() -> str:
    """Return the guide's work.py, and work that waits."""
    code = re.search(r"(?s)```python\n(# work.py\n.*?)```", GUIDE.read_text(encoding="utf-8"))
    assert code is not None
    return f"import asyncio\n{code[1]}{FETCH}"


def refuse_busy(subject: str, others: Others, wait: float = 0.0) -> None:
    """Leave when others had more of this machine than measured times bear."""
    time.sleep(wait)
    share = others.share() or 0.0
    if share > BUSY:
        sys.exit(
            f"{subject}: other programs used {share:.0%} of this machine; draw it when it is quiet"
        )


def interview(folder: Path) -> str:
    """Answer the questions as a person would; of the tree that ends it, only that it is there."""
    printed = session(folder, "new crawl", ANSWERS)
    return drawn("new crawl", re.sub(r"(?s)(\nCreated [^\n]+\n).*(?=\nNext:)", r"\1  ...", printed))


def recommendation(folder: Path) -> str:
    """Draw the advice for work that computes."""
    return drawn(RECOMMEND, session(folder, RECOMMEND))


def bench(folder: Path) -> str:
    """Draw every model on Python code, which holds the GIL."""
    return drawn(BENCH, session(folder, BENCH))


def crossover(function: str) -> Callable[[Path], str]:
    """Return what draws the bench of `function`, its crossover chart with it."""

    def draw(folder: Path) -> str:
        target = f"work.py:{function}"
        session(folder, f"bench {target} --items items.jsonl --budget 20s --save bench.svg")
        return (folder / "bench.svg").read_text(encoding="utf-8")

    return draw


def session(folder: Path, command: str, answers: Sequence[tuple[str, str]] = ()) -> str:
    """Run concgen on a terminal in `folder` and return what it printed, with the colours."""
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    child = pexpect.spawn(
        CONCGEN,
        command.split(),
        cwd=str(folder),
        env={**env, "TERM": "xterm-256color"},
        dimensions=(60, COLUMNS),
        encoding="utf-8",
        timeout=PATIENCE,
    )
    screen = io.StringIO()
    child.logfile_read = screen
    for prompt, answer in answers:
        child.expect(prompt)
        child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    if child.exitstatus:
        sys.exit(f"concgen {command} ended with {child.exitstatus}:\n{screen.getvalue()}")
    return visible(screen.getvalue())


def visible(printed: str) -> str:
    """Return the lines as a terminal shows them at the end: what was overwritten is gone."""
    lines = (line.rpartition("\r")[2] for line in printed.replace("\r\n", "\n").split("\n"))
    return "\n".join(re.sub(r"\033\[[0-9;?]*[A-Za-ln-z]", "", line) for line in lines).strip("\n")


def drawn(command: str, printed: str) -> str:
    """Return an SVG of a terminal in which `command` printed `printed`."""
    text = Text.from_ansi(f"\033[1m$ concgen {command}\033[0m\n{printed}")
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, legacy_windows=False
    )
    console.print(text, soft_wrap=True)
    frame = FRAME.replace("TITLE", html.escape(f"concgen {command}"))
    return console.export_svg(title="", theme=THEME, code_format=frame, unique_id="concgen")


MAKERS: dict[str, Callable[[Path], str]] = {
    "interview": interview,
    "recommendation": recommendation,
    "bench": bench,
    "crossover-io": crossover("fetch"),
    "crossover-cpu": crossover("parse"),
}
# Those that claim what was measured.
MEASURED = {"bench", "crossover-io", "crossover-cpu"}


if __name__ == "__main__":
    main()
