"""What `concgen measure` says of functions whose truth is known, side by side.

    python benchmarks/truth.py [--busy] [--budget SECONDS] [--only WORD]

The truth follows from how each function is made: from where CPython and the libraries release the
GIL (hashlib above 2 KiB, zlib, lzma, SQLite while it searches, NumPy's products), and from tasks
that burn an exact time of their own thread. (Before 3.15, lzma sets up its tables under the GIL in
1.6 ms a call: the input is large enough for that not to count.) A figure is right within 0.15. With
--busy a second process burns a core meanwhile: then each has to be right, or an honest "too busy to
tell".
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from common import as_installed

from scaffold.asking.target import parse_target
from scaffold.core.observed import Profile
from scaffold.making.items import read_items
from scaffold.measuring.measure import DEFAULT_BUDGET, measure

WITHIN = 0.15
BURN = "while True: pass"
FUNCTIONS = """
import asyncio, csv, hashlib, io, json, lzma, re, socket, sqlite3, subprocess, sys, threading, time
import zlib

from scaffold.measuring.loads import burn_free, burn_holding

BLOB = bytes(range(256)) * 4096
TEXT = json.dumps([{"a": n, "b": [1.5, "x" * 20]} for n in range(2000)])
LOG = "192.168.0.1 GET /index.html 200 1534 agent\\n" * 2000
TABLE = "a,b,c,d\\n" * 5000
NUMBERS = [(n * 7919) % 100003 for n in range(20000)]
BASE = sqlite3.connect(":memory:", check_same_thread=False)
COUNT = "with recursive n(x) as (select 1 union all select x + 1 from n where x < 50000) "
here, there = socket.socketpair()


def serve():
    while True:
        time.sleep(0.005)
        there.send(b"x")


threading.Thread(target=serve, daemon=True).start()


def loop(item): return sum(n * n for n in range(20000))
def json_loads(item): return len(json.loads(TEXT))
def json_small(item): return json.loads('{"a": 1, "b": [1, 2, 3]}')
def regex(item): return len(re.findall(r"(\\d+)\\.\\d+\\.\\d+ (GET|POST) (\\S+)", LOG))
def read_csv(item): return sum(1 for _ in csv.reader(io.StringIO(TABLE)))
def order(item): return sorted(NUMBERS)[0]
def sha_large(item): return hashlib.sha256(BLOB).hexdigest()
def sha_small(item): return [hashlib.sha256(b"x" * 100).digest() for _ in range(1000)][0]
def pack_zlib(item): return len(zlib.compress(BLOB))
def pack_lzma(item): return len(lzma.compress(BLOB * 16, preset=1))
def query(item): return BASE.execute(COUNT + "select sum(x % 7) from n").fetchone()
def program(item): return subprocess.run(["sleep", "0.1"]).returncode
def sleep(item): time.sleep(0.01)
def sleep_short(item): time.sleep(0.001)
def read_socket(item): return here.recv(1)
def mixed(item): time.sleep(0.004); burn_holding(0.001); burn_free(0.003)
async def sleep_async(item): await asyncio.sleep(0.01)
async def sleep_short_async(item): await asyncio.sleep(0.001)
async def compute_async(item): return loop(item)
async def mixed_async(item): await asyncio.sleep(0.003); burn_holding(0.003)
"""
NUMPY = """
import numpy

A = numpy.random.default_rng(1).random((500, 500))


