"""The simulation gives the same results, to the last digit, whatever runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from running import call

from scaffold.making import project, starters

ITEMS = "".join(
    json.dumps({"stream": n, "strike": 100.0, "paths": 50 + n}) + "\n" for n in range(20)
)


def results(folder: Path, workers: int) -> list[str]:
    """Run the project on ITEMS; return its values as they are written, by position."""
    done = call(folder, "made", "run", "--fresh", "--max-workers", str(workers))
    assert done.returncode == 0, done.stderr
    lines = (folder / "results.jsonl").read_text(encoding="utf-8").splitlines()
    lines.sort(key=lambda line: json.loads(line)["id"])
    return [line.partition(', "seconds"')[0] for line in lines]


@pytest.mark.parametrize("form", ["sync", "native"])
def test_every_model_and_number_of_workers_gives_the_same_results(tmp_path: Path, form: str):
    """Byte for byte, the times and the order of finishing apart."""
    lines_of = {}
    for model in starters.load("numeric").models:
        folder = tmp_path / model
        gil = 0.0 if form == "native" else 1.0
        names = {"name": "made", "starter": "numeric", "model": model}
        project.create(folder, names | {"bound": "cpu", "gil_fraction": gil})
        (folder / "items.jsonl").write_text(ITEMS, encoding="utf-8")
        for workers in (1, 4):
            lines_of[model, workers] = results(folder, workers)
    expected = lines_of["sequential", 1]
    assert len(expected) == 20
    assert all(lines == expected for lines in lines_of.values())
