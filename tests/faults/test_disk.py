"""A full disk, and an input that breaks in the middle."""

from __future__ import annotations

import json
import os
import resource
from pathlib import Path

import pytest
from engines.assembly import HERE, MODELS, Project

WORK = "def work(item):\n    return 'x' * 100\n"
ITEMS = "".join(f"{n}\n" for n in range(2000))
LIMIT = 20_000  # bytes that a file may have: the write behind it fails, as on a full disk


@pytest.mark.parametrize("model", MODELS)
def test_a_full_disk_ends_the_run_and_keeps_the_journal(model: str, tmp_path: Path) -> None:
    """One clear line, exit 1, whole lines only; with space again the run goes on."""
    project = Project.make(model, tmp_path, WORK, ITEMS)
    done = project.run(
        "run",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT)),
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},  # it would be cut off as well
    )
    assert done.returncode == 1
    assert "cannot write results.jsonl: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    text = (tmp_path / "results.jsonl").read_text()
    assert LIMIT - 200 < len(text) <= LIMIT
    assert text.endswith("\n")
    assert project.run("run").returncode == 0
    records = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert sorted(record["id"] for record in records) == list(range(2000))


@pytest.mark.parametrize("model", HERE)
def test_an_unreadable_item_in_the_middle(model: str, tmp_path: Path) -> None:
    """Of a pipe: what came before it is done and kept, and the error names the line."""
    process = Project.make(model, tmp_path, WORK).start("run", "--items", "-", stdin=-1)
    _, told = process.communicate("1\n2\n3\n{\n5\n", timeout=60)
    assert (process.returncode, "-, line 4" in told) == (2, True)
    assert "Traceback" not in told
    assert len((tmp_path / "results.jsonl").read_text().splitlines()) == 3
