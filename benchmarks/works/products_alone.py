"""NumPy: products of matrices, by BLAS with a single thread."""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

LEFT = np.random.default_rng(1).random((400, 400))


def work(seed):
    return float((LEFT @ (LEFT + seed))[0, 0])


def items(folder):
    return list(range(300))
