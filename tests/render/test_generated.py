"""One project per model, run, tested, linted and typed exactly as it was made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from running import call

if TYPE_CHECKING:
    from .conftest import Rendered


def test_runs_with_no_install(generated: Rendered) -> None:
    """`python -m PKG run` works right after generation and answers the whole sample."""
    done = call(generated.path, "crawl", "run")
    assert done.returncode == 0, done.stderr
    lines = generated.read("results.jsonl").splitlines()
    records = sorted((json.loads(line) for line in lines), key=lambda record: record["id"])
    items = [json.loads(line) for line in generated.read("items.jsonl").splitlines()]
    power = {"square": 2, "cube": 3}
    assert [record["value"] for record in records] == [i["n"] ** power[i["kind"]] for i in items]


def test_bench_prints_both_and_the_speedup(generated: Rendered) -> None:
    """`python -m PKG bench` runs the sample both ways."""
    done = call(generated.path, "crawl", "bench")
    assert done.returncode == 0, done.stderr
    assert "sequential" in done.stdout
    assert "speedup" in done.stdout


@pytest.mark.parametrize(
    "command",
    [
        ("pytest", "-q", "-p", "no:cacheprovider"),
        ("ruff", "check", "--no-cache"),
        ("ruff", "format", "--check", "--no-cache"),
        ("mypy", "--strict", "."),
    ],
    ids=" ".join,
)
def test_passes_its_own_checks(generated: Rendered, command: tuple[str, ...]) -> None:
    """The project's own tests, linter, formatter and type checker find nothing."""
    done = call(generated.path, *command)
    assert done.returncode == 0, done.stdout + done.stderr
