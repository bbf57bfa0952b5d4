"""What every engine promises where the other end has limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Model, paying


def _stamps(path: Path) -> list[float]:
    return sorted(map(float, path.read_text().split()))


def test_a_rate_holds_for_all_workers_together(model: Model, kind: str, tmp_path: Path) -> None:
    """However many workers, and however short the tasks, they begin one by one."""
    pacer = model.pacing.Pacer([model.pacing.Rate.parse("50/s")])
    file = tmp_path / "stamps"
    outcomes = model.run(model.job("stamp", kind), [str(file)] * 30, max_workers=4, pacer=pacer)
    assert [outcome.error for outcome in outcomes] == [None] * 30
    stamps = _stamps(file)
    assert len(stamps) == 30
    assert stamps[-1] - stamps[0] > 0.75 * 29 / 50  # never in a burst; a slow machine takes longer


def test_retries_need_a_permit(model: Model, kind: str, tmp_path: Path) -> None:
    """A rate counts attempts, not items."""
    pacer = model.pacing.Pacer([model.pacing.Rate.parse("10/s")])
    file = tmp_path / "stamps"
    item = (str(file), "for ever")
    model.run(
        model.job("refused_once", kind),
        [item],
        retry=model.task.Retry(refusals=7),
        pacer=pacer,
    )
    stamps = _stamps(file)
    assert len(stamps) == 8
    assert stamps[-1] - stamps[0] > 0.75 * 7 / 10


def test_other_units_are_paced_by_their_cost(model: Model, kind: str, tmp_path: Path) -> None:
    """A limit of tokens holds for tasks that cost many, whatever the limit of tasks allows."""
    rates = [model.pacing.Rate.parse(text) for text in ("1000/s", "1000 tokens/s")]
    pacer = model.pacing.Pacer(rates, cost=lambda _: {"tokens": 100})
    file = tmp_path / "stamps"
    model.run(model.job("stamp", kind), [str(file)] * 8, max_workers=4, pacer=pacer)
    stamps = _stamps(file)
    assert stamps[-1] - stamps[0] > 0.75 * 7 / 10


def test_each_task_is_paid_for_once(model: Model, kind: str) -> None:
    """What a task costs is spent as it begins, and by nobody who only looks for tasks."""
    pacer, paid = paying(model)
    model.run(model.job("square", kind), range(5), pacer=pacer)
    assert paid == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("refusal", ["RetryAfter", "a client's own"])
def test_nothing_begins_in_a_pause_that_was_asked_for(
    model: Model, kind: str, tmp_path: Path, refusal: str
) -> None:
    """The task that was refused runs again, without a retry being allowed; the others wait too."""
    file = tmp_path / "stamps"
    items = [(str(file), refusal), *[(str(file), None)] * 40]
    outcomes = model.run(model.job("refused_once", kind), items, max_workers=1)
    assert [outcome.error for outcome in outcomes] == [None] * 41
    assert [outcome.attempts for outcome in outcomes] == [2] + [1] * 40
    first, *others = _stamps(file)
    assert not [stamp for stamp in others if 0.5 < stamp - first < 0.95]  # till 0.5: it spreads


def test_overloaded_runs_again_without_a_retry(model: Model, kind: str, tmp_path: Path) -> None:
    """The other end named no time: the task comes back after a short one."""
    items = [(str(tmp_path / "stamps"), "Overloaded")]
    (outcome,) = model.run(model.job("refused_once", kind), items)
    assert (outcome.error, outcome.attempts) == (None, 2)


def test_who_is_always_refused_fails_in_the_end(model: Model, kind: str, tmp_path: Path) -> None:
    """No item can keep a run from ending."""
    items = [(str(tmp_path / "stamps"), "for ever")]
    (outcome,) = model.run(model.job("refused_once", kind), items)
    assert outcome.error == "RetryAfter: the other end asks to wait (retry after 0 s)"
    assert outcome.attempts == 1 + model.task.Retry().refusals


def test_a_cost_that_fails_ends_the_run(model: Model, kind: str, tmp_path: Path) -> None:
    """What had begun is finished, and the item is named."""
    rate = model.pacing.Rate.parse("1000 tokens/s")
    pacer = model.pacing.Pacer([rate], cost=lambda item: {"tokens": 1 // item})
    with pytest.raises(model.task.EngineError, match="cost.. failed for the item with id 2"):
        model.run(model.job("square", kind), [3, 2, 0, 1], pacer=pacer)


def test_what_is_final_is_not_tried_again(model: Model, kind: str) -> None:
    """The exception says that another attempt would end the same way."""
    (outcome,) = model.run(model.job("end", kind), ["final"], retry=model.task.Retry(3))
    assert (outcome.error, outcome.attempts) == ("Final: ", 1)


def test_a_task_can_end_the_run(model: Model, kind: str) -> None:
    """What runs is finished; the task itself and those that did not begin have no outcome."""
    finished: list[str] = []
    items = ["a", "stop", *["b"] * 5000]
    bursts = model.bursts(model.job("end", kind), items, max_workers=2)
    with pytest.raises(model.task.EngineError, match="^the budget is spent$"):
        finished.extend(outcome.item for burst in bursts for outcome in burst)
    assert "a" in finished
    assert "stop" not in finished
    assert len(finished) < 100  # what was queued for a worker is not begun
