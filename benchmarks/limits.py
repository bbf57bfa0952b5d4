"""Limits of the other end, kept and found: ratios, with their targets.

    python benchmarks/limits.py              every case, about seven minutes
    python benchmarks/limits.py slots rate   some cases
    python benchmarks/limits.py --list       the cases

Each case runs projects as `concgen new` makes them against a server of its own (peers/limited.py),
which tells what it has seen by its own clock. Libraries that are not installed are left out:
pip install aiolimiter pyrate-limiter
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from common import Target, as_installed, pick, report, run_cases
from peers import limited

from scaffold.making import project
from scaffold.measuring import machine

SERVER = Path(__file__).resolve().parent / "peers" / "limited.py"
PACKAGE = "made"
MODELS = ("sequential", "threading", "asyncio", "multiprocessing", "hybrid", "dask")
Figures = dict[str, float]

CLIENT = '''
import asyncio
import socket

from .runner.task import Overloaded, RetryAfter

REQUEST = b"GET / HTTP/1.1\\r\\nHost: here\\r\\n\\r\\n"


def judge(head: bytes) -> None:
    """Raise what the other end asks for."""
    if b" 429 " in head or b" 503 " in head:
        if b"Retry-After: " in head:
            raise RetryAfter(float(head.partition(b"Retry-After: ")[2].partition(b"\\r")[0]))
        raise Overloaded(head.decode())
'''
SYNC = f'''{CLIENT}

def setup():
    return []


def work(port, connections):
    """One request, over a connection that is kept."""
    connection = connections.pop() if connections else socket.create_connection(("127.0.0.1", port))
    connection.sendall(REQUEST)
    head = connection.recv(4096)
    connections.append(connection)
    judge(head)
'''
ASYNC = f'''{CLIENT}

def setup():
    return []


async def work(port, connections):
    """One request, over a connection that is kept."""
    if not connections:
        connections.append(await asyncio.open_connection("127.0.0.1", port))
    connection = connections.pop()
    connection[1].write(REQUEST)
    head = await connection[0].readuntil(b"\\r\\n\\r\\n")
    connections.append(connection)
    judge(head)
'''
WAIT = '''
import asyncio


async def work(item):
    """Wait, and nothing else."""
    await asyncio.sleep(0.1)
'''
HOLD = """
def work(item):
    held = bytearray(300_000_000)
    for n in range(0, len(held), 4096):
        held[n] = 1
    return sum(range(3_000_000))
"""
GIGABYTE = 10**9


class Case(NamedTuple):
    """One server. `measure` runs against it what there is to compare."""

    name: str
    title: str
    measure: Callable[[Path], Figures]
    targets: tuple[Target, ...]


class Server:
    """A server that runs, and what it has seen."""

    def __init__(self, port: int) -> None:
        self.port = port

    def state(self) -> dict[str, Any]:
        """What it has seen so far."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/state") as answer:
            state: dict[str, Any] = json.load(answer)
        return state


@contextmanager
def serving(kind: str) -> Iterator[Server]:
    """A new server of that kind."""
    command = [sys.executable, str(SERVER), kind, "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield Server(int(process.stdout.readline()))
        process.kill()


def run(
    folder: Path,
    model: str,
    work: str,
    item: object,
    items: int,
    *options: str,
    starter: str = "",
    inside: Sequence[str] = (),
) -> float:
    """Run a project on so many of the item; return the seconds. Raise when an item failed.

    `inside` is a command in which to run it.
    """
    path = Path(tempfile.mkdtemp(dir=folder)) / model
    names = {"name": PACKAGE, "starter": starter or "blank", "model": model}
    project.create(path, names)
    if work:
        (path / PACKAGE / "work.py").write_text(work, encoding="utf-8")
    (path / "items.jsonl").write_text((json.dumps(item) + "\n") * items, encoding="utf-8")
    command = [*inside, sys.executable, "-m", PACKAGE, "run", "--quiet", *options]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=path, check=False, env=os.environ)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{model} {' '.join(options)}: exit code {done.returncode}")
    return seconds


