"""What is known of an input while it is read."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from types import ModuleType

import pytest


@pytest.mark.parametrize("read", [10, 50, 100])
def test_the_number_of_items_is_told_from_the_share_that_was_read(
    read: int, load: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    """Of a file that is shorter than what is read at once, too: the time left rests on it."""
    file = tmp_path / "items.jsonl"
    file.write_text("".join(f"{number:03}\n".replace("0", "1") for number in range(100)))
    items = load("items")
    opened = items.Items(str(file), None, print)
    list(islice(opened.pending(), read))
    assert opened.total == pytest.approx(100, abs=2)
    opened.close()


def test_a_rate_is_shown_as_it_was_given(load: Callable[[str], ModuleType]) -> None:
    """Not as the somewhat slower pace that keeps every window within it."""
    pacing = load("pacing")
    pacer = pacing.Pacer([pacing.Rate.parse("10/s")])
    assert pacer.words(2, 0.0) == ["2 at once", "10/s at most"]
