"""What only the sequential engine can get wrong."""

from __future__ import annotations

import pytest

from .conftest import Model


def test_it_never_sleeps_when_the_input_has_ended(
    models: dict[str, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run takes what its tasks take."""
    model = models["sequential"]
    slept: list[float] = []
    monkeypatch.setattr(model.engine.time, "sleep", slept.append)
    assert len(model.run(model.job("square"), range(3))) == 3
    assert slept == []
