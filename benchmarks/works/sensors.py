"""Edge profile: several sensors read, one after another, and fused in Python."""

import math
import time


def work(number):
    readings = []
    for sensor in range(4):
        time.sleep(0.001)
        readings += [math.sin(number + sensor + n / 50) for n in range(200)]
    mean = sum(readings) / len(readings)
    return math.sqrt(sum((reading - mean) ** 2 for reading in readings))


def items(folder):
    return list(range(300))
