"""run() and arun() of a generated package beside what the standard library has for the same.

    python benchmarks/api.py            every case, 5 rounds
    python benchmarks/api.py -r 9       more rounds

10,000 tasks that do next to nothing, so that only the overhead is measured. Competitors take turns,
each measurement in a process of its own, from before its pool is started to after it has ended.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from common import Target, as_installed, assemble, pick, report, run_cases

N, WORKERS, IN_FLIGHT = 10_000, 2, 100
WORK = {
    "def": "def work(item):\n    return item + 1\n",
    "async": "async def work(item):\n    return item + 1\n",
}
CLOCK = f"""
import time

def main():
    items = range({N})
    began = time.perf_counter()
    count = {{body}}
    print(time.perf_counter() - began)
    assert count == {N}

if __name__ == "__main__":
    main()
"""
OWN = "import asyncio\nfrom pkg import run\nfrom pkg.work import work\n"
GROUP = f"""
import asyncio
from pkg import arun
from pkg.work import work

async def group(items):
    limit, values = asyncio.Semaphore({IN_FLIGHT}), []
    async def call(item):
        async with limit:
            values.append(await work(item))
    async with asyncio.TaskGroup() as tasks:
        for item in items:
            tasks.create_task(call(item))
    return len(values)

async def own(items):
    return len([outcome async for outcome in arun(items, max_workers={IN_FLIGHT})])
"""


def executor(name: str) -> str:
    """The program of a pool of the standard library."""
    head = f"from concurrent.futures import {name}\nfrom pkg.work import work\n"
    return (
        head
        + CLOCK.format(body="pool_map(items)")
        + (
            f"\n\ndef pool_map(items):\n    with {name}({WORKERS}) as pool:\n"
            "        return len(list(pool.map(work, items)))\n"
        )
    )


class Case(NamedTuple):
    """A model, and the programs that are compared; the first is the standard library's."""

    name: str
    title: str
    kind: str
    programs: dict[str, str]


def _order(program: str) -> str:
    """The guarded call goes last."""
    head, _, tail = program.partition('\nif __name__ == "__main__":\n    main()\n')
    return head + tail + '\nif __name__ == "__main__":\n    main()\n'


OURS = OWN + CLOCK.format(body=f"len(list(run(items, max_workers={WORKERS})))")
ORDERED = OWN + CLOCK.format(body=f"len(list(run(items, max_workers={WORKERS}, ordered=True)))")
CASES = (
    Case(
        "threading", "beside ThreadPoolExecutor.map", "def",
        {"theirs": _order(executor("ThreadPoolExecutor")), "run": OURS, "ordered": ORDERED},
    ),
    Case(
        "multiprocessing", "beside ProcessPoolExecutor.map", "def",
        {"theirs": _order(executor("ProcessPoolExecutor")), "run": OURS, "ordered": ORDERED},
    ),
    Case(
        "asyncio", "beside a TaskGroup and a semaphore", "async",
        {
            "theirs": GROUP + CLOCK.format(body="asyncio.run(group(items))"),
            "arun": GROUP + CLOCK.format(body="asyncio.run(own(items))"),
            "run": OWN + CLOCK.format(body=f"len(list(run(items, max_workers={IN_FLIGHT})))"),
        },
    ),
)  # fmt: skip


def compare(case: Case, rounds: int) -> bool:
    """Measure the programs in turns, and print their medians."""
    seconds: dict[str, list[float]] = {name: [] for name in case.programs}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        assemble(case.name, root, WORK[case.kind])
        (root / "pkg/__init__.py").write_text("from .runner.api import arun, run\n")
        for name, program in case.programs.items():
            (root / f"{name}.py").write_text(program, encoding="utf-8")
        for number in range(rounds + 1):  # the first one compiles
            for name in case.programs:
                command = [sys.executable, f"{name}.py"]
                seconds_text = subprocess.check_output(command, cwd=root, text=True)
                if number:
                    seconds[name].append(float(seconds_text))
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    print(f"\n{case.name}, {N:,} tasks, {case.title}")
    for name, median in medians.items():
        print(f"    {name:10}{median * 1000:9.1f} ms")
    good = True
    for name in list(medians)[1:]:
        target = Target(f"{name} to the standard library's", name, "theirs", at_most=1.0)
        good = report(target, medians) and good
    return good


if __name__ == "__main__":
    as_installed()
    cases, rounds = pick(__doc__, CASES, 5)
    run_cases(cases, lambda case: compare(case, rounds))
