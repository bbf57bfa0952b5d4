"""zlib: text packed."""

import zlib


def work(number):
    return len(
        zlib.compress((f"line {number} of a text that repeats itself\n" * 20_000).encode(), 6)
    )


def items(folder):
    return list(range(400))
