"""What several calls at once tell of the other end, and the project's own setup()."""

import sys

import pytest

from scaffold.asking.target import parse_target
from scaffold.making.items import read_items
from scaffold.measuring.measure import measure

FUNCTIONS = """
import asyncio, threading, time
try:
    import fcntl
except ImportError:  # Windows
    pass

FEW = threading.Semaphore(2)
FEW_ASYNC = asyncio.Semaphore(2)
SEEN = threading.local()

def free(item): time.sleep(0.02)
def few(item):
    with FEW: time.sleep(0.02)
def few_of_all(item):
    with open(__file__) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        time.sleep(0.02)
def connects(item):
    if not hasattr(SEEN, "known"):
        SEEN.known = True
        time.sleep(0.03)
    time.sleep(0.02)
POOL, LOCK = [], threading.Lock()
def pooled(item):
    connection = POOL.pop() if POOL else None
    if connection is None:  # one is opened at a time
        with LOCK: time.sleep(0.06)
    time.sleep(0.02)
    POOL.append(item)
async def free_async(item): await asyncio.sleep(0.02)
async def few_async(item):
    async with FEW_ASYNC: await asyncio.sleep(0.02)
"""

PROJECT = """
import threading, time

class Client:
    closed = False
    def close(self): open({log!r}, "a").write("closed\\n")

def setup():
    open({log!r}, "a").write(threading.current_thread().name + "\\n")
    return Client()

def work(item, client):
    assert isinstance(client, Client)
    time.sleep(0.01)
    return item
"""


def measured(file, function, items, **options):
    return measure(parse_target(f"{file}:{function}"), read_items(items), 3.0, **options)


@pytest.fixture
def crowded(tmp_path):
    """Return a module of functions that wait, some of them for a place."""
    file = tmp_path / "crowded.py"
    file.write_text(FUNCTIONS, encoding="utf-8")
    return file


@pytest.mark.parametrize("function", ["few", "few_async"])
def test_places_for_two_are_found(crowded, items, function):
    """More in flight get no more done; a burst of others' work may hide that, but not again."""
    for _ in range(3):
        profile = measured(crowded, function, items)
        if profile.in_flight_gain < min(3, profile.in_flight_tried):
            return
    assert profile.busy_fraction >= 0.1


def test_a_pool_that_opens_its_connections_is_not_full(crowded, items):
    """What was slow once is tried again before the other end is called full."""
    profile = measured(crowded, "pooled", items)
    if profile.busy_fraction < 0.1:
        assert profile.in_flight_gain == profile.in_flight_tried > 2


@pytest.mark.skipif(sys.platform == "win32", reason="no locks of files there")
def test_places_in_a_process_are_told_from_those_at_the_other_end(crowded, items, tmp_path):
    """A second process has its own, unless they are shared by all."""
    inner, outer = (measured(crowded, function, items) for function in ("few", "few_of_all"))
    if inner.busy_fraction < 0.1 and outer.busy_fraction < 0.1:
        assert inner.in_flight_per_process
        assert not outer.in_flight_per_process
    assert outer.in_flight_gain < outer.in_flight_tried


@pytest.mark.parametrize("function", ["free", "free_async", "connects"])
def test_the_other_end_that_keeps_up_is_not_blamed(crowded, items, function):
    """Nor is a worker's first call, which connects."""
    profile = measured(crowded, function, items)
    if profile.busy_fraction < 0.1:
        assert profile.in_flight_gain == profile.in_flight_tried == 8


def test_calls_at_once_are_among_those_allowed(crowded, items):
    """Whether they are made one by one or not."""
    assert measured(crowded, "few", items, calls=20).calls <= 20
    assert measured(crowded, "free", items, calls=3).calls <= 3


def test_the_setup_of_a_project_is_run_by_each_worker(tmp_path, items):
    """And what it opens is closed; work() gets it as in the project."""
    log = tmp_path / "log"
    package = tmp_path / "crawl"
    (package / "runner").mkdir(parents=True)
    for folder in (package, package / "runner"):
        (folder / "__init__.py").touch()
    (package / "work.py").write_text(PROJECT.format(log=str(log)), encoding="utf-8")
    profile = measured(package / "work.py", "work", items)
    assert not profile.failures
    lines = log.read_text().splitlines()
    opened = [line for line in lines if line != "closed"]
    assert len(opened) == len(set(opened)) > 2  # one by one, and some at once
    assert lines.count("closed") == len(opened)


def test_a_setup_that_is_no_projects_is_left_alone(tmp_path, items):
    """It may be anything; a project made of the function would not call it."""
    file = tmp_path / "own.py"
    file.write_text("def setup(app): 1 / 0\ndef work(item): return item\n")
    assert not measured(file, "work", items).failures
