"""The engines of this repository, through their own interface; errors are not forgiven."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any


def run(model: str, work: Callable[..., Any], items: Iterable[Any], workers: int) -> Iterator[Any]:
    """Results of the engine, from a package that engines.py assembled under this name."""
    engine = importlib.import_module(f"{model}_project.engine")
    job = importlib.import_module(f"{model}_project.job").Job(work)
    options = {}
    if method := os.environ.get("START_METHOD"):
        options["start_method"] = method
    for burst in engine.run(job, enumerate(items), max_workers=workers, **options):
        for outcome in burst:
            if outcome.error is not None:
                raise RuntimeError(outcome.error)
            yield outcome.value
