"""The page on the contract is what benchmarks/contract.py prints; it judges anybody's runner."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "benchmarks" / "contract.py"
PAGE = ROOT / "docs" / "contract.md"
LOOP = """
from peers.runners import Came, Lacks

def run(work, items, workers, timeout=None, setup=None):
    if timeout or setup:
        raise Lacks
    for item in items:
        yield Came(item, work(item))
"""


def contract(*arguments: str, path: Path | None = None) -> str:
    """What the script prints."""
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
        env={"PYTHONPATH": str(path or ""), "PATH": ""},
    ).stdout


def tables() -> list[list[list[str]]]:
    """The cells of each table of the page, head first."""
    blocks = re.findall(r"(?:^\|.*\n)+", PAGE.read_text(), re.MULTILINE)
    return [
        [[cell.strip() for cell in row.strip("|").split("|")] for row in block.splitlines()]
        for block in blocks
    ]


def test_the_page_has_every_promise_and_every_runner() -> None:
    """A promise or a runner that was added is on the page."""
    promises, runners = contract("--list").strip().split("\n\n")
    texts = [line[16:].strip() for line in promises.splitlines()]
    titles = {line[16:].strip() for line in runners.splitlines()}
    assert all([row[0] for row in table[2:]] == texts for table in tables())
    assert {title for table in tables() for title in table[0][1:]} == titles


def test_our_own_runners_keep_every_promise() -> None:
    """Nothing on the page says that an engine of ours fails."""
    own = [
        row[column]
        for table in tables()
        for column, title in enumerate(table[0])
        if title.startswith("concgen")
        for row in table[2:]
    ]
    assert own
    assert set(own) == {"yes", "-"}


def test_a_runner_of_somebody_is_judged(tmp_path: Path) -> None:
    """A plain loop hands out each value, and ends at the first exception."""
    (tmp_path / "mine.py").write_text(LOOP)
    report = contract(
        *("--run", "mine:run", "--kind", "threads"),
        *("--only", "each_once", "exception_alone", "timeout_alone"),
        path=tmp_path,
    )
    rows = [line.rpartition("| ")[2] for line in report.splitlines() if line.startswith("|")]
    assert rows[2:] == ["yes |", "**no** |", "- |"]
    assert "mine:run: ends with ValueError" in report
