"""A user's own file may have any name: nothing of ours stands beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scaffold.asking.target import Target
from scaffold.core.domain import Model
from scaffold.making import inventory, project
from scaffold.making.items import Items
from scaffold.making.user_code import TAKEN, gather

MODULES = sorted({name for model in Model for name in inventory.runner_files(model)})
FUNCTION = "def fetch(item):\n    return 10 * item\n"


def make(folder: Path, name: str, model: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of that model around `fetch` in NAME.py, as `new --from NAME.py:fetch` makes it."""
    monkeypatch.chdir(folder)
    file, items = folder / f"{name}.py", folder / "numbers.jsonl"
    file.write_text(FUNCTION)
    items.write_text("1\n2\n3\n")
    target = Target(name, "fetch", (str(folder),), file)
    user_code = gather(target, Items(items, 3, ()))
    answers = {"name": "crawl", "package": "crawl", "starter": "yours", "model": model}
    project.create(
        folder / "crawl",
        {**answers, **user_code.answers(folder / "crawl")},
        lambda into: user_code.copy(into, "crawl"),
    )
    return folder / "crawl"


def values(root: Path) -> list[int]:
    """What a run of the project gives, by item."""
    command = [sys.executable, "-m", "crawl", "run", "--quiet"]
    subprocess.run(command, cwd=root, check=True, timeout=60)
    records = [json.loads(line) for line in (root / "results.jsonl").read_text().splitlines()]
    return [record["value"] for record in sorted(records, key=lambda record: record["id"])]


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("threads", "hybrid"),
        ("engine", "multiprocessing"),
        ("runner", "asyncio"),
        ("work", "threading"),
    ],
)
def test_a_file_named_like_one_of_the_machinery_runs(
    name: str, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither overwrites the other, and the function runs on every worker."""
    assert values(make(tmp_path, name, model, monkeypatch)) == [10, 20, 30]


def test_no_module_of_the_machinery_is_in_the_way() -> None:
    """A file of any such name would be copied under its own name, beside work.py."""
    assert not TAKEN & set(MODULES)
