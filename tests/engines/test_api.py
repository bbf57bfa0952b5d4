"""run() and arun() of a generated package, called by a program as their users call them."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from running import call

from .assembly import HERE, PROCESS_MODELS, Project, assemble

WORK = """
import time
from typing import Any


def work(item: Any) -> Any:
    if item == "fail":
        raise ValueError("no")
    if item == "odd":
        raise Odd(1, 2)
    if isinstance(item, float):
        time.sleep(item)
    return item * 2


class Odd(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__("odd")
"""
ASYNC_WORK = (
    WORK.replace("def work", "async def work")
    .replace("time.sleep", "await asyncio.sleep")
    .replace("import time", "import asyncio")
)
NUMBERS = range(200)


@pytest.fixture(scope="module", params=HERE)
def package(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """A package for each model, imported; asyncio's work is `async def`."""
    root = tmp_path_factory.mktemp(request.param)
    work = ASYNC_WORK if request.param == "asyncio" else WORK
    assemble(request.param, root, work, f"api_{request.param}")
    sys.path.insert(0, str(root))
    return importlib.import_module(f"api_{request.param}")


def test_values_by_item(package: ModuleType) -> None:
    """Every item has one outcome, with its value."""
    assert {outcome.item: outcome.value for outcome in package.run(NUMBERS)} == {
        n: 2 * n for n in NUMBERS
    }


def test_ordered(package: ModuleType) -> None:
    """On request the outcomes come in the order of the items, however long one takes."""
    items = [0.2, *NUMBERS, 0.1]
    outcomes = package.run(items, ordered=True, max_workers=3)
    assert [outcome.item for outcome in outcomes] == items


def test_ordered_holds_a_bounded_part_of_an_endless_input(package: ModuleType) -> None:
    """While one item takes its time, the input is not pulled without end."""
    pulled = itertools.count()
    items = itertools.chain([0.5], (next(pulled) for _ in itertools.count()))
    outcomes = package.run(items, ordered=True, max_workers=2)
    assert next(outcomes).item == 0.5
    outcomes.close()
    assert next(pulled) < 10_000


def test_an_exception_is_an_outcome_and_result_raises_it_again(package: ModuleType) -> None:
    """The exception is of its own class where it can travel; the others go on."""
    good, bad = package.run([1, "fail"], ordered=True)
    assert good.ok
    assert good.result() == 2
    assert not bad.ok
    assert bad.error == "ValueError: no"
    with pytest.raises(ValueError, match="no"):
        bad.result()


def test_an_exception_that_cannot_travel_is_told(package: ModuleType) -> None:
    """Its text is raised where its class cannot be made again."""
    (outcome,) = package.run(["odd"])
    with pytest.raises(Exception, match="odd"):
        outcome.result()


def test_a_timeout_is_raised_as_one(package: ModuleType) -> None:
    """result() says what became of the task."""
    (outcome,) = package.run([30.0], timeout=0.3)
    with pytest.raises(TimeoutError, match="timeout after 0.3 s"):
        outcome.result()


def test_a_rate_is_kept(package: ModuleType) -> None:
    """Tasks begin no faster than it says: the last of five, a tenth apart, after four tenths."""
    began = time.monotonic()
    assert len(list(package.run(range(5), rate="10/s"))) == 5
    assert time.monotonic() - began > 0.39


def test_nothing_is_pulled_before_the_first_next(package: ModuleType) -> None:
    """run() checks what it can, and pulls when its outcomes are asked for."""
    items = iter([1])
    package.run(items)
    assert next(items) == 1


@pytest.mark.parametrize(
    "wrong",
    [{"max_workers": 0}, {"timeout": -1}, {"retries": -1}, {"rate": "fast"}, {"colour": "red"}],
)
def test_a_wrong_option_is_said_at_the_call(package: ModuleType, wrong: dict[str, Any]) -> None:
    """Not at the first outcome, and with the option's name."""
    with pytest.raises((ValueError, TypeError), match=next(iter(wrong))):
        package.run([], **wrong)


def test_an_error_of_the_input_is_raised_after_what_was_pulled(package: ModuleType) -> None:
    """It is the program's own exception."""

    def items() -> Iterator[int]:
        yield 1
        raise LookupError("end of the table")

    outcomes = package.run(items())
    assert next(outcomes).value == 2
    with pytest.raises(LookupError, match="table"):
        next(outcomes)


def test_leaving_early_ends_processes_and_coroutines(package: ModuleType) -> None:
    """What can be ended is gone when the generator is closed; the 30 seconds are not waited for."""
    import multiprocessing

    items = itertools.chain([1], itertools.repeat(1 if "sequential" in str(package) else 30.0))
    outcomes = package.run(items, max_workers=2)
    next(outcomes)
    outcomes.close()
    assert not multiprocessing.active_children()
    assert not [
        thread for thread in threading.enumerate() if type(thread).__name__ == "_EngineThread"
    ]


def test_inside_a_running_event_loop(package: ModuleType) -> None:
    """As in a notebook: the engine has a thread of its own."""

    async def cell() -> list[Any]:
        return sorted(outcome.value for outcome in package.run(NUMBERS, max_workers=2))

    assert asyncio.run(cell()) == [2 * n for n in NUMBERS]


def test_arun_leaves_the_event_loop_free(package: ModuleType) -> None:
    """Other coroutines go on while outcomes are awaited."""

    async def main() -> tuple[list[Any], int]:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0.01)
                turns += 1

        task = asyncio.create_task(other())
        values = [outcome.value async for outcome in package.arun([0.2, 0.1], ordered=True)]
        task.cancel()
        return values, turns

    values, turns = asyncio.run(main())
    assert values == [0.4, 0.2]
    assert turns > 1


