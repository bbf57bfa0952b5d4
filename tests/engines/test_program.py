"""run() and arun() in programs: items that come by `async for`, journals, and the ways to leave."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import itertools
import json
import multiprocessing
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from running import call

from .assembly import HERE, PROCESS_MODELS, Project, assemble
from .test_api import ASYNC_WORK, WORK, run_script

ENCODE = "\n\ndef encode(value: Any) -> Any:\n    return {'is': value}\n"


@pytest.fixture(scope="module", params=HERE)
def package(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """A package for each model, imported; its results are encoded its own way."""
    root = tmp_path_factory.mktemp(request.param)
    work = ASYNC_WORK if request.param == "asyncio" else WORK
    assemble(request.param, root, work + ENCODE, f"program_{request.param}")
    sys.path.insert(0, str(root))
    return importlib.import_module(f"program_{request.param}")


async def numbers(count: int, closed: list[bool] | None = None) -> AsyncIterator[Any]:
    try:
        for n in range(count):
            await asyncio.sleep(0)
            yield n
        yield None if count == 3 else 0.01
    finally:
        if closed is not None:
            closed.append(True)


def test_items_may_come_by_async_for(package: ModuleType) -> None:
    """They are awaited in the event loop of the caller, also where one of them is None."""

    async def main() -> list[Any]:
        return [
            outcome.item async for outcome in package.arun(numbers(3), ordered=True, max_workers=2)
        ]

    assert asyncio.run(main()) == [0, 1, 2, None]


def test_an_error_of_such_items_is_raised_after_what_was_pulled(package: ModuleType) -> None:
    """It is the program's own exception."""

    async def items() -> AsyncIterator[int]:
        yield 1
        raise LookupError("end of the table")

    async def main() -> list[Any]:
        outcomes = package.arun(items())
        values = [(await anext(outcomes)).value]
        with pytest.raises(LookupError, match="table"):
            await anext(outcomes)
        return values

    assert asyncio.run(main()) == [2]


def test_such_items_are_pulled_as_they_are_needed(package: ModuleType) -> None:
    """And closed when the loop is left."""
    pulled, closed = itertools.count(), []

    async def items() -> AsyncIterator[Any]:
        try:
            while True:
                yield next(pulled)
                await asyncio.sleep(0)
        finally:
            closed.append(True)

    async def main() -> None:
        outcomes = package.arun(items(), max_workers=2)
        await anext(outcomes)
        await asyncio.sleep(0.2)
        await outcomes.aclose()

    asyncio.run(main())
    assert closed == [True]
    assert next(pulled) < 50_000


def test_run_says_who_takes_such_items(package: ModuleType) -> None:
    """At the call."""
    with pytest.raises(TypeError, match=r"arun\(\) takes them"):
        package.run(numbers(3))


def test_failed_items_are_run_again_on_request(package: ModuleType, tmp_path: Path) -> None:
    """They have one line in the results all the same, encoded as work.py says."""
    file = tmp_path / "results.jsonl"
    list(package.run([1, "fail", 3], results=file))
    assert list(package.run([1, "fail", 3], results=file)) == []
    (again,) = package.run([1, "fail", 3], results=file, retry_failed=True)
    assert (again.item, again.ok) == ("fail", False)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert sorted(row["id"] for row in rows) == [0, 1, 2]
    assert {row["id"]: row["value"] for row in rows if row["ok"]} == {0: {"is": 2}, 2: {"is": 6}}


def test_failed_results_stay_where_nothing_came_of_it(package: ModuleType, tmp_path: Path) -> None:
    """Left before the first new result, the file is as it was."""
    file = tmp_path / "results.jsonl"
    list(package.run([1, "fail"], results=file))
    before = file.read_bytes()
    package.run([1, "fail"], results=file, retry_failed=True).close()
    with pytest.raises(Exception, match="has results of other items"):
        list(package.run([2, "fail"], results=file, retry_failed=True))
    assert file.read_bytes() == before


def test_results_and_items_by_async_for(package: ModuleType, tmp_path: Path) -> None:
    """What is done is not run again."""

    async def main() -> list[Any]:
        file = tmp_path / "results.jsonl"
        return [outcome.item async for outcome in package.arun(numbers(5), results=file)]

    assert len(asyncio.run(main())) == 6
    assert asyncio.run(main()) == []


def endless() -> Iterator[Any]:
    return itertools.chain([1], itertools.repeat(0.05))


def by_break(run: Callable[..., Any]) -> None:
    for _ in run(endless(), max_workers=2):
        break


