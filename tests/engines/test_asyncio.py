"""What only an event loop can get wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .assembly import Project
from .conftest import Model

ALARM_OF_WINDOWS = """
import signal
from .runner import engine

engine.ALARM = signal.SIGILL

async def work(item):
    return item
"""


@pytest.fixture(params=["asyncio", "hybrid"])
def model(request: pytest.FixtureRequest, models: dict[str, Model]) -> Model:
    """Each model with an event loop."""
    return models[request.param]


def test_a_swallowed_cancellation_is_said(model: Model) -> None:
    """A coroutine that will not be cancelled is abandoned, and the others go on."""
    job = model.job("swallow_cancel_at_1", "async")
    outcomes = model.run(job, range(5), max_workers=2, timeout=0.3)
    assert [o.id for o in outcomes if o.error] == [1]
    assert "ignored its cancellation" in outcomes[1].error


def test_a_blocked_event_loop_is_interrupted_and_said(model: Model) -> None:
    """A call that blocks the loop fails by its timeout, and the others go on."""
    outcomes = model.run(model.job("block_at_1", "async"), range(5), max_workers=5, timeout=0.3)
    assert [o.id for o in outcomes if o.error] == [1]
    assert "blocked the event loop" in outcomes[1].error


def test_a_run_ends_well_where_python_watches_for_crashes(tmp_path: Path) -> None:
    """Of the signal that is the alarm on Windows, faulthandler has a handler in C."""
    project = Project.make("asyncio", tmp_path, ALARM_OF_WINDOWS, "1\n")
    done = project.run("run", "--timeout", "60", env=os.environ | {"PYTHONFAULTHANDLER": "1"})
    assert done.returncode == 0, done.stderr
