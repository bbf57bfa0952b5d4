"""What a runner of tasks promises, tried on every runner: a table in Markdown.

    python benchmarks/contract.py                        every runner that is installed
    python benchmarks/contract.py pool pebble            some
    python benchmarks/contract.py --run mypackage.mine:run --kind processes     your own
    python benchmarks/contract.py --only lazy killed     some promises
    python benchmarks/contract.py --list                 the promises and the runners

A runner is a function `run(work, items, workers, timeout=None, setup=None)` that yields what
became of each item (peers/runners.py). Each promise is tried in a process of its own, which gets 20
seconds and real signals. "-" is what a runner does not offer, or what its kind of worker cannot do.
The others, as far as they are wanted: pip install joblib loky mpire pebble distributed
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from common import as_installed
from peers import promised
from peers.runners import RUNNERS, Came, Lacks, Run, Runner

EVERY = frozenset({"threads", "coroutines", "processes"})
PROCESSES = frozenset({"processes"})
LIMIT = 20.0  # seconds for one promise; a healthy runner keeps each within three
GONE = 5.0  # seconds within which workers have to be gone
WORKERS = 2
MANY = 100_000  # items that nobody should pull at once
AHEAD = 30_000  # of them that may be pulled ahead
TOKEN = "CONTRACT_TOKEN"  # marks the processes of one trial, whoever started them
KEPT, LACKING = "kept", "-"


class Promise(NamedTuple):
    """What is promised, for which kinds of worker, and how it is tried."""

    text: str
    check: Callable[[Run], None]
    kinds: frozenset[str] = EVERY
    disturb: Callable[[subprocess.Popen[str], str], str] | None = None  # from outside, once it runs


def expect(good: object, otherwise: str) -> None:
    """Raise what was seen in place of what was promised."""
    if not good:
        raise AssertionError(otherwise)


# -- the promises


def each_once(run: Run) -> None:
    """One outcome for each item."""
    values = sorted(came.value for came in run(promised.square, range(500), WORKERS))
    expect(values == [n * n for n in range(500)], f"{len(values)} outcomes of 500")


def lazy(run: Run) -> None:
    """The input is pulled as it is needed."""
    pulled = itertools.count()
    source = (next(pulled) for _ in range(MANY))
    with closing(_generator(run(promised.square, source, WORKERS))) as outcomes:
        received = len(list(itertools.islice(outcomes, 100)))
        ahead = next(pulled) - received
    expect(ahead < AHEAD, f"{ahead:,} items pulled ahead of {received}")


def as_they_come(run: Run) -> None:
    """A slow first task holds up no outcome."""
    items = [1.0, *[0.01] * 20]
    first = next(iter(run(promised.slow, items, WORKERS)))
    expect(first.value != 1.0, "the slow one came first")


def exception_alone(run: Run) -> None:
    """An exception costs its own task only."""
    _only_some_fail(run, promised.failing, range(100), 10)


def exit_alone(run: Run) -> None:
    """So does sys.exit()."""
    _only_some_fail(run, promised.leaving, range(50), 1)


def error_alone(run: Run) -> None:
    """So does an exception that pickle cannot read back."""
    _only_some_fail(run, promised.demanding, range(50), 1)


def value_alone(run: Run) -> None:
    """So does a value that cannot be sent back."""
    _only_some_fail(run, promised.secretive, range(50), 1)


def item_alone(run: Run) -> None:
    """So does an item that cannot be sent."""
    items = [threading.Lock() if n == promised.CHOSEN else n for n in range(50)]
    _only_some_fail(run, promised.square, items, 1)


def death_alone(run: Run) -> None:
    """So does the death of a worker."""
    _only_some_fail(run, promised.dying, range(50), 1)


def named(run: Run) -> None:
    """A failure names its item, and the line that raised."""
    failed = [came for came in run(promised.failing, range(20), WORKERS) if came.failure]
    expect({came.item for came in failed} == {3, 13}, "the item is not named")
    texts = [came.failure or "" for came in failed]
    expect(all("in failing" in text for text in texts), "the line is not named")


def timeout_alone(run: Run) -> None:
    """A task that hangs fails by its timeout, and its place is free again."""
    outcomes = list(run(promised.hanging, range(20), 1, timeout=0.5))
    failed = [came for came in outcomes if came.failure]
    expect(len(outcomes) == 20 and len(failed) == 1, f"{len(failed)} failed of {len(outcomes)}")


def broken_input(run: Run) -> None:
    """An input that breaks is raised, after the outcomes of what came before."""

    def source() -> Iterator[int]:
        yield from range(50)
        raise OSError("disk gone")

    received = 0
    try:
        for _ in run(promised.square, source(), WORKERS):
            received += 1
    except OSError:
        expect(received == 50, f"raised, and {received} outcomes of 50")
    else:
        raise AssertionError(f"not raised, {received} outcomes of 50")


def setup_once(run: Run) -> None:
    """setup() runs once in each worker."""
    opened, _ = _with_setup(run)
    expect(1 <= opened <= WORKERS, f"{opened} times in {WORKERS} workers")


def setup_closed(run: Run) -> None:
    """What it opened is closed."""
    opened, closed = _with_setup(run)
    expect(opened == closed > 0, f"{opened} opened, {closed} closed")


def setup_fails(run: Run) -> None:
    """A set-up that fails ends the run, with its reason."""
    try:
        received = len(list(run(promised.connected, range(20), WORKERS, setup=promised.refused)))
    except Lacks:
        raise
    except Exception as error:
        chain = f"{error!r} {error.__cause__!r}"
        expect("no database" in chain, f"ends with {type(error).__name__} alone")
    else:
        raise AssertionError(f"goes on: {received} outcomes")


def leaving(run: Run) -> None:
    """Who leaves early leaves no worker behind."""
    outcomes = _generator(run(promised.steady, range(2000), WORKERS))
    next(outcomes)
    outcomes.close()
    deadline = time.monotonic() + GONE
    while (leftover := _left()) and time.monotonic() < deadline:
        time.sleep(0.05)
    expect(not leftover, f"{leftover} left after {GONE:g} s")


def reads_nothing(run: Run) -> None:
    """A worker does not read the program's standard input."""
    read = {came.value for came in run(promised.reading, range(4), WORKERS)}
    expect(read <= {"", None}, "it does")


