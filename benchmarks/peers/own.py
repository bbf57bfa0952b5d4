"""The engines of this repository, through their own interface; errors are not forgiven."""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any


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
    engine = importlib.import_module(f"{package}.engine")
    job = importlib.import_module(f"{package}.job").Job(work)
    options = {}
    if method := os.environ.get("START_METHOD"):
        options["start_method"] = method
    numbered: Iterable[Any] = enumerate(items)
    keep = list
    with nullcontext() if journal is None else _temporary_folder() as folder:
        if folder:
            source = _input(package, folder, items)
            numbered = source.pending(bytearray(), None, None)
        if journal:
            results = importlib.import_module(f"{package}.results")
            written = results.Journal(f"{folder}/results.jsonl")
            keep = functools.partial(written.write, items=source)
        for burst in engine.run(job, numbered, max_workers=workers, **options):
            for outcome in keep(burst):
                if outcome.error is not None:
                    raise RuntimeError(outcome.error)
                yield outcome.value


def _temporary_folder() -> AbstractContextManager[str]:
    import tempfile  # most competitors do without, and the clock runs

    return tempfile.TemporaryDirectory()


def _input(package: str, folder: str, items: Iterable[Any]) -> Any:
    path = f"{folder}/items.jsonl"
    Path(path).write_text("".join(f"{item}\n" for item in items))
    return importlib.import_module(f"{package}.items").Items(path)
