"""What only an event loop can get wrong."""

from __future__ import annotations

import pytest

from .conftest import Model


@pytest.fixture(params=["asyncio", "hybrid"])
def model(request: pytest.FixtureRequest, models: dict[str, Model]) -> Model:
    """Each model with an event loop."""
    return models[request.param]


def test_a_swallowed_cancellation_is_said(model: Model) -> None:
    """A coroutine that will not be cancelled is abandoned, and the others go on."""
    job = model.job("swallow_cancel_at_1", "async")
    outcomes = model.run(job, range(5), max_workers=2, timeout=0.3)
    assert [o.id for o in outcomes if o.error] == [1]
    assert "would not be cancelled" in outcomes[1].error


def test_a_blocked_event_loop_is_interrupted_and_said(model: Model) -> None:
    """A call that blocks the loop fails by its timeout, and the others go on."""
    outcomes = model.run(model.job("block_at_1", "async"), range(5), max_workers=5, timeout=0.3)
    assert [o.id for o in outcomes if o.error] == [1]
    assert "blocked the event loop" in outcomes[1].error
