"""What a long command reports while it runs. Only the terminal puts it into words."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from scaffold.asking.target import Target
from scaffold.core.domain import Model


class Running(NamedTuple):
    """The user's code is about to be run: on a sample of the items or all, and how long at most."""

    target: Target
    sample: int | None
    of: int
    seconds: float


class Measuring(NamedTuple):
    """The function is being measured, before the models are."""

    target: Target


class LeftOut(NamedTuple):
    """A model that cannot be measured on one machine."""

    model: Model


class Trying(NamedTuple):
    """A model runs the items: its number among the models, and for how long at most."""

    model: Model
    number: int
    of: int
    seconds: float


class Left(NamedTuple):
    """Seconds until measuring ends."""

    seconds: float


class Done(NamedTuple):
    """How far a model is: items, the rate at which they get done, seconds left at most."""

    items: int
    of: int
    rate: float
    seconds: float


Step = Running | Measuring | LeftOut | Trying
Tick = Left | Done


class Progress(Protocol):
    """Takes the reports of progress."""

    def step(self, step: Step) -> None:
        """Report that something begins, in a line that stays."""

    def tick(self, tick: Tick) -> None:
        """Report how far it is, in a line that the next report replaces."""


class _Silent:
    def step(self, step: Step) -> None:
        pass

    def tick(self, tick: Tick) -> None:
        pass


SILENT: Progress = _Silent()
