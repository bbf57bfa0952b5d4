"""What the API still allows, learnt from the headers of its answers: requests and tokens.

    x-ratelimit-limit-requests: 600        x-ratelimit-limit-tokens: 90000
    x-ratelimit-remaining-requests: 599    x-ratelimit-remaining-tokens: 88800
    x-ratelimit-reset-requests: 100ms      x-ratelimit-reset-tokens: 1m30s

Other spellings are read too: `anthropic-ratelimit-tokens-remaining`, `x-ratelimit-remaining` alone.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime

from .runner.task import RetryAfter

PREFIX = re.compile(r"(?:x-|anthropic-)?ratelimit-(.+)", re.IGNORECASE)
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
RESET = 1.0  # seconds until the reset, where the server does not say when it is
EPOCH = 1e9  # a larger number of seconds is a point in time


class Limit:
    """Requests or tokens: what is left until the reset, and what was taken in all."""

    def __init__(self) -> None:
        self.left = self.limit = math.inf
        self.reset = 0.0  # on the monotonic clock
        self.taken = 0.0


class Limits:
    """The limits that all tasks of this process share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limits = {"requests": Limit(), "tokens": Limit()}

    def take(self, tokens: float) -> Callable[[Mapping[str, str]], None]:
        """Take a request with so many tokens; return what learns from the headers of its answer.

        Raises RetryAfter when as much is not left: the engine then waits until the reset.
        """
        with self._lock:
            now = time.monotonic()
            needed = {"requests": 1.0, "tokens": tokens}
            for kind, limit in self._limits.items():
                if now < limit.reset and limit.left < min(needed[kind], limit.limit):
                    raise RetryAfter(limit.reset - now, f"no {kind} are left of the API's limit")
            for kind, limit in self._limits.items():
                limit.left -= needed[kind]
                limit.taken += needed[kind]
            taken = {kind: limit.taken for kind, limit in self._limits.items()}
        return lambda headers: self._learn(headers, taken)

    def _learn(self, headers: Mapping[str, str], taken: Mapping[str, float]) -> None:
        """Note what the server counts as left, less what was taken since that request."""
        matches = [(PREFIX.fullmatch(name), text) for name, text in headers.items()]
        facts = {match[1].lower(): text for match, text in matches if match}
        with self._lock:
            for kind, limit in self._limits.items():
                remaining = _number(_fact(facts, kind, "remaining"))
                if remaining is None:
                    continue
                limit.limit = _number(_fact(facts, kind, "limit")) or math.inf
                limit.left = remaining - (limit.taken - taken[kind])
                limit.reset = time.monotonic() + duration(_fact(facts, kind, "reset"))


limits = Limits()


def duration(text: str | None) -> float:
    """Return the seconds until a reset: `20ms`, `1m30s`, `12`, a Unix time, or an ISO date."""
    if not text:
        return RESET
    if (number := _number(text)) is not None:
        return max(0.0, number - time.time()) if number > EPOCH else number
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|[smhd])", text)
    if parts and "".join(map("".join, parts)) == text:
        return sum(float(count) * UNITS[unit] for count, unit in parts)
    try:
        return max(0.0, datetime.fromisoformat(text).timestamp() - time.time())
    except ValueError:
        return RESET


def _fact(facts: Mapping[str, str], kind: str, quantity: str) -> str | None:
    plain = facts.get(quantity) if kind == "requests" else None
    return facts.get(f"{quantity}-{kind}") or facts.get(f"{kind}-{quantity}") or plain


def _number(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"\d+(\.\d+)?", text) else None
