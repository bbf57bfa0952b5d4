"""NumPy: products of matrices, by BLAS with as many threads as there are cores."""

import numpy as np

LEFT = np.random.default_rng(1).random((400, 400))


def work(seed):
    result = LEFT
    for _ in range(3):
        result = LEFT @ (result + seed)
        result /= result.max()
    return float(result[0, 0])


def items(folder):
    return list(range(200))
