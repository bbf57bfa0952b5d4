"""`try`, `export` and `status`: after a run, and between two."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import ModuleType
from typing import Any

from .export import Export, Joined, Snapshot
from .failures import describe, most_frequent
from .formats import Unreadable
from .items import Items, ItemsError
from .job import Job, load_work
from .lifecycle import FAILED, OK
from .prints import answering, say, show_records, tell
from .results import Refused
from .values import Unwritable, json_of

MOST = 10  # kinds of failures that `status` names


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
    return _print_value(value, work)


def export(args: argparse.Namespace) -> int:
    """join items and results in the order of the input"""
    with _opened(args) as (items, snapshot):
        if not items.rewinds:
            raise ItemsError("export reads its items more than once: --items names a file")
        rows = Export(snapshot, items, failed=args.failed, ok=args.ok)
        if args.file is None:
            with answering():
                rows.lines(sys.stdout)
            return OK
        if items.is_one_of(args.file) or snapshot.is_one_of(args.file):
            raise Refused(f"{args.file} is the input of the export: name another file")
        try:
            rows.write(args.file)
        except Unreadable as exc:
            raise Refused(str(exc)) from None
        except OSError as exc:
            raise Refused(f"cannot write {args.file}: {exc.strerror}") from None
    missing = f"; {rows.missing:,} items have no result yet" if rows.missing else ""
    say(f"{rows.count:,} {'items' if args.failed else 'rows'} in {args.file}{missing}")
    return OK


def status(args: argparse.Namespace) -> int:
    """count what is done, what failed and why, and what is left"""
    with _opened(args) as (items, snapshot):
        total = sum(record is not None for _, record, _ in items.records()) if items.rewinds else 0
        done = snapshot.ok + snapshot.failed
        lines = [f"{snapshot.ok:,} ok", f"{snapshot.failed:,} failed"]
        lines += most_frequent(snapshot.failures(), MOST)
        if items.rewinds:
            lines.append(f"{max(0, total - done):,} left")
    with answering():
        print("\n".join(lines))
    return OK


@contextmanager
def _opened(args: argparse.Namespace) -> Iterator[tuple[Items, Snapshot]]:
    with (
        closing(Items(args.items, args.key, say)) as items,
        closing(Snapshot(args.results)) as snapshot,
    ):
        yield items, snapshot


def _chosen(args: argparse.Namespace) -> Any:
    """The item of --item; that with the ID; the first that failed; the first."""
    if args.item is not None:
        try:
            return json.loads(args.item)
        except ValueError as exc:
            raise ItemsError(f"--item {args.item} is not JSON: {exc}") from None
    with closing(Items(args.items, args.key, say)) as items:
        if args.id is not None:
            return _with_id(items, args.id)
        try:
            with closing(Snapshot(args.results)) as snapshot:
                failed = next(filter(_failed, snapshot.join(items)), None)
        except Refused:  # nothing was run yet
            failed = None
        if failed is not None:
            say(f"item {failed.id}, the first that failed")
            return failed.item
        items.rewind()
        return _with_id(items, "0")


def _with_id(items: Items, wanted: str) -> Any:
    """The item with that key or, where items have none, at that position."""
    for position, record, _ in items.records():
        if record is None:
            continue
        if items.key is None and str(position) == wanted:
            return items.parse(record)
        if items.key is not None and str(items.key_of(item := items.parse(record))) == wanted:
            return item
    by = "id" if items.key is None else f"key in {items.key!r}"
    raise ItemsError(f"{items.name} has no item with the {by} {wanted}")


def _failed(joined: Joined) -> bool:
    return joined.result is not None and not joined.result["ok"]


def _print_value(value: Any, work: ModuleType) -> int:
    try:
        text = json_of(value, getattr(work, "encode", None))
    except Unwritable as exc:
        say(f"result is not JSON: {exc}")
        return FAILED
    with answering():
        print(text)
    return OK
