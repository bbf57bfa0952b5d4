"""Command line: `run` works through the items, `try` takes one of them; see also bench, export."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from types import ModuleType
from typing import Any, NamedTuple

from .. import settings
from . import limits
from .bench import bench
from .export import Snapshot, export, status
from .failures import describe
from .formats import READ
from .items import Items, ItemsError
from .job import Job, load_work
from .ledger import JournalError
from .lifecycle import FAILED, INTERRUPTED, OK, USAGE, begin, leave, stop_on_signals
from .limits import prepare
from .machine import NotReady
from .prints import answering, say, show_records, tell, to_type, whole_lines
from .progress import Progress
from .results import Journal, Refused
from .resume import Resume
from .task import PACKAGE, EngineError, Retry
from .values import Unwritable, json_of

ITEMS = getattr(settings, "ITEMS", "items.jsonl")
ENOUGH = 20  # tasks: the share of failures among fewer tells nothing


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
    ready = prepare(args.max_workers, args.rate, vars(args))
    too_many = False
    with (
        closing(Items(args.items, args.key, say)) as items,
        closing(_journal(args, ready.work)) as journal,
        closing(
            Resume(
                journal, items, fresh=args.fresh, retry_failed=args.retry_failed, limit=args.limit
            )
        ) as resume,
        stop_on_signals() as stop,
        Progress(items, journal, ready, args.limit, _again(args), args.quiet) as progress,
        closing(
            ready.start(
                resume.pending(), timeout=args.timeout, retry=Retry(args.retries), stop=stop
            )
        ) as bursts,
    ):
        show_records(items.keys)
        for first, last in journal.others_work():
            say(f"results {first:,}-{last:,} were made by another work.py: --fresh makes them anew")
        for burst in bursts:
            progress.add(journal.write(burst, items.keys))
            if args.max_failures and args.max_failures(progress):
                too_many = True
                stop.set()
    if too_many:
        return _complain(f"{progress.failed:,} tasks have failed: --max-failures", FAILED)
    if stop.is_set():
        return INTERRUPTED
    return FAILED if journal.failed else OK


def try_(args: argparse.Namespace) -> int:
    """run one task here, and print its value or the whole traceback; nothing is written"""
    work = load_work()
    item = _chosen(args)
    show_records()
    try:
        with Job(work.work, getattr(work, "setup", None)).open() as call:
            value = call(item)
    except Exception as exc:
        tell(describe(exc).traceback)
        if args.pdb:
            import pdb

            pdb.post_mortem(exc.__traceback__)
        return FAILED
    try:
        text = json_of(value, getattr(work, "encode", None))
    except Unwritable as exc:
        say(f"result is not JSON: {exc}")
        return FAILED
    with answering():
        print(text)
    return OK


def _again(args: argparse.Namespace) -> str:
    """The command for the same files, with {} in the place of `run`."""
    defaults = {"items": ITEMS, "results": "results.jsonl", "key": getattr(settings, "KEY", None)}
    given = {name: getattr(args, name) for name in defaults}
    changed = [name for name in defaults if given[name] != defaults[name]]
    options = [part for name in changed for part in (f"--{name}", given[name])]
    return to_type(["python", "-m", PACKAGE, "{}", *options]).replace("'{}'", "{}")


def _journal(args: argparse.Namespace, work: ModuleType) -> Journal:
    version = ""
    if file := getattr(work, "__file__", None):
        with open(file, "rb") as text:
            version = hashlib.blake2b(text.read(), digest_size=16).hexdigest()
    encode = getattr(work, "encode", None)
    return Journal(args.results, encode=encode, version=version, fsync=args.fsync)


def _chosen(args: argparse.Namespace) -> Any:
    """Return the item of --item, or with the ID; else the first that failed, else the first."""
    if args.item is not None:
        try:
            return json.loads(args.item)
        except ValueError as exc:
            raise ItemsError(f"--item {args.item} is not JSON: {exc}") from None
    with closing(Items(args.items, args.key, say)) as items:
        if args.id is None and items.rewinds:
            with suppress(Refused), closing(Snapshot(args.results)) as snapshot:  # if it has run
                for position, item, result in snapshot.join(items):
                    if result is not None and not result["ok"]:
                        say(f"item {position}, the first that failed")
                        return item
            items.rewind()
        for position, record, _ in items.whole():
            item = items.parse(record)
            name = position if items.key is None else items.key_of(item)
            if args.id in (None, str(name)):
                return item
        by = "id" if items.key is None else f"key in {items.key!r}"
    wanted = "" if args.id is None else f" with the {by} {args.id}"
    raise ItemsError(f"{args.items} has no item{wanted}")


def _complain(problem: object, code: int) -> int:
    say(f"error: {problem}")
    return code


class Option(NamedTuple):
    """An option of some commands; without a metavar it takes no value."""

    commands: tuple[str, ...]
    name: str
    metavar: str
    help: str
    default: Any = None
    type: Callable[[str], Any] = str


def _options() -> Iterator[Option]:
    """Yield all options, in the order of the help."""
    a_run, afterwards = ("run", "bench"), ("try", "export", "status")
    on_items = a_run + afterwards
    text = f"the input: {READ}; - is JSON Lines from stdin [%(default)s]"
    yield Option(on_items, "--items", "FILE", text, ITEMS)
    text = "the field that identifies an item in results and messages [%(default)s]"
    yield Option(on_items, "--key", "FIELD", text, getattr(settings, "KEY", None))
    text = "tasks in flight at once; auto finds how many [%(default)s; None is one per core]"
    yield Option(a_run, "--max-workers", "N", text, settings.MAX_WORKERS, limits.workers)
    text = "how fast tasks may begin, retries included, such as 10/s, 600/min or 5000/h"
    text += f" [{getattr(settings, 'RATE', None)}]"
    yield Option(a_run, "--rate", "R", text, None, limits.rate)
    text, seconds = "how long one task may take [%(default)s]", _number(float, 0)
    yield Option(a_run, "--timeout", "SECONDS", text, settings.TIMEOUT, seconds)
    for name, (metavar, text) in limits.OPTIONS.items():
        kind = _number(int, 1) if metavar == "N" else str
        own = getattr(settings, name.upper(), None)
        yield Option(a_run, f"--{name}", metavar, text, own, kind)
    count = _number(int, 0)
    yield Option(a_run, "--limit", "N", "take only the first N items", None, count)
    text = "the results file [%(default)s]"
    yield Option(("run", *afterwards), "--results", "FILE", text, "results.jsonl")
    text = "how often a failed task is tried again [%(default)s]"
    yield Option(("run",), "--retries", "N", text, settings.RETRIES, count)
    yield Option(
        ("run",), "--fresh", "", "start over; earlier results stay as .bak until the first new one"
    )
    yield Option(("run",), "--retry-failed", "", "run the failed tasks of earlier runs again")
    text = "stop when N tasks, or more than P percent, have failed"
    yield Option(("run",), "--max-failures", "N|P%", text, None, _too_many)
    yield Option(("run",), "--fsync", "", "make results survive a power cut, which costs speed")
    yield Option(("run",), "--quiet", "", "show no progress and no summary")
    text = "how long each of the two runs may take [%(default)s]"
    yield Option(("bench",), "--seconds", "S", text, 5.0, seconds)
    yield Option(("bench",), "--json", "", "print one JSON document")
    yield Option(("try",), "--item", "JSON", "an item to run instead of one from the input")
    yield Option(("try",), "--pdb", "", "stop in the debugger where it fails")
    yield Option(("export",), "--failed", "", "export only items that failed, to be run again")
    yield Option(("export",), "--ok", "", "export only tasks that succeeded")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {PACKAGE}")
    commands = parser.add_subparsers(required=True, metavar="run | try | export | status | bench")
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, help=command.__doc__, description=command.__doc__)
        sub.set_defaults(command=command)
        if name == "try":
            text = "the id or the key of an item [the first that failed]"
            sub.add_argument("id", nargs="?", metavar="ID", help=text)
        if name == "export":
            text = "a .csv, .jsonl or .parquet file [JSON Lines on stdout]"
            sub.add_argument("file", nargs="?", metavar="FILE", help=text)
        either = sub.add_mutually_exclusive_group() if name == "export" else sub
        for option in _options():
            if name not in option.commands:
                continue
            group = either if option.name in ("--failed", "--ok") else sub
            kind: dict[str, Any] = {"action": "store_true"}
            if option.metavar:
                kind = {"metavar": option.metavar, "default": option.default, "type": option.type}
            group.add_argument(option.name, help=option.help, **kind)
    return parser


def _number(kind: type[int] | type[float], least: int) -> Callable[[str], Any]:
    def parse(text: str) -> int | float:
        value = kind(text)
        if not least <= value or (kind is float and value <= least):
            begins = "at" if kind is int else "above"
            raise argparse.ArgumentTypeError(f"{text} is out of range: it begins {begins} {least}")
        return value

    parse.__name__ = kind.__name__  # argparse says "invalid int value"
    return parse


def _too_many(text: str) -> Callable[[Progress], bool]:
    """Return the test for --max-failures: 20 tasks, or more than 5%, have failed."""
    is_share = text.endswith("%")
    try:
        most = float(text.removesuffix("%"))
    except ValueError:
        most = -1.0
    if not 0 <= most <= (100 if is_share else sys.maxsize):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of tasks nor a percentage")
    if is_share:
        return lambda progress: progress.failed > most / 100 * max(progress.done, ENOUGH)
    return lambda progress: progress.failed >= max(1, most)


COMMANDS = {
    "run": run,
    "bench": bench,
    "try": try_,
    "export": export,
    "status": status,
}
