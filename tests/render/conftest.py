"""Rendered projects, each made once in a session."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from scaffold.core.domain import Bound, Model
from scaffold.making import inventory, project, starters

# As views make it: every key is there, every list has something in it.
DECISION = {
    "headline": "asyncio, 1,000 in flight: about 5 s instead of 67 min",
    "reasons": [
        {
            "verdict": "prefer",
            "model": "asyncio",
            "text": "20,000 tasks that wait",
            "rule": "R3",
            "article": "Asyncio in Python",
        }
    ],
    "estimates": [
        {
            "model": "asyncio",
            "time": "4.6 s",
            "speedup": "870x",
            "memory": "40 MB",
            "note": "a | in a cell",
        }
    ],
    "flips": ["below 1,400 tasks: threading, as fast and simpler"],
    "answers": [{"question": "How many tasks?", "value": "20,000", "source": "asked"}],
    "machine": ["2 cores", "Python 3.13 with the GIL"],
    "chosen_by": "advice",
    "notes": ["The estimate overrules a rule of thumb here."],
}


class Rendered(NamedTuple):
    """A rendered project: where it is, and the answers that it came from."""

    path: Path
    answers: Mapping[str, Any]

    def read(self, name: str) -> str:
        """Return the text of one file."""
        return (self.path / name).read_text(encoding="utf-8")


def _combinations() -> list[dict[str, Any]]:
    """Every flag with the starter `blank`; the other starters in each of their forms."""
    blank = starters.load(starters.DEFAULT)
    flags = [
        *product(blank.models, Bound, (True, False), (None,)),
        *product(blank.models, (Bound.IO,), (True,), (5,)),
    ]
    combined = [
        _answers(blank.name, model, bound, async_client=async_client, limit=limit)
        for model, bound, async_client, limit in flags
    ]
    for starter in map(starters.load, starters.names()[1:]):
        for model in starter.models:
            # Only hybrid has a choice: between an event loop and threads in each process.
            both = model is Model.HYBRID and "async" in starter.forms
            for async_client in (True, False) if both else (True,):
                made = _answers(starter.name, model, starter.fits[0], async_client=async_client)
                combined.append({**made, "gil_fraction": 0.0 if "native" in starter.forms else 1.0})
    return combined


def _answers(
    starter: str, model: Model, bound: Bound, *, async_client: bool, limit: int | None = None
) -> dict[str, Any]:
    return {
        "name": "My.Crawler",
        "package": "my_crawler",
        "model": model,
        "bound": bound,
        "starter": starter,
        "async_client": async_client,
        "max_in_flight": limit,
        # The rest takes turns, so that each is seen with every model.
        "max_workers": limit,
        "decision": DECISION if async_client else {},
        "sources": {"bound": "asked", "tasks": "measured"},
        "concgen_version": "0.1.0",
    }


def _label(answers: dict[str, Any]) -> str:
    sync = "async" if answers["async_client"] else "sync"
    limit = "limit" if answers["max_in_flight"] else "free"
    return "-".join([answers["model"], answers["bound"], answers["starter"], sync, limit])


@pytest.fixture(scope="session", params=_combinations(), ids=_label)
def rendered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """Every combination of model, kind of work, starter and flags, as `create` writes it."""
    path = tmp_path_factory.mktemp("rendered") / "project"
    project.create(path, request.param)
    return Rendered(path, request.param)


@pytest.fixture(scope="session", params=inventory.available_models())
def generated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """One project per model, with the work that the model is for."""
    bound = {Model.MULTIPROCESSING: Bound.CPU, Model.HYBRID: Bound.MIXED, Model.DASK: Bound.CPU}
    answers = {
        "name": "crawl",
        "model": request.param,
        "bound": bound.get(request.param, Bound.IO),
        "decision": DECISION,
    }
    path = tmp_path_factory.mktemp(request.param) / "crawl"
    project.create(path, answers)
    return Rendered(path, answers)


@pytest.fixture
def answers() -> dict[str, Any]:
    """The answers of a small project."""
    return {"name": "crawl", "package": "crawl", "model": "threading"}