def _windows(stamps: list[float]) -> tuple[float, float]:
    """The most in any second, and the mean rate."""
    most = max(bisect_left(stamps, stamp + 1.0) - n for n, stamp in enumerate(stamps))
    return most, (len(stamps) - 1) / (stamps[-1] - stamps[0])


def kept(folder: Path) -> Figures:
    """100/s with every model, and with libraries in one process."""
    figures: Figures = {}
    for model in MODELS:
        work = ASYNC if model in ("asyncio", "hybrid") else SYNC
        with serving("stamp") as server:
            run(folder, model, work, server.port, 1000, "--rate", "100/s", "--max-workers", "4")
            most, mean = _windows(server.state()["taken"])
        figures |= {f"{model}: most in a second": most, f"{model}: of the rate": mean / 100}
    for name, limiter in _limiters().items():
        with serving("stamp") as server:
            asyncio.run(_limited(limiter, server.port))
            most, mean = _windows(server.state()["taken"])
        figures |= {f"{name}: most in a second": most, f"{name}: of the rate": mean / 100}
    return figures


def _limiters() -> dict[str, Callable[[], Any]]:
    """Libraries, as their pages show them: a coroutine function that waits for a permit."""
    limiters: dict[str, Callable[[], Any]] = {}
    with suppress(ImportError):
        from aiolimiter import AsyncLimiter

        limiters["aiolimiter"] = lambda: AsyncLimiter(100, 1).acquire
    with suppress(ImportError):
        from pyrate_limiter import Duration, Limiter, Rate

        limiters["pyrate-limiter"] = lambda: Limiter(Rate(100, Duration.SECOND)).try_acquire_async
    return limiters


async def _limited(limiter: Callable[[], Any], port: int) -> None:
    permit = limiter()
    connections: list[Any] = []

    async def request() -> None:
        await permit()
        if not connections:
            connections.append(await asyncio.open_connection("127.0.0.1", port))
        reader, writer = connections.pop()
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        connections.append((reader, writer))

    await asyncio.gather(*(request() for _ in range(1000)))


def rate(folder: Path) -> Figures:
    """A server that takes 10 a second: with the starter http and the rate, and with auto alone."""
    figures: Figures = {}
    for name, *options in (("--rate", "10/s"), ("--max-workers", "auto")):
        with serving("rate") as server:
            item = {"url": f"http://127.0.0.1:{server.port}/"}
            run(folder, "asyncio", "", item, 300, name, *options, starter="http")
            state = server.state()
        arrivals = state["taken"]
        mean_rate = (len(arrivals) - 1) / (arrivals[-1] - arrivals[0])
        figures |= {
            f"{name}: of the rate": mean_rate / limited.RATE,
            f"{name}: refused": state["refused"] / state["requests"],
        }
    return figures


def _beside_the_best(
    folder: Path, kind: str, items: int, trial: int, sizes: tuple[int, ...]
) -> tuple[Figures, dict[str, Any]]:
    """Auto beside the best of the fixed numbers in flight, tried on fewer items."""
    best = 0.0
    for size in sizes:
        with serving(kind) as server:
            seconds = run(folder, "asyncio", ASYNC, server.port, trial, "--max-workers", str(size))
        best = max(best, trial / seconds)
        print(f"    {size:4} in flight: {trial / seconds:8.1f}/s")
    with serving(kind) as server:
        settled = _watch(server, folder, items)
        state = server.state()
    print(f"    auto          : {items / settled['seconds']:8.1f}/s")
    return {"of the best": items / settled["seconds"] / best, **settled}, state


