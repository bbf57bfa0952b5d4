"""Import the user's function as a worker process would, and tell what is known without calling it.

Runs in the child process that measures (`scaffold.measuring.probe`).
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import pickle
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scaffold.core.domain import Model
from scaffold.making.inventory import runner_module
from scaffold.measuring import memory
from scaffold.measuring.calls import Call
from scaffold.measuring.describing import describe


class Refusal(Exception):
    """The function cannot be measured; the message says why, in words for the user."""


def find(request: Mapping[str, Any], folder: str) -> None:
    """Let imports find the module: in its own folder, or by an alias that is made in `folder`."""
    sys.path[:0] = request["path"]
    if (file := request.get("alias_of")) is None:
        return
    text = f"__file__ = {file!r}\nexec(compile(open(__file__, 'rb').read(), __file__, 'exec'))\n"
    Path(folder, f"{request['module']}.py").write_text(text, encoding="utf-8")
    sys.path.insert(0, folder)


def load(request: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Import the function as a worker process would, and tell what is known without calling it.

    The function comes as a project's `runner.job.Job`, with its setup(), as an engine opens it.
    """
    find(request, os.path.dirname(request["report"]))  # noqa: PTH120
    own_threads = threading.active_count() - 1  # the deadline's, which a project does not have
    before, began = memory.resident(), time.perf_counter()
    try:
        module = importlib.import_module(request["module"])
    except BaseException as error:
        raise Refusal(f"importing {request['module']} raised {describe(error)}") from error
    seconds, after = time.perf_counter() - began, memory.resident()
    function: Any = module
    for name in request["function"].split("."):
        function = getattr(function, name, None)
        if function is None:
            near = ", ".join(sorted(_functions(module))[:8]) or "none"
            missing = f"{request['module']} has no {request['function']}"
            raise Refusal(f"{missing}; its functions: {near}")
    if not callable(function):
        raise Refusal(f"{request['function']} is a {type(function).__name__}, not a function")
    setup = setup_of(module)
    _check_arguments(function, request["function"], setup)
    job = runner_module("job").Job(function, setup)
    children = runner_module("children", Model.MULTIPROCESSING)
    return job, {
        "import_seconds": seconds,
        "import_bytes": None if before is None else max(0, (after or 0) - before),
        "is_async": job.is_async,
        "picklable_function": _found_by_a_worker(function),
        "start_method": children.start_method(threads=1 + own_threads),
    }


def setup_of(module: Any) -> Call | None:
    """Return the setup() of a project's work.py; a project runs no setup() of other modules."""
    package = module.__name__.rpartition(".")[0]
    if not package or importlib.util.find_spec(f"{package}.runner") is None:
        return None
    setup: Call | None = getattr(module, "setup", None)
    return setup


def _check_arguments(function: Call, name: str, setup: Call | None) -> None:
    try:
        signature = inspect.signature(function)
        if setup is not None and len(signature.parameters) > 1:  # what setup() gives is the second
            signature.bind(None, None)
        else:
            signature.bind(None)
    except ValueError:  # a builtin without a signature: calling it will tell
        return
    except TypeError as error:
        raise Refusal(f"{name} is called with one item, but: {error}") from error


def _functions(module: Any) -> Iterator[str]:
    for name, value in vars(module).items():
        if inspect.isfunction(value) and value.__module__ == module.__name__:
            yield name


def _found_by_a_worker(function: Call) -> bool:
    try:
        return pickle.loads(pickle.dumps(function)) is function
    except Exception:
        return False
