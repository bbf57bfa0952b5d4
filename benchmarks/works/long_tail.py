"""A service with a long tail: log-normal waits, 20 ms in the middle and 0.3 s now and then."""

import random
import time


def work(seconds):
    time.sleep(seconds)
    return seconds


def items(folder):
    source = random.Random(7)
    return [round(min(1.0, source.lognormvariate(-3.9, 1.0)), 4) for _ in range(200)]
