"""Functions to measure, in a module of their own, and a file of items."""

import sys
from pathlib import Path

import pytest

FUNCTIONS = """
import asyncio, hashlib, json, os, subprocess, sys, time, zlib

BLOB = bytes(range(256)) * 4096
TEXT = json.dumps([{"a": n, "b": [1.5, "x" * 20]} for n in range(2000)])
NUMBERS = [(n * 7919) % 100003 for n in range(20000)]

def loop(item): return sum(n * n for n in range(20000))
def tiny(item): return item
def parse(item): return len(json.loads(TEXT))
def order(item): return sorted(NUMBERS)[0]
def digest(item): return hashlib.sha256(BLOB).hexdigest()
def pack(item): return len(zlib.compress(BLOB))
def wait(item): time.sleep(0.01); return item
def program(item): return subprocess.run([sys.executable, "-S", "-c", ""]).returncode
async def wait_async(item): await asyncio.sleep(0.01); return item
async def compute_async(item): return loop(item)
async def both_async(item): await asyncio.sleep(0.003); loop(item); loop(item); return item
def nibble(item):
    for _ in range(5):
        time.sleep(0.0002)
        sum(range(3000))
def crowd(item):
    import threading
    threads = [threading.Thread(target=digest, args=(item,)) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
async def cancels(item): raise asyncio.CancelledError
async def block(item): time.sleep(0.03); await asyncio.sleep(0); return item

def fails(item): raise ValueError("no good")
def fails_oddly(item):
    class Odd(Exception):
        def __init__(self, a, b): super().__init__(a)
    raise Odd(1, 2)
def sometimes(item):
    if item % 2: raise KeyError(item)
    return item
def hangs(item): time.sleep(1000)
def hangs_later(item):
    if item == 3: time.sleep(1000)
    return item
def kills(item): os._exit(7)
def leaves(item): sys.exit(3)
def chatters(item): print("noise"); sys.stderr.write("noise"); return item
def lambda_back(item): return lambda: item
def two(item, other): return item
def orphan(item):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)  # orphan"])
nothing = 5
"""


@pytest.fixture(scope="session")
def module(tmp_path_factory) -> Path:
    """Return the file of functions."""
    file = tmp_path_factory.mktemp("code") / "functions.py"
    file.write_text(FUNCTIONS, encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def items(tmp_path_factory) -> Path:
    """Return a file of thirty items: the numbers from 0."""
    file = tmp_path_factory.mktemp("items") / "items.jsonl"
    file.write_text("".join(f"{n}\n" for n in range(30)), encoding="utf-8")
    return file


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Keep calibrated costs of this machine out of the tests, and theirs out of the user's."""
    name = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    monkeypatch.setenv(name, str(tmp_path / "cache"))
    if sys.platform == "darwin":
        monkeypatch.setenv("HOME", str(tmp_path))
