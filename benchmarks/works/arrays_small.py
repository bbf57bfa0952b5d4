"""NumPy: many calls on 64 elements each."""

import numpy as np


def work(seed):
    values = np.arange(64, dtype=float) + seed
    total = 0.0
    for _ in range(800):
        values = np.sqrt(values * 1.0001 + 1)
        total += float(values.sum())
    return total


def items(folder):
    return list(range(500))
