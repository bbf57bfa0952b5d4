"""The engines of this repository, through their own interface; errors are not forgiven."""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from operator import itemgetter
from pathlib import Path
from typing import Any

VALUE, ERROR = itemgetter(2), itemgetter(3)  # of an Outcome


def run(
    model: str,
    work: Callable[..., Any],
    items: Iterable[Any],
    workers: int,
    journal: bool | None = None,
) -> Iterator[Any]:
    """Results of the engine, from a package that engines.py assembled under this name.

    With `journal` given the items come from an input file, and with True the results go to a file.
    """
    package = f"{model}_project"
    engine = importlib.import_module(f"{package}.runner.engine")
    job = importlib.import_module(f"{package}.runner.job").Job(work)
    backlog = importlib.import_module(f"{package}.runner.backlog")
    options = {}
    if method := os.environ.get("START_METHOD"):
        options["start_method"] = method
    numbered: Iterable[Any] = enumerate(items)
    keep = list
    with nullcontext() if journal is None else _temporary_folder() as folder:
        if folder:
            source = _input(package, folder, items)
            numbered = source.pending()
        if journal:
            results = importlib.import_module(f"{package}.runner.results")
            written = results.Journal(f"{folder}/results.jsonl")
            keep = functools.partial(written.write, keys=source.keys)
        for burst in engine.run(job, backlog.Backlog(numbered, workers), **options):
            outcomes = list(keep(burst))
            if errors := list(filter(None, map(ERROR, outcomes))):
                raise RuntimeError(errors[0])
            yield from map(VALUE, outcomes)  # as the peers do: the clock is for the engine


def _temporary_folder() -> AbstractContextManager[str]:
    import tempfile  # most competitors do without, and the clock runs

    return tempfile.TemporaryDirectory()


def _input(package: str, folder: str, items: Iterable[Any]) -> Any:
    path = f"{folder}/items.jsonl"
    Path(path).write_text("".join(f"{item}\n" for item in items))
    reader = importlib.import_module(f"{package}.runner.items")
    return reader.Items(path)
