"""NumPy: a few passes over arrays of 4 MB, which memory limits."""

import numpy as np


def work(seed):
    values = np.arange(500_000, dtype=float) + seed
    return float((np.sqrt(values) * 2 + values).mean())


def items(folder):
    return list(range(300))
