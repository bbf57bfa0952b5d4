"""What is done with one item: simulate the price of a share, and what an option on it is worth.

An item is one part of a simulation, such as {"stream": 7, "strike": 100.0, "paths": 2000}. The
option pays by how much the mean of the daily prices exceeds the strike; no formula has its value.
`python -m PACKAGE.combine` puts the parts of each strike together.

The random numbers of a part depend on ROOT_SEED and its stream alone: not on the worker that it
runs on, not on the order, not on the model. Two parts with the same stream have the same numbers.
"""

import math
import random
from statistics import fmean
from typing import Any

OPEN_FILES = 0  # files that one task has open: it only computes

ROOT_SEED = 1  # another seed gives another sample, as good as this
SPOT = 100.0  # price of the share today
RATE = 0.03  # of interest, per year
VOLATILITY = 0.2  # of the price, per year
YEARS = 1.0  # until the option pays
DAYS = 64  # on which the price counts, evenly apart


def work(item: dict[str, Any]) -> dict[str, Any]:
    """Return the part's estimate of the value, with its standard error.

    Raises ValueError for a stream below 0, and for fewer than 2 paths, which have no error.
    """
    stream, strike, paths = item["stream"], item["strike"], item["paths"]
    if stream < 0 or paths < 2:
        raise ValueError(f"{item}: expected a stream from 0, and 2 paths or more")
    # The text is hashed (SHA-512) to a seed, so that near streams have nothing in common.
    generator = random.Random(f"{ROOT_SEED}/{stream}")  # noqa: S311 - no secret
    payoffs = [simulate(generator, strike) for _ in range(paths)]
    mean = fmean(payoffs)
    variance = math.fsum((payoff - mean) ** 2 for payoff in payoffs) / (paths - 1)
    error = math.sqrt(variance / paths)
    return {"stream": stream, "strike": strike, "paths": paths, "estimate": mean, "error": error}


def simulate(generator: random.Random, strike: float) -> float:
    """Return what the option pays on one path, in today's money."""
    day = YEARS / DAYS
    drift, spread = (RATE - VOLATILITY**2 / 2) * day, VOLATILITY * math.sqrt(day)
    growth = total = 0.0  # the logarithm of the price to SPOT, and the sum of prices over SPOT
    for _ in range(DAYS):
        growth += generator.gauss(drift, spread)
        total += math.exp(growth)
    return math.exp(-RATE * YEARS) * max(SPOT * total / DAYS - strike, 0.0)
