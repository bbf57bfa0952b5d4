"""re: the lines of a log searched."""

import re

LOG = "192.168.0.1 - GET /index.html?a=1 200 1534 agent/5.0 (X11; Linux)\n" * 1500
LINE = re.compile(r"(\d+(?:\.\d+){3}) - (GET|POST) (\S+) (\d{3}) (\d+)")


def work(number):
    return sum(int(match[5]) for match in LINE.finditer(LOG)) + number


def items(folder):
    return list(range(500))
