"""lzma: a little text packed as small as it gets."""

import lzma

TEXT = "".join(f"{n * 7919 % 1000} of a text that hardly repeats itself\n" for n in range(6000))


def work(number):
    return len(lzma.compress(f"{number} {TEXT}".encode(), preset=3))


def items(folder):
    return list(range(120))
