"""Edge profile: a small language model: token by token, products of a matrix and a vector."""

import numpy as np

RANDOM = np.random.default_rng(1)
LAYERS = [RANDOM.standard_normal((384, 384), dtype=np.float32) / 20 for _ in range(4)]


def work(number):
    state = np.full(384, 0.01 * (1 + number % 7), dtype=np.float32)
    for _ in range(24):  # tokens
        for layer in LAYERS:
            state = np.tanh(layer @ state)
        state = state + 0.01
    return float(state.sum())


def items(folder):
    return list(range(500))
