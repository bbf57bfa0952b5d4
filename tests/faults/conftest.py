"""Clean up behind the fault tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from engines.assembly import end_all


@pytest.fixture(autouse=True)
def _no_process_survives_its_test() -> Iterator[None]:
    yield
    end_all()
