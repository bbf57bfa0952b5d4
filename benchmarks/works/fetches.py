"""urllib3: pages of a server that serves eight at a time."""

import os

import urllib3

POOL = urllib3.PoolManager(maxsize=256)
SERVER = os.environ.get("BENCH_SERVER", "")


def work(path):
    return len(POOL.request("GET", SERVER + path).data)


def items(folder):
    return [f"/{n}" for n in range(400)]