def dot(item): return float(A.dot(A)[0, 0])
"""


class Case(NamedTuple):
    """A function and its truth: CPU share, and share of that with the GIL (None: hardly any)."""

    name: str
    function: str
    cpu: float
    gil: float | None
    environment: dict[str, str] = {}  # noqa: RUF012 (never changed)


def cases(cores: int) -> list[Case]:
    """Return the table."""
    table = [
        Case("pure Python loop", "loop", 1, 1),
        Case("json.loads, 100 KB", "json_loads", 1, 1),
        Case("json.loads, 24 bytes", "json_small", 1, 1),
        Case("re.findall", "regex", 1, 1),
        Case("csv.reader", "read_csv", 1, 1),
        Case("sorted", "order", 1, 1),
        Case("hashlib.sha256, 1 MB", "sha_large", 1, 0),
        Case("hashlib.sha256, 100 bytes", "sha_small", 1, 1),
        Case("zlib.compress", "pack_zlib", 1, 0),
        Case("lzma.compress", "pack_lzma", 1, 0),
        Case("sqlite3, one long query", "query", 1, 0),
        Case("subprocess.run, 0.1 s", "program", 0, None),
        Case("time.sleep, 10 ms", "sleep", 0, None),
        Case("time.sleep, 1 ms", "sleep_short", 0, None),
        Case("socket.recv, 5 ms", "read_socket", 0, None),
        Case("4 ms wait, 1 ms loop, 3 ms sha", "mixed", 0.5, 0.25),
        Case("async, sleeps 10 ms", "sleep_async", 0, None),
        Case("async, sleeps 1 ms", "sleep_short_async", 0, None),
        Case("async, computes", "compute_async", 1, 1),
        Case("async, 3 ms wait, 3 ms loop", "mixed_async", 0.5, 1),
    ]
    if find_spec("numpy"):
        alone = {"OPENBLAS_NUM_THREADS": "1"}
        table.append(Case("numpy dot, one thread", "dot", 1, 0, alone))
        table.append(Case(f"numpy dot, {cores} threads", "dot", cores, None))
    return table


def verdict(truth: float | None, measured: float | None, reason: str | None) -> tuple[str, bool]:
    """Return the two side by side, and whether the measured one is right or honestly missing."""
    if truth is None or measured is None:
        expected = truth is None or "busy" in (reason or "")
        shown = reason if measured is None else f"{measured:.2f}"
        return f"{'-' if truth is None else f'{truth:g}':>4}  {shown}", expected
    error = measured - truth
    return f"{truth:4.2f}  {measured:4.2f}  {error:+5.2f}", abs(error) <= WITHIN


@contextmanager
def burning(busy: bool) -> Iterator[None]:
    """Burn a core in a process of its own meanwhile."""
    burner = subprocess.Popen([sys.executable, "-c", BURN]) if busy else None
    try:
        yield
    finally:
        if burner:
            burner.kill()
            burner.wait()


def profile(case: Case, folder: Path, budget: float) -> Profile:
    """Measure one function, in its environment."""
    before = dict(os.environ)
    os.environ.update(case.environment)
    try:
        file = "arrays" if case.function == "dot" else "functions"
        target = parse_target(f"{folder / file}.py:{case.function}")
        return measure(target, read_items(folder / "items.jsonl"), budget, repeat=True)
    finally:
        os.environ.clear()
        os.environ.update(before)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--busy", action="store_true", help="burn a core meanwhile")
    parser.add_argument("--budget", type=float, default=DEFAULT_BUDGET)
    parser.add_argument("--only", default="", help="functions with this word in their name")
    args = parser.parse_args()
    as_installed()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    table = [case for case in cases(cores or 1) if args.only in case.name]
    print(f"Python {sys.version.split()[0]}{', a core burning' if args.busy else ''}")
    print(f"{'':31} CPU: true, measured, error    of it with the GIL")
    right = 0
    with tempfile.TemporaryDirectory() as name, burning(args.busy):
        folder = Path(name)
        (folder / "functions.py").write_text(FUNCTIONS)
        (folder / "arrays.py").write_text(NUMPY)
        (folder / "items.jsonl").write_text("1\n2\n3\n")
        for case in table:
            measured = profile(case, folder, args.budget)
            cpu, cpu_right = verdict(
                case.cpu, measured.cpu_fraction, measured.reasons.get("cpu_fraction")
            )
            gil, gil_right = verdict(
                case.gil, measured.gil_fraction, measured.reasons.get("gil_fraction")
            )
            right += cpu_right and gil_right
            mark = " " if cpu_right and gil_right else "!"
            print(f"{mark} {case.name:31} {cpu:28} {gil}", flush=True)
    print(f"{right} of {len(table)} right: within {WITHIN}, or honestly not told")
    if not find_spec("numpy"):
        print("without NumPy: it is not installed for this interpreter")


if __name__ == "__main__":
    main()
