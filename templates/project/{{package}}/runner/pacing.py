"""When the next task may begin: rates that the other end allows, and pauses that it asks for.

Pure: it is told the time and never waits, so a simulation tests hours of it in no time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

SECONDS = {"s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600}
TASKS = ("", "task", "tasks", "request", "requests", "call", "calls")  # the unit of plain rates
RATE = r"\s*(\d[\d_,]*(?:\.\d+)?)(?:\s+([A-Za-z][\w-]*))?\s*/\s*([a-z]+)\s*"
# Seconds by which the time from sending to arriving may differ between tasks. A rate's period
# counts as so much longer, so that never more than N arrivals fall into it. A task that begins too
# late by half of that does not delay the tasks behind it.
JITTER = 0.007
WARM_UP = 0.015  # seconds that the first task takes longer to arrive: it imports and connects

# Of an item: a number in the unit that the rates have, or one number for each unit.
Cost = Callable[[Any], float | Mapping[str, float]]


class Rate(NamedTuple):
    """So many tasks, or units that cost(item) counts, in so many seconds."""

    amount: float
    seconds: float
    unit: str = ""  # of cost(item); a rate of tasks has none

    @classmethod
    def parse(cls, text: str) -> Rate:
        """From `10/s`, `600/min`, `5000/h` or `90000 tokens/min`; ValueError otherwise."""
        import re  # workers do without

        if match := re.fullmatch(RATE, text):
            amount, unit, period = match[1].replace(",", "").replace("_", ""), match[2], match[3]
            if period in SECONDS and float(amount) > 0:
                name = "" if (unit or "") in TASKS else unit
                return cls(float(amount), SECONDS[period], name)
        raise ValueError(
            f'{text!r} is not a rate such as 10/s, 600/min, 5000/h or "90000 tokens/min"'
        )

    @property
    def gap(self) -> float:
        """Seconds between two tasks, or two units."""
        return (self.seconds + JITTER) / self.amount


class Bucket:
    """A token bucket of almost no size, kept as the time when the next task is due (GCRA)."""

    def __init__(self, gap: float, unit: str = "", per_second: float | None = None) -> None:
        self.gap, self.unit = gap, unit
        self.per_second = per_second  # the rate that was given; None where it was found
        self.due = -math.inf  # when the next task may begin
        self.spent = 0.0  # units, so far

    def spend(self, now: float, units: float = 1.0) -> None:
        """A task begins. Its cost delays the next task, for the cost of that is not known yet."""
        first = self.due == -math.inf
        self.due = now + WARM_UP if first else max(self.due, now - JITTER / 2)
        self.due += units * self.gap
        self.spent += units


class Limit(Protocol):
    """An adaptive limit on tasks in flight: see adaptive.py, where the engine has it."""

    rate: Bucket | None

    def places(self, now: float) -> int: ...
    def ramping(self) -> bool: ...
    def bound_by(self, in_flight: float) -> str | None: ...
    def succeeded(self, now: float, seconds: float, busy: int) -> None: ...
    def refused(
        self, now: float, seconds: float, busy: int, after: float | None, *, timeout: bool = False
    ) -> float: ...


class Pacer:
    """Keeps to every rate at once, to pauses, and to an adaptive limit on tasks in flight."""

    def __init__(
        self,
        rates: Iterable[Rate] = (),
        cost: Cost | None = None,
        limit: Limit | None = None,
    ) -> None:
        self._buckets = [Bucket(rate.gap, rate.unit, rate.amount / rate.seconds) for rate in rates]
        self._cost = cost if any(bucket.unit for bucket in self._buckets) else None
        self._resume = -math.inf
        self.limit = limit
        self.on_pause: Callable[[], None] | None = None  # called when a pause begins

    def places(self, size: int, now: float) -> int:
        """Tasks that may be in flight now, `size` at most."""
        return size if self.limit is None else min(size, self.limit.places(now))

    def due(self) -> float:
        """When the next task may begin."""
        due = self._resume
        for bucket in self._all():
            due = max(due, bucket.due)
        return due

    def begin(self, now: float, item: Any) -> None:
        """The task of this item begins."""
        cost = self._cost(item) if self._cost else 0.0
        for bucket in self._all():
            units = cost.get(bucket.unit, 0.0) if isinstance(cost, Mapping) else cost
            bucket.spend(now, units if bucket.unit else 1.0)

    def pause(self, until: float) -> None:
        """Let no task begin before that time."""
        if until > self._resume:
            self._resume = until
            if self.on_pause is not None:
                self.on_pause()

    def pause_left(self, now: float) -> float:
        """Seconds of the pause that was asked for; 0 when there is none."""
        return max(0.0, self._resume - now)

    def idle(self, now: float) -> bool:
        """Whether nothing is limited any more."""
        return not self._buckets and self.limit is None and now >= self._resume

    def words(self, size: int, now: float) -> list[str]:
        """Say what it keeps to at present, for the progress line."""
        words = [f"{self.places(size, now)} at once"] if size else []
        if buckets := self._all():
            slowest = max(buckets, key=lambda bucket: 0 if bucket.unit else bucket.gap)
            words.append(f"{slowest.per_second or 1 / slowest.gap:.3g}/s at most")
        return words if self.limit is None else [f"auto: {', '.join(words)}"]

    def used_up(self, seconds: float) -> str | None:
        """Return a rate that was given, and was used up over that time, if there is any."""
        for bucket in self._buckets:
            if bucket.per_second and bucket.spent >= bucket.per_second * seconds:
                return f"{bucket.per_second:.3g}{bucket.unit and ' '}{bucket.unit}/s"
        return None

    def _all(self) -> list[Bucket]:
        rate = self.limit.rate if self.limit else None  # the adaptive rate
        return self._buckets if rate is None else [*self._buckets, rate]
