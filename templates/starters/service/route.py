"""What there is to compute: a short round trip through all stops.

Plain Python that holds the GIL, for some milliseconds from about 30 stops on.
"""

from __future__ import annotations

from itertools import pairwise
from math import dist

Stop = tuple[float, float]  # x and y


def shortest_round(stops: list[Stop]) -> tuple[list[int], float]:
    """Return the order of the stops, from the first on, and the length of the way back to it.

    The nearest stop comes next; then stretches that are shorter the other way are reversed (2-opt).
    """
    order = [0]
    remaining = set(range(1, len(stops)))
    while remaining:
        order.append(min(remaining, key=lambda stop: dist(stops[order[-1]], stops[stop])))
        remaining.remove(order[-1])
    while _improved(order, stops):
        pass
    return order, sum(dist(stops[a], stops[b]) for a, b in pairwise([*order, 0]))


def _improved(order: list[int], stops: list[Stop]) -> bool:
    """Reverse stretches where that is shorter; return whether there was any."""
    count, better = len(order), False
    for first in range(count - 2):
        for last in range(first + 2, count):
            a, b = stops[order[first]], stops[order[first + 1]]
            c, d = stops[order[last]], stops[order[(last + 1) % count]]
            if dist(a, c) + dist(b, d) < dist(a, b) + dist(c, d) - 1e-9:  # not for rounding errors
                order[first + 1 : last + 1] = reversed(order[first + 1 : last + 1])
                better = True
    return better