def by_exception(run: Callable[..., Any]) -> None:
    with contextlib.suppress(KeyError):
        for _ in run(endless(), max_workers=2):
            raise KeyError


def by_losing_it(run: Callable[..., Any]) -> None:
    outcomes = run(endless(), max_workers=2)
    next(outcomes)
    del outcomes
    gc.collect()


def by_throw(run: Callable[..., Any]) -> None:
    outcomes = run(endless(), max_workers=2)
    next(outcomes)
    with pytest.raises(KeyError):
        outcomes.throw(KeyError())


@pytest.mark.parametrize("leave", [by_break, by_exception, by_losing_it, by_throw])
def test_leaving_ends_the_workers(package: ModuleType, leave: Callable[..., None]) -> None:
    """No process and no thread of the engine goes on, however the loop is left."""
    before = set(threading.enumerate())
    leave(package.run)
    gc.collect()
    assert not multiprocessing.active_children()
    for thread in set(threading.enumerate()) - before:
        thread.join(1)
        assert not thread.is_alive(), thread


def test_a_cancelled_task_ends_the_workers(package: ModuleType) -> None:
    """As the end of a server does; so does one that breaks out of `async for`."""
    before = set(threading.enumerate())

    async def taking(*, breaks: bool) -> None:
        async for _ in package.arun(endless(), max_workers=2):
            if breaks:
                break

    async def main() -> None:
        task = asyncio.create_task(taking(breaks=False))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await taking(breaks=True)

    asyncio.run(main())
    for thread in set(threading.enumerate()) - before:
        thread.join(3)
        assert not thread.is_alive(), thread
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("model", PROCESS_MODELS)
@pytest.mark.parametrize("way", ["-c", "-"])
def test_from_the_command_line_and_from_a_pipe(model: str, way: str, tmp_path: Path) -> None:
    """`python -c` and a script on standard input have no file for a worker to import."""
    Project.make(model, tmp_path, WORK)
    text = "from pkg import run\nprint(sorted(outcome.value for outcome in run([1, 2, 3])))"
    done = subprocess.run(
        [sys.executable, way, *([text] if way == "-c" else [])],
        input=text,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("[2, 4, 6]\n", 0), done.stderr


@pytest.mark.parametrize("model", PROCESS_MODELS)
def test_two_runs_at_once_in_two_threads(model: str, tmp_path: Path) -> None:
    """Neither takes the other's outcomes."""
    Project.make(model, tmp_path, WORK)
    text = """
import threading
from pkg import run

def take(items):
    values[items] = [outcome.value for outcome in run(items, ordered=True)]

if __name__ == "__main__":
    values = {}
    threads = [threading.Thread(target=take, args=(range(n, n + 3),)) for n in (0, 10)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    print(sorted(values.values()))
"""
    done = run_script(tmp_path, text)
    assert done.stdout == "[[0, 2, 4], [20, 22, 24]]\n", done.stderr


@pytest.mark.parametrize("model", ["sequential", "threading"])
@pytest.mark.parametrize("name", ["asyncio", "multiprocessing.process"])
def test_a_module_that_another_thread_is_importing(model: str, name: str, tmp_path: Path) -> None:
    """It is there, and empty as yet."""
    Project.make(model, tmp_path, WORK)
    text = f"""
import sys, types
from pkg import run

if __name__ == "__main__":
    sys.modules[{name!r}] = types.ModuleType({name!r})
    print([outcome.value for outcome in run([1, 2], ordered=True)])
"""
    done = run_script(tmp_path, text)
    assert done.stdout == "[2, 4]\n", done.stderr


def test_a_strict_program_type_checks(tmp_path: Path) -> None:
    """run() and arun() are generic in what work() takes and returns, whatever gives the items."""
    pytest.importorskip("mypy")
    assemble("threading", tmp_path, "def work(item: int) -> str:\n    return str(item)\n", "pkg")
    (tmp_path / "program.py").write_text("""
from collections.abc import AsyncIterator

from pkg.runner.api import Outcome, arun, run


async def numbers() -> AsyncIterator[int]:
    yield 1


async def lengths() -> list[int]:
    return [len(outcome.result()) async for outcome in arun(numbers(), retry_failed=True)]


def first(outcomes: list[Outcome[int, str]]) -> int:
    return outcomes[0].item


def main() -> None:
    print(first(list(run([1, 2], ordered=True, results="results.jsonl", retry_failed=True))))
""")
    done = call(tmp_path, "mypy", "--strict", "--follow-imports=silent", "program.py")
    assert done.returncode == 0, done.stdout