def test_arun_can_be_left_early(package: ModuleType) -> None:
    """Closing it ends the engine's thread."""

    async def main() -> None:
        outcomes = package.arun(itertools.chain([1], itertools.repeat(0.05)), max_workers=2)
        await anext(outcomes)
        await outcomes.aclose()

    asyncio.run(main())
    threads = [
        thread for thread in threading.enumerate() if type(thread).__name__ == "_EngineThread"
    ]
    for thread in threads:
        thread.join(5)
    assert not any(thread.is_alive() for thread in threads)


def test_from_another_thread(package: ModuleType) -> None:
    """A run belongs to the thread that takes its outcomes."""
    values: list[Any] = []
    thread = threading.Thread(
        target=lambda: values.extend(outcome.value for outcome in package.run([1, 2], ordered=True))
    )
    thread.start()
    thread.join()
    assert values == [2, 4]


def test_results_are_written_and_not_run_again(package: ModuleType, tmp_path: Path) -> None:
    """A journal goes on where it ended; what is in it is neither run nor yielded again."""
    file = tmp_path / "results.jsonl"
    assert len(list(package.run([1, 2], results=file))) == 2
    assert [outcome.item for outcome in package.run([1, 2, 3], results=file)] == [3]
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert {row["id"]: row["value"] for row in rows} == {0: 2, 1: 4, 2: 6}


def test_results_of_other_items_are_refused(package: ModuleType, tmp_path: Path) -> None:
    """They are not mixed; the message says what to do."""
    file = tmp_path / "results.jsonl"
    list(package.run([1, 2], results=file))
    with pytest.raises(Exception, match="has results of other items"):
        list(package.run([7, 8, 9], results=file))


def run_script(root: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run a script beside the package."""
    (root / "script.py").write_text(text)
    return subprocess.run(
        [sys.executable, "script.py"],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("model", HERE)
def test_a_script_prints_what_it_prints_itself(model: str, tmp_path: Path) -> None:
    """Nothing else reaches its streams, and its signal handlers stay; an open run ends with it."""
    Project.make(model, tmp_path, ASYNC_WORK if model == "asyncio" else WORK)
    text = """
import itertools, signal
from pkg import run

if __name__ == "__main__":
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    outcomes = run(itertools.repeat(0.01), timeout=10)
    print(next(outcomes).value)
    print([signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before)
"""
    done = run_script(tmp_path, text)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0.02\nTrue\n", "")


@pytest.mark.parametrize("model", PROCESS_MODELS)
def test_a_script_without_a_guard_is_told_what_to_do(model: str, tmp_path: Path) -> None:
    """Where workers have to import the script: one line, and no traceback of theirs."""
    Project.make(model, tmp_path, WORK)
    text = """
import threading
from pkg import run

threading.Thread(target=threading.Event().wait, daemon=True).start()  # so that none is forked
print(list(run([1])))
"""
    done = run_script(tmp_path, text)
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == 1
    assert 'put what starts the work under `if __name__ == "__main__":`' in done.stderr


def test_a_type_checker_knows_item_and_value(tmp_path: Path) -> None:
    """They are those of work(), which may be `async def`, and have a second argument."""
    pytest.importorskip("mypy")
    for name, work in {
        "one": "def work(item: int) -> str: ...",
        "two": "async def work(item: int) -> str: ...",
        "three": "def work(item: int, client: object) -> str: ...",
    }.items():
        assemble("threading", tmp_path, f"{work}\n", name)
        (tmp_path / f"use_{name}.py").write_text(
            f"from {name} import run\nfor outcome in run([1]):\n"
            "    reveal_type(outcome.item)\n    reveal_type(outcome.value)\nrun(['x'])\n"
        )
    done = call(tmp_path, "mypy", "use_one.py", "use_two.py", "use_three.py")
    output = done.stdout.replace("builtins.", "")  # as older versions say
    assert output.count('Revealed type is "int"') == 3, done.stdout
    assert output.count('Revealed type is "str"') == 3
    assert output.count('expected "int"') == 3
