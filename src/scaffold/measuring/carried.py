"""Items and results of the user's function, pickled and unpickled as a process pool does it.

Runs in the child process that measures (`probe`), with the standard library alone.
"""

from __future__ import annotations

import pickle
import statistics
import time
from collections.abc import Callable
from typing import Any

from scaffold.making.inventory import runner_module
from scaffold.measuring.describing import describe

# Items and results that are kept: enough for a mean, few enough for large ones.
KEPT = 8


class Carried:
    """The items of the first few calls, with their results or exceptions."""

    def __init__(self) -> None:
        self._kept: list[tuple[Any, Any]] = []

    def keep(self, item: Any, result: Any) -> None:
        """Remember a call, if it is one of the first."""
        if len(self._kept) < KEPT:
            self._kept.append((item, result))

    def facts(self, reasons: dict[str, str], missing: str = "nothing was called") -> dict[str, Any]:
        """Pickle and unpickle them; return the profile's fields about it: bytes and seconds a call.

        A field that could not be measured is None, and `reasons` says why: `missing` if nothing
        ran.
        """
        kept = tuple(self._kept)  # a call may end in the meantime
        if not kept:
            fields = ("item_bytes", "result_bytes", "picklable", "pickle_seconds")
            reasons.update(dict.fromkeys(fields, missing))
            return dict.fromkeys(fields)
        items, results = zip(*kept, strict=True)
        began = time.perf_counter()
        facts = {
            "item_bytes": _mean_size("item", items, reasons),
            "result_bytes": _mean_size("result", results, reasons),
        }
        seconds = (time.perf_counter() - began) / len(kept)
        failed = [reasons[field] for field in facts if field in reasons]
        if failed:
            reasons["pickle_seconds"] = failed[0]
        return {**facts, "picklable": not failed, "pickle_seconds": None if failed else seconds}

    def writable(self, encode: Callable[[Any], Any] | None, reasons: dict[str, str]) -> bool | None:
        """Tell whether a project can write the results; if not, `reasons` says why."""
        runner = runner_module("values")
        values = [value for _, value in self._kept if not isinstance(value, BaseException)]
        if not values:
            reasons["writable"] = "no call returned a value"
            return None
        try:
            for value in values:
                runner.json_of(value, encode)
        except runner.Unwritable as error:
            reasons["writable"] = f"the result cannot be written: {error}"
            return False
        except BaseException as error:  # whatever the user's encode() raises
            reasons["writable"] = f"encode() of the result raised {describe(error)}"
            return False
        reasons.pop("writable", None)
        return True


def _mean_size(name: str, values: tuple[Any, ...], reasons: dict[str, str]) -> int | None:
    sizes = []
    for value in values:
        try:
            pickled = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
            pickle.loads(pickled)
            sizes.append(len(pickled))
        except Exception as error:
            subject = "the exception" if isinstance(value, BaseException) else f"the {name}"
            reasons[f"{name}_bytes"] = f"{subject} cannot be pickled: {describe(error)}"
            return None
    return round(statistics.mean(sizes))
