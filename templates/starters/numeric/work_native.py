"""What is done with one item: simulate the price of a share, and what an option on it is worth.

An item is one part of a simulation, such as {"stream": 7, "strike": 100.0, "paths": 100000}. The
option pays by how much the mean of the daily prices exceeds the strike; no formula has its value.
`python -m PACKAGE.combine` puts the parts of each strike together.

The random numbers of a part depend on ROOT_SEED and its stream alone: not on the worker that it
runs on, not on the order, not on the model. Two parts with the same stream have the same numbers.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

OPEN_FILES = 0  # files that one task has open: it only computes

ROOT_SEED = 1  # another seed gives another sample, as good as this
SPOT = 100.0  # price of the share today
RATE = 0.03  # of interest, per year
VOLATILITY = 0.2  # of the price, per year
YEARS = 1.0  # until the option pays
DAYS = 64  # on which the price counts, evenly apart
BLOCK = 1 << 15  # paths at once: enough to outweigh Python, and few enough for a core's cache


def work(item: dict[str, Any]) -> dict[str, Any]:
    """Return the part's estimate of the value, with its standard error.

    Raises ValueError for a stream below 0, and for fewer than 2 paths, which have no error.
    """
    stream, strike, paths = item["stream"], item["strike"], item["paths"]
    if stream < 0 or paths < 2:
        raise ValueError(f"{item}: expected a stream from 0, and 2 paths or more")
    # The same as SeedSequence(ROOT_SEED).spawn(stream + 1)[stream], without making the others.
    generator = np.random.default_rng(np.random.SeedSequence(ROOT_SEED, spawn_key=(stream,)))
    payoffs = np.empty(paths)
    for begin in range(0, paths, BLOCK):
        block = payoffs[begin : begin + BLOCK]
        block[:] = simulate(generator, strike, len(block))
    mean, error = float(payoffs.mean()), float(payoffs.std(ddof=1)) / math.sqrt(paths)
    return {"stream": stream, "strike": strike, "paths": paths, "estimate": mean, "error": error}


def simulate(generator: np.random.Generator, strike: float, paths: int) -> NDArray[np.float64]:
    """Return what the option pays on each of `paths` paths, in today's money."""
    day = YEARS / DAYS
    drift, spread = (RATE - VOLATILITY**2 / 2) * day, VOLATILITY * math.sqrt(day)
    growth, total = np.zeros(paths), np.zeros(paths)  # logarithms of the prices to SPOT; their sum
    for _ in range(DAYS):
        growth += drift + spread * generator.standard_normal(paths)
        total += np.exp(growth)
    return math.exp(-RATE * YEARS) * np.maximum(SPOT * total / DAYS - strike, 0.0)
