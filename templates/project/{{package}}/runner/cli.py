"""Command line: `run` works through the items, `bench` compares the engine with a plain loop."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from types import ModuleType
from typing import Any, cast

from .. import settings
from . import afterwards, engine, limits
from .bench import compare
from .formats import READ
from .items import Items, ItemsError, Nothing
from .job import Job, load_work
from .lifecycle import begin, leave
from .machine import NotReady, make_room, share_cores, usable_cores
from .prints import whole_lines
from .progress import MaxFailures, Progress
from .results import Journal, JournalError, Refused
from .resume import Resume
from .signals import INTERRUPTED, stop_on_signals
from .task import PACKAGE, Burst, EngineError, Retry, say

OK, FAILED, USAGE = 0, 1, 2
# What only this engine takes, by name and in words, and how many tasks it runs at once by itself.
OPTIONS: dict[str, tuple[str, str]] = getattr(engine, "OPTIONS", {})
default_workers: Callable[..., int] = getattr(engine, "default_workers", lambda **_: usable_cores())


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command; exit code 0 all ok, 1 some tasks failed, 2 usage, 130 interrupted."""
    args = _parser().parse_args(argv)
    begin()
    try:
        code = args.command(args)
    except (NotReady, ItemsError, Refused) as exc:
        code = _complain(exc, USAGE)
    except (JournalError, EngineError) as exc:
        code = _complain(exc, FAILED)
    except KeyboardInterrupt:
        code = INTERRUPTED
    leave(code)


def run(args: argparse.Namespace) -> int:
    """work through the items that have no result yet"""
    whole_lines()
    workers, options = _choices(args)
    work = _work(workers)
    workers, pacer = limits.find(engine, work, workers, args.max_workers, args.rate)
    job = _job(work, workers)
    too_many = False
    with (
        closing(Items(args.items, args.key, say)) as items,
        closing(_journal(args, work)) as journal,
        closing(
            Resume(
                journal,
                items,
                fresh=args.fresh,
                retry_failed=args.retry_failed,
                limit=args.limit,
            )
        ) as resume,
        stop_on_signals() as stop,
        Progress(
            items,
            workers=workers,
            pacer=pacer,
            limit=args.limit,
            ok=journal.ok,
            failed=journal.failed,
            quiet=args.quiet,
            again=_again(args),
        ) as progress,
        closing(
            cast(
                "Generator[Burst, None, None]",
                engine.run(
                    job,
                    resume.pending(),
                    max_workers=workers,
                    timeout=args.timeout,
                    retry=Retry(args.retries),
                    stop=stop,
                    pacer=pacer,
                    **options,
                ),
            )
        ) as bursts,
    ):
        for first, last in journal.others_work():
            say(f"results {first:,}-{last:,} were made by another work.py: --fresh makes them anew")
        for burst in bursts:
            progress.add(journal.write(burst, items.keys))
            if args.max_failures is not None and args.max_failures.reached(progress):
                too_many = True
                stop.set()
    if too_many:
        return _complain(f"{progress.failed:,} tasks have failed: --max-failures", FAILED)
    if stop.is_set():
        return INTERRUPTED
    return FAILED if journal.failed else OK


def _again(args: argparse.Namespace) -> str:
    """The command for the same files, with what follows `run` left open."""
    names = {"items": "items.jsonl", "results": "results.jsonl", "key": None}
    given = [(name, getattr(args, name)) for name in names if getattr(args, name) != names[name]]
    options = [part for name, value in given for part in (f"--{name}", value)]
    return shlex.join(["python", "-m", PACKAGE, "{}", *options]).replace("'{}'", "{}")


def bench(args: argparse.Namespace) -> int:
    """run a sample one after the other and with the engine, and compare"""
    workers, options = _choices(args)
    work = _work(workers)
    workers, pacer = limits.find(engine, work, workers, args.max_workers, args.rate)
    job = _job(work, workers)
    with closing(Items(args.items, args.key, say)) as items:
        pending = items.pending(Nothing(), args.limit)
        results = compare(job, pending, workers, args.timeout, args.seconds, pacer, **options)
    rates = [result.items / result.seconds for result in results]
    speedup = rates[1] / rates[0]
    if args.json:
        rows = [result._asdict() for result in results]
        return _answer(json.dumps({"schema": 1, "results": rows, "speedup": round(speedup, 3)}))
    lines = [
        f"{result.model:16}{result.items:>8,} items{result.seconds:>10.3f} s{rate:>12,.1f}/s"
        f"{f'   {result.failed:,} failed' if result.failed else ''}"
        for result, rate in zip(results, rates, strict=True)
    ]
    several = f"{workers:,}" if workers else "all workers"
    return _answer("\n".join([*lines, f"speedup {speedup:.2f}x with {several} at once"]))


def _journal(args: argparse.Namespace, work: ModuleType) -> Journal:
    version = ""
    if file := getattr(work, "__file__", None):
        with open(file, "rb") as text:
            version = hashlib.blake2b(text.read(), digest_size=16).hexdigest()
    encode = getattr(work, "encode", None)
    return Journal(args.results, encode=encode, version=version, fsync=args.fsync)


def _work(workers: int) -> ModuleType:
    if engine.MODEL == "threading":  # all of its workers compute in this process
        share_cores(workers, threads=True)  # before a library is imported that reads it
    return load_work()  # not above: a worker may import this module, and should not need to