def _lasting(run: Run) -> None:
    """For runners that hand over nothing before they have pulled all."""
    for number, _ in enumerate(run(promised.steady, range(2000), WORKERS)):
        if not number:
            print("running", flush=True)


def interrupted(process: subprocess.Popen[str], token: str) -> str:
    """Ctrl-C ends it, and its workers, soon."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(GONE)
    except subprocess.TimeoutExpired:
        return f"runs on for {GONE:g} s"
    return _orphans(token)


def killed(process: subprocess.Popen[str], token: str) -> str:
    """When the program is killed, so are its workers."""
    process.kill()
    process.wait()
    return _orphans(token)


PROMISES = {
    check.__name__: Promise((check.__doc__ or "").rstrip("."), check, kinds)
    for check, kinds in (
        (each_once, EVERY),
        (lazy, EVERY),
        (as_they_come, EVERY),
        (broken_input, EVERY),
        (exception_alone, EVERY),
        (exit_alone, EVERY),
        (error_alone, PROCESSES),
        (value_alone, PROCESSES),
        (item_alone, PROCESSES),
        (death_alone, PROCESSES),
        (named, EVERY),
        (timeout_alone, EVERY),
        (setup_once, EVERY),
        (setup_closed, EVERY),
        (setup_fails, EVERY),
        (leaving, EVERY),
        (reads_nothing, PROCESSES),
    )
} | {
    disturb.__name__: Promise((disturb.__doc__ or "").rstrip("."), _lasting, kinds, disturb)
    for disturb, kinds in ((interrupted, EVERY), (killed, PROCESSES))
}


def _generator(outcomes: Iterator[Came]) -> Any:
    return outcomes if hasattr(outcomes, "close") else (came for came in outcomes)


def _only_some_fail(run: Run, work: Callable[..., Any], items: Sequence[Any], failing: int) -> None:
    outcomes = list(run(work, items, WORKERS))
    failed = sum(came.failure is not None for came in outcomes)
    expect(
        (len(outcomes), failed) == (len(items), failing),
        f"{len(outcomes)} outcomes of {len(items)}, {failed} failed",
    )


def _with_setup(run: Run) -> tuple[int, int]:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        log.touch()
        os.environ[promised.LOG] = str(log)
        outcomes = list(run(promised.connected, range(50), WORKERS, setup=promised.opened))
        expect(all(came.value for came in outcomes), "work() got no client")
        events = log.read_text().split()
    return events.count("open"), events.count("close")


def _left() -> str:
    """The workers of this process: threads that hold it, and processes."""
    threads = [
        thread
        for thread in threading.enumerate()
        if thread is not threading.main_thread() and not thread.daemon
    ]
    processes = [child for child in psutil.Process().children(recursive=True) if _working(child)]
    return ", ".join(
        f"{len(some)} {name}"
        for some, name in ((threads, "threads"), (processes, "processes"))
        if some
    )


def _working(process: psutil.Process) -> bool:
    """Whether it is none of the helpers that the standard library keeps until the end."""
    with suppress(psutil.NoSuchProcess):
        command = " ".join(process.cmdline())
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return "resource_tracker" not in command and "forkserver" not in command
    return False


def _orphans(token: str) -> str:
    """Whether something that the trial started is still there."""
    deadline = time.monotonic() + GONE
    while (orphans := _marked(token)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return f"{len(orphans)} processes left after {GONE:g} s" if orphans else KEPT


def _marked(token: str) -> list[psutil.Process]:
    marked = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get(TOKEN) == token:
                marked.append(process)
    return marked


# -- trying them


def attempt(runner: Runner, where: str, name: str) -> str:
    """Try one promise of one runner in a process of its own; return "kept" or what was seen."""
    promise = PROMISES[name]
    if runner.kind not in promise.kinds:
        return LACKING
    token = uuid.uuid4().hex
    process = subprocess.Popen(
        [sys.executable, __file__, "--try", where, name, token],
        env=os.environ | {TOKEN: token},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        return _judged(promise, process, token)
    finally:
        for orphan in _marked(token):
            with suppress(psutil.Error):
                orphan.kill()


def _judged(promise: Promise, process: subprocess.Popen[str], token: str) -> str:
    assert process.stdout is not None
    if promise.disturb is not None:
        watch = threading.Timer(LIMIT, process.kill)
        watch.start()
        began = process.stdout.readline().strip() == "running"
        watch.cancel()
        return promise.disturb(process, token) if began else "does not begin"
    try:
        output = process.communicate("from the program", LIMIT)[0].strip()
    except subprocess.TimeoutExpired:
        return f"no end within {LIMIT:g} s"
    return output.splitlines()[-1] if output else f"the program died, exit {process.returncode}"


def tell(where: str, name: str) -> None:
    """Try one promise here, and print what was seen."""
    try:
        PROMISES[name].check(_runner(where))
    except Lacks:
        print(LACKING)
    except AssertionError as broken:
        print(broken)
    except BaseException as error:
        print(f"ends with {type(error).__name__}", flush=True)
    else:
        print(KEPT)


def _runner(where: str) -> Run:
    if where in RUNNERS:
        return RUNNERS[where].run
    module, _, name = where.partition(":")
    run: Run = getattr(importlib.import_module(module), name)
    return run


def table(runners: dict[str, Runner], promises: Sequence[str]) -> Iterator[str]:
    """The rows, in Markdown: a promise each; what was seen in place of it stands below."""
    yield f"| promise | {' | '.join(runner.title for runner in runners.values())} |"
    yield f"|---|{'---|' * len(runners)}"
    broken = []
    for name in promises:
        promise, cells = PROMISES[name], []
        for where, runner in runners.items():
            verdict = attempt(runner, where, name)
            cells.append({KEPT: "yes", LACKING: "-"}.get(verdict, "**no**"))
            if verdict not in (KEPT, LACKING):
                broken.append(f"- {promise.text}: {runner.title}: {verdict}")
        yield f"| {promise.text} | {' | '.join(cells)} |"
    yield ""
    yield from broken


def _needed(runners: dict[str, Runner]) -> list[str]:
    return sorted({runner.needs for runner in runners.values()} - {"sys"})


def main() -> None:
    """Print the table of each kind of worker."""
    if sys.argv[1:2] == ["--try"]:
        tell(*sys.argv[2:4])
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runners", nargs="*", metavar="RUNNER")
    parser.add_argument("--run", metavar="MODULE:FUNCTION", help="a runner of your own")
    parser.add_argument("--kind", choices=sorted(EVERY), default="processes", help="its workers")
    parser.add_argument("--only", nargs="+", metavar="PROMISE", choices=PROMISES, default=PROMISES)
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    if args.list:
        print(*(f"{name:16} {promise.text}" for name, promise in PROMISES.items()), "", sep="\n")
        print(*(f"{name:16} {runner.title}" for name, runner in RUNNERS.items()), sep="\n")
        return
    if unknown := set(args.runners) - RUNNERS.keys():
        parser.error(f"no runner {', '.join(sorted(unknown))}: --list shows them")
    as_installed()
    chosen = {name: RUNNERS[name] for name in args.runners or () if not args.run}
    if args.run:
        chosen = {args.run: Runner(args.run, args.kind, _runner(args.run))}
    chosen = chosen or {name: runner for name, runner in RUNNERS.items() if runner.there()}
    for kinds in (("threads", "coroutines"), ("processes",)):
        if of_kind := {name: runner for name, runner in chosen.items() if runner.kind in kinds}:
            for line in table(of_kind, [name for name in PROMISES if name in args.only]):
                print(line, flush=True)
            print()
    print(
        f"{platform.python_implementation()} {platform.python_version()}, {platform.system()}",
        end="",
    )
    print(*(f", {name} {version(name)}" for name in _needed(chosen)), sep="")


if __name__ == "__main__":
    main()
