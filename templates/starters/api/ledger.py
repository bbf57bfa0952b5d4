"""What the run has used and spent, and the cap on it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from . import policy
from .runner.prints import say
from .runner.task import Overloaded, StopRun


class Usage(NamedTuple):
    """Tokens: those that were sent, and those that came back."""

    sent: int
    received: int

    @property
    def cost(self) -> float:
        """What they cost, by the prices of policy.py."""
        return (self.sent * policy.PRICE_IN + self.received * policy.PRICE_OUT) / 1e6


class Ledger:
    """What all workers of this process have used and may spend."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._workers = self.answers = 0
        self.used = Usage(0, 0)
        self._reserved: list[float] = []  # what the calls in flight may cost

    @contextmanager
    def open(self) -> Iterator[None]:
        """Count a worker; the last one to leave tells the sum."""
        if policy.MAX_COST is not None and not policy.PRICE_IN + policy.PRICE_OUT:
            raise ValueError("MAX_COST needs PRICE_IN and PRICE_OUT, in policy.py")
        with self._lock:
            self._workers += 1
        try:
            yield
        finally:
            with self._lock:
                self._workers -= 1
            if not self._workers and self.answers:
                say(self.summary())

    @contextmanager
    def reserved(self, most: Usage) -> Iterator[None]:
        """Hold what a call may cost at most, while it is in flight.

        Raises StopRun when that may exceed MAX_COST; Overloaded, to try again later, when it may do
        so only together with the other calls in flight.
        """
        with self._lock:
            bound = self.used.cost + most.cost
            if policy.MAX_COST is not None and bound > policy.MAX_COST:
                raise StopRun(
                    f"{self.used.cost:.4f} is spent, and the next call may exceed MAX_COST, "
                    f"{policy.MAX_COST:g}: raise it in policy.py, and the same command continues"
                )
            if policy.MAX_COST is not None and bound + sum(self._reserved) > policy.MAX_COST:
                raise Overloaded("what is in flight may use up MAX_COST")
            self._reserved.append(most.cost)
        try:
            yield
        finally:
            with self._lock:
                self._reserved.remove(most.cost)

    def add(self, usage: Usage) -> None:
        """Count an answer."""
        with self._lock:
            self.answers += 1
            self.used = Usage(*map(sum, zip(self.used, usage, strict=True)))

    def summary(self) -> str:
        """One line for the user."""
        sent, received = self.used
        text = f"{self.answers:,} answers, {sent:,} tokens sent, {received:,} received"
        return f"{text}, cost {self.used.cost:.4f}" if self.used.cost else text


ledger = Ledger()
