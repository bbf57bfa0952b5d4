"""Rates: read from a text, and never exceeded."""

from __future__ import annotations

import random
from bisect import bisect_left
from types import ModuleType

import pytest


@pytest.mark.parametrize(
    ("text", "amount", "seconds", "unit"),
    [
        ("10/s", 10, 1, ""),
        ("600/min", 600, 60, ""),
        ("5000/h", 5000, 3600, ""),
        ("5,000 requests / hour", 5000, 3600, ""),
        ("0.5/s", 0.5, 1, ""),
        ("90000 tokens/min", 90000, 60, "tokens"),
    ],
)
def test_reads(pacing: ModuleType, text: str, amount: float, seconds: float, unit: str) -> None:
    """As other ends write them."""
    assert pacing.Rate.parse(text) == (amount, seconds, unit)


@pytest.mark.parametrize("text", ["", "10", "0/s", "-1/s", "/s", "10/y", "1e3/s", "nan/s", "inf/s"])
def test_refuses_what_is_no_rate(pacing: ModuleType, text: str) -> None:
    """And says what would be."""
    with pytest.raises(ValueError, match="is not a rate such as 10/s"):
        pacing.Rate.parse(text)


@pytest.mark.parametrize("block", range(10))
def test_no_period_holds_more_than_the_rates_allow(pacing: ModuleType, block: int) -> None:
    """Whatever the delays on the way in and out of the pacer, and however many rates there are."""
    for seed in range(100 * block, 100 * block + 100):
        rng = random.Random(seed)
        rates = [
            pacing.Rate(rng.randint(1, 200), rng.choice([1, 1, 10]))
            for _ in range(rng.randint(1, 3))
        ]
        pacer, now, begun = pacing.Pacer(rates), 0.0, []
        for _ in range(300):
            late = rng.random() * rng.choice([0.0, 0.002, 0.05, 2.0])
            now = max(now, pacer.due()) + late
            pacer.begin(now, None)
            begun.append(now)
        for rate in rates:
            for n, first in enumerate(begun):
                within = bisect_left(begun, first + rate.seconds - 1e-9) - n
                most = rate.amount * (1 + pacing.JITTER / rate.seconds) + 1
                assert within <= most, (seed, rate)
        fastest = min(rate.amount / (rate.seconds + pacing.JITTER) for rate in rates)
        assert pacer.due() <= now + 1 / fastest + 1e-9, seed  # no starvation


def test_a_mean_is_what_was_asked_for(pacing: ModuleType) -> None:
    """Small delays are made up for."""
    pacer, now, rng = pacing.Pacer([pacing.Rate(100, 1)]), 0.0, random.Random(1)
    for _ in range(10_000):
        now = max(now, pacer.due()) + rng.random() * 0.002
        pacer.begin(now, None)
    assert 99 < 10_000 / now <= 100


def test_units_are_paced_by_their_cost(pacing: ModuleType) -> None:
    """A task delays the next by what it costs itself, in the unit of each rate."""
    rates = [pacing.Rate(1000, 1, "tokens"), pacing.Rate(1000, 1)]
    pacer = pacing.Pacer(rates, cost=lambda item: {"tokens": item})
    pacer.begin(0.0, 500)
    assert pacer.due() == pytest.approx(0.5, abs=0.02)
    assert pacing.Pacer(rates, cost=lambda item: item).due() < 0


def test_a_pause_holds_for_all(pacing: ModuleType) -> None:
    """The longest one that was asked for counts."""
    pacer = pacing.Pacer()
    pacer.pause(5.0)
    pacer.pause(3.0)
    assert pacer.due() == 5.0
    assert pacer.pause_left(4.0) == 1.0
    assert not pacer.pause_left(5.0)
    assert pacer.idle(5.0)


def test_the_words_tell_what_auto_has_found(pacing: ModuleType, adaptive: ModuleType) -> None:
    """And fit into a line of 80 columns with the rest."""
    limit = adaptive.AdaptiveLimit(100, 0.0)
    pacer = pacing.Pacer([pacing.Rate.parse("10/s")], limit=limit)
    assert pacer.words(100, 0.0) == ["auto: 4 at once, 10/s at most"]