def _job(work: ModuleType, workers: int) -> Job:
    make_room(workers, engine.in_one_process(workers), getattr(work, "OPEN_FILES", 1))
    job = Job(work.work, getattr(work, "setup", None))
    if job.is_async and engine.AWAITS == "never":
        say("work() is `async def`: each worker runs it in an event loop of its own, one at a time")
    if not job.is_async and engine.AWAITS == "always":
        say("work() is a plain `def`: it runs in threads, up to --max-workers of them")
    return job


def _choices(args: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    """Tasks in flight at once, and the options that only this engine has."""
    options = {name: getattr(args, name) for name in OPTIONS}
    default = default_workers(**options)  # an engine that cannot run says so here
    return limits.most_workers(engine, args.max_workers, default), options


def _answer(text: str) -> int:
    try:
        print(text, flush=True)
    except OSError as exc:  # the disk is full, or the reader has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still to flush
        return _complain(f"cannot print the results: {exc.strerror}", FAILED)
    return OK


def _complain(problem: object, code: int) -> int:
    say(f"error: {problem}")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {PACKAGE}")
    commands = parser.add_subparsers(required=True, metavar="run | try | export | status | bench")
    for command in (run, bench):
        sub = commands.add_parser(
            command.__name__, help=command.__doc__, description=command.__doc__
        )
        sub.set_defaults(command=command)
        add = sub.add_argument
        _add_files(add)
        add(
            "--max-workers",
            type=limits.workers,
            default=settings.MAX_WORKERS,
            metavar="N",
            help="tasks in flight at once; auto finds how many [%(default)s; None is one per core]",
        )
        add(
            "--rate",
            type=limits.rate,
            default=None,
            metavar="R",
            help="at which tasks begin, retries counted, such as 10/s, 600/min or 5000/h "
            f"[{getattr(settings, 'RATE', None)}]",
        )
        add(
            "--timeout",
            type=_number(float, 0),
            default=settings.TIMEOUT,
            metavar="SECONDS",
            help="for one task [%(default)s]",
        )
        for name, (metavar, words) in OPTIONS.items():
            add(
                f"--{name}",
                type=_number(int, 1) if metavar == "N" else str,
                default=getattr(settings, name.upper(), None),
                metavar=metavar,
                help=words,
            )
        add("--limit", type=_number(int, 0), metavar="N", help="only the first N items")
        if command is run:
            add("--results", default="results.jsonl", metavar="FILE", help="[%(default)s]")
            add(
                "--retries",
                type=_number(int, 0),
                default=settings.RETRIES,
                metavar="N",
                help="of a failed task [%(default)s]",
            )
            add("--fresh", action="store_true", help="discard earlier results and start over")
            add(
                "--retry-failed",
                action="store_true",
                help="run the failed tasks of earlier runs again",
            )
            add(
                "--max-failures",
                type=MaxFailures.parse,
                metavar="N|P%",
                help="stop when so many tasks, or so many in a hundred, have failed",
            )
            add("--fsync", action="store_true", help="results survive a power cut too, at a price")
            add("--quiet", action="store_true", help="no progress and no summary")
        else:
            add(
                "--seconds",
                type=_number(float, 0),
                default=5.0,
                metavar="S",
                help="at most, for each [%(default)s]",
            )
            add("--json", action="store_true", help="one JSON document")
    _add_afterwards(commands)
    return parser


def _add_afterwards(commands: Any) -> None:
    """What needs no engine: one row for each command."""
    for name, command in (
        ("try", afterwards.try_),
        ("export", afterwards.export),
        ("status", afterwards.status),
    ):
        sub = commands.add_parser(name, help=command.__doc__, description=command.__doc__)
        sub.set_defaults(command=command)
        add = sub.add_argument
        if name == "try":
            add("id", nargs="?", metavar="ID", help="or key [the first that failed]")
            add("--item", metavar="JSON", help="in place of one of the input")
            add("--pdb", action="store_true", help="stop in the debugger where it fails")
        if name == "export":
            add("file", nargs="?", metavar="FILE", help=".csv, .jsonl or .parquet [JSON Lines]")
            which = sub.add_mutually_exclusive_group()
            which.add_argument(
                "--failed", action="store_true", help="only items that failed, to be run again"
            )
            which.add_argument("--ok", action="store_true", help="only good results")
        _add_files(add)
        add("--results", default="results.jsonl", metavar="FILE", help="[%(default)s]")


def _add_files(add: Callable[..., Any]) -> None:
    add(
        "--items",
        default="items.jsonl",
        metavar="FILE",
        help=f"{READ}; - is JSON Lines from stdin [%(default)s]",
    )
    add(
        "--key",
        default=getattr(settings, "KEY", None),
        metavar="FIELD",
        help="of an item: its own name, for results and messages [%(default)s]",
    )


def _number(kind: type[int] | type[float], least: int) -> Callable[[str], Any]:
    def parse(text: str) -> int | float:
        value = kind(text)
        if not least <= value or (kind is float and value <= least):
            begins = "at" if kind is int else "above"
            raise argparse.ArgumentTypeError(f"{text} is out of range: it begins {begins} {least}")
        return value

    parse.__name__ = kind.__name__  # argparse says "invalid int value"
    return parse