def _watch(server: Server, folder: Path, items: int) -> Figures:
    """Run with auto; note how many are in flight in the second half of the time."""
    import threading

    levels: list[int] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.25):
            levels.append(int(server.state()["in_flight"]))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        seconds = run(folder, "asyncio", ASYNC, server.port, items, "--max-workers", "auto")
    finally:
        over.set()
        watcher.join()
    return {"seconds": seconds, "in flight once settled": float(max(levels[len(levels) // 2 :]))}


def slots(folder: Path) -> Figures:
    """A server that serves 20 at a time."""
    figures, _ = _beside_the_best(folder, "slots", 5000, 1500, (10, 16, 20, 24, 32, 64, 256))
    return figures | {"of its slots": figures["in flight once settled"] / limited.SLOTS}


def refuse(folder: Path) -> Figures:
    """A server that refuses above 30 in flight."""
    figures, state = _beside_the_best(folder, "refuse", 5000, 2000, (16, 24, 28, 30))
    return figures | {"refused": state["refused"] / state["requests"]}


def sharing(folder: Path) -> Figures:
    """A server whose latency grows with its load."""
    figures, state = _beside_the_best(folder, "sharing", 1600, 400, (2, 4, 6, 8, 16, 64))
    return figures | {"of the latency at rest": state["latency"] / limited.SERVICE}


def changing(folder: Path) -> Figures:
    """A server that takes 50, then 10, then 50 again, half a minute each."""
    items = int(30 * sum(capacity for _, capacity in limited.CAPACITY) / limited.CHANGING)
    with serving("changing") as server:
        seconds = run(folder, "asyncio", ASYNC, server.port, items, "--max-workers", "auto")
    return {"of what a schedule would do": 90 / seconds}


def waits(folder: Path) -> Figures:
    """Nothing but waiting, without a limit."""
    fixed = run(folder, "asyncio", WAIT, 0, 20_000, "--max-workers", "1000")
    adaptive = run(folder, "asyncio", WAIT, 0, 20_000, "--max-workers", "auto")
    return {"of fixed 1,000": fixed / adaptive}


class MemoryGroup:
    """A cgroup with a limit, of either version: what was used at most, and what was killed."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._first = folder, (folder / "memory.limit_in_bytes").exists()
        limit = "memory.limit_in_bytes" if self._first else "memory.max"
        (folder / limit).write_text(str(most))
        # A shell that joins the group, and becomes the command.
        self.inside = ("sh", "-c", f'echo $$ > {folder}/cgroup.procs && exec "$@"', "sh")

    def peak(self) -> int:
        """Bytes used at most, since the last time."""
        file = self._folder / ("memory.max_usage_in_bytes" if self._first else "memory.peak")
        peak = int(file.read_text())
        with suppress(OSError):  # before Linux 6.12 the peak of version 2 cannot be forgotten
            file.write_text("0")
        return peak

    def kills(self) -> int:
        """Processes that were killed."""
        file = self._folder / ("memory.oom_control" if self._first else "memory.events")
        return int(dict(line.split() for line in file.read_text().splitlines())["oom_kill"])


@contextmanager
def memory_group(most: int) -> Iterator[MemoryGroup | None]:
    """A new cgroup inside that of this process; None where there can be none."""
    for around in filter(os.path.isdir, machine.runner.cgroups("memory")):
        folder = Path(around, f"concgen-{os.getpid()}")
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            yield MemoryGroup(folder, most)
        except PermissionError:
            continue
        finally:
            folder.rmdir()
        return
    yield None


def memory(folder: Path) -> Figures:
    """The advice for a function of 300 MB under a limit of 1 GB, and a run that follows it."""
    with memory_group(GIGABYTE) as group:
        if group is None:
            print("    no cgroup can be made here")
            return {}
        (folder / "hold.py").write_text(HOLD, encoding="utf-8")
        (folder / "items.jsonl").write_text("".join(f"{n}\n" for n in range(60)))
        advise = [sys.executable, "-m", "scaffold", "recommend", "--from", "hold:work", "--json"]
        environment = {**os.environ, "PYTHON_CPU_COUNT": "8"}  # so that memory binds, from 3.13 on
        advised = subprocess.run(
            [*group.inside, *advise, "--items", "items.jsonl"],
            cwd=folder, check=True, env=environment, stdout=subprocess.PIPE,
        )  # fmt: skip
        advice = json.loads(advised.stdout)
        model, workers = advice["model"], advice["settings"]["max_workers"]
        chosen = next(estimate for estimate in advice["estimates"] if estimate["model"] == model)
        print(f"    advice: {model}, {workers} workers, {chosen['peak_memory_bytes'] / 1e6:.0f} MB")
        group.peak()
        run(folder, model, HOLD, 0, 12, "--max-workers", str(workers), inside=group.inside)
        peak = group.peak()
        print(f"    measured peak: {peak / 1e6:.0f} MB")
        return {
            "killed": group.kills(),
            "estimate": chosen["peak_memory_bytes"] / peak,
            "peak": peak / GIGABYTE,
        }


KEPT = tuple(
    target
    for model in MODELS
    for target in (
        Target(f"{model}: most in a second", f"{model}: most in a second", "", at_most=101),
        Target(f"{model}: of the rate", f"{model}: of the rate", "", at_least=0.99),
    )
) + tuple(
    Target(f"{name}: {figure}", f"{name}: {figure}", "")
    for name in ("aiolimiter", "pyrate-limiter")
    for figure in ("most in a second", "of the rate")
)
BEST = "of the best fixed number in flight"
CASES = (
    Case("kept", "--rate 100/s, 1,000 tasks, each model, by the server's clock", kept, KEPT),
    Case(
        "rate",
        "a server that takes 10 a second, 300 items, starter http",
        rate,
        (
            Target("with --rate: refused", "--rate: refused", "", at_most=0),
            Target("with --rate: of the rate", "--rate: of the rate", "", at_least=0.98),
            Target("with auto: refused", "--max-workers: refused", "", at_most=0.05),
            Target("with auto: of the rate", "--max-workers: of the rate", "", at_least=0.9),
        ),
    ),
    Case(
        "slots",
        "a server that serves 20 at a time, 5,000 items",
        slots,
        (
            Target(BEST, "of the best", "", at_least=0.95),
            Target("in flight once settled, to its 20", "of its slots", "", at_most=2),
        ),
    ),
    Case(
        "refuse",
        "a server that refuses above 30 in flight, 5,000 items",
        refuse,
        (
            Target(BEST, "of the best", "", at_least=0.9),
            Target("refused", "refused", "", at_most=0.02),
        ),
    ),
    Case(
        "sharing",
        "latency grows with load: 4 cores' worth, 1,600 items",
        sharing,
        (
            Target(BEST, "of the best", "", at_least=0.95),
            Target("median latency, to that at rest", "of the latency at rest", "", at_most=2),
        ),
    ),
    Case(
        "changing",
        "capacity 50, 10, 50, half a minute each",
        changing,
        (Target("of a schedule that knows", "of what a schedule would do", "", at_least=0.9),),
    ),
    Case(
        "waits",
        "20,000 waits of 100 ms, auto up to 1,000",
        waits,
        (Target("of fixed 1,000", "of fixed 1,000", "", at_least=0.93),),
    ),
    Case(
        "memory",
        "the advice for 300 MB a task on a limit of 1 GB, followed",
        memory,
        (
            Target("killed", "killed", "", at_most=0),
            Target("peak, to the limit", "peak", "", at_most=1),
            Target("estimate, to the measured peak", "estimate", "", at_least=0.8, at_most=1.2),
        ),
    ),
)


def run_case(case: Case) -> bool:
    """Run it, print its targets, and tell whether all were met."""
    print(f"\n{case.name}: {case.title}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        figures = case.measure(Path(folder))
    met = [report(target, figures) for target in case.targets]
    return all(met)


if __name__ == "__main__":
    as_installed()
    chosen, _ = pick(__doc__, CASES, 1)
    run_cases(chosen, run_case)
