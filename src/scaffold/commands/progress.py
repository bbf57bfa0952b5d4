"""What a command that takes its time tells while it runs. The terminal shows it, or nobody does."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Where progress is told."""

    def step(self, text: str) -> None:
        """Something begins: worth a line."""

    def tick(self, text: str) -> None:
        """How far it is: worth a line only as long as it is true."""


class _Silent:
    def step(self, text: str) -> None:
        pass

    def tick(self, text: str) -> None:
        pass


SILENT: Progress = _Silent()
