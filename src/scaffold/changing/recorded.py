"""The answers in a project's record, checked: they may come from somebody else's repository.

Most of them become text of a new rendering; some become code, paths, or packages to install.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from typing import Any

from scaffold.asking.kinds import LONGEST, number
from scaffold.asking.questions import QUESTIONS
from scaffold.core.domain import Model, Source
from scaffold.core.errors import UsageError
from scaffold.core.texts import shown
from scaffold.core.units import MAX_BYTES, MAX_COUNT
from scaffold.making import names, starters
from scaffold.making.distributed import is_plain_path
from scaffold.making.inventory import available_models

WAY_OUT = (
    "restore it from version control, or make a new project beside it with `concgen new` and"
    " move your files over"
)

# The most that a share of a task's time, or a gain, may be: more cores than any machine has.
MOST_CORES = 10_000

_PACKAGE = re.compile(r"[a-z_][a-z0-9_]*")
# A requirement as in PEP 508, without characters that could end the text around it.
_REQUIREMENT = re.compile(r"[A-Za-z0-9][\w .,;<>=!~*+\[\]-]*", re.ASCII)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_count_or_null(value: Any) -> bool:
    return value is None or number(1, MAX_COUNT, int)(value)


def _are_pilots(value: Any) -> bool:
    """Tell whether the value is a table of models and ratios."""
    is_ratio = number(1e-6, MOST_CORES)
    return isinstance(value, dict) and all(
        name in tuple(Model) and is_ratio(ratio) for name, ratio in value.items()
    )


def _is_gain_or_null(value: Any) -> bool:
    return value is None or number(1e-6, MOST_CORES)(value)


def _is_line(value: Any) -> bool:
    """Tell whether the value is a text of one line, without control or direction characters."""
    return isinstance(value, str) and value.isprintable()


def _is_requirement(value: Any) -> bool:
    return isinstance(value, str) and bool(_REQUIREMENT.fullmatch(value))


def _is_function(value: Any) -> bool:
    return isinstance(value, str) and value.isidentifier() and not keyword.iskeyword(value)


def _is_module(value: Any) -> bool:
    """Tell whether the value is a dotted name; a leading dot means the project's own package."""
    return isinstance(value, str) and all(map(_is_function, value.removeprefix(".").split(".")))


def _is_source(value: Any) -> bool:
    return value in [str(source) for source in Source]


def _is_table(value: Any, key: Any, entry: Any) -> bool:
    return isinstance(value, dict) and _fits([*value], [key]) and _fits([*value.values()], [entry])


# What CONCURRENCY.md tells of the advice.
_DECISION = {
    "headline": _is_line,
    "model": _is_line,
    "chosen_by": _is_line,
    "answers": [{"question": _is_line, "value": _is_line, "source": _is_source}],
    "reasons": [
        dict.fromkeys(("verdict", "model", "text", "rule", "article"), _is_line),
    ],
    "estimates": [
        {
            **dict.fromkeys(("model", "time", "speedup", "memory", "note"), _is_line),
            "max_workers": _is_count_or_null,
            "auto": lambda value: value in (None, True, False),
        }
    ],
    "flips": [_is_line],
    "machine": [_is_line],
    "notes": [_is_line],
}
# What CONCURRENCY.md tells of the last bench.
_BENCH = {
    **dict.fromkeys(("day", "count", "fastest"), _is_line),
    "machine": [_is_line],
    "results": [dict.fromkeys(("model", "measured", "predicted", "note"), _is_line)],
}
# What a starter's work may be: `def`, `async def`, or native code that releases the GIL.
FORMS = ("sync", "async", "native")
# How workers start; empty if it is not known.
START_METHODS = ("", "fork", "forkserver", "spawn")
# Without these there is no project.
_NAMES = ("name", "package", "starter", "model")
# A test for each answer that concgen records. A missing answer takes the template's default.
_ANSWERS: dict[str, Any] = {
    "form": lambda value: value in FORMS,
    "inside": lambda value: value == "" or (_is_module(value) and not value.startswith(".")),
    "from_module": _is_module,
    "from_function": _is_function,
    "from_path": _is_line,
    "dependencies": [_is_requirement],
    "local": lambda value: _is_table(value, _is_requirement, is_plain_path),
    **{question.field: question.kind.recorded for question in QUESTIONS},
    "cpu_fraction": number(0, MOST_CORES),
    "import_seconds": number(0, LONGEST),
    "import_bytes": number(0, MAX_BYTES, int),
    "longest_seconds": number(0, LONGEST),
    "thread_gain": _is_gain_or_null,
    "process_gain": _is_gain_or_null,
    "in_flight_tried": number(1, MAX_COUNT, int),
    "in_flight_gain": number(1, MAX_COUNT),
    "in_flight_per_process": _is_bool,
    "pilots": _are_pilots,
    "start_method": lambda value: value in START_METHODS,
    "switches_gil_on": _is_bool,
    "max_workers": lambda value: value == "auto" or _is_count_or_null(value),
    "ci": _is_bool,
    "ci_check": _is_bool,
    "key": _is_line,
    "items_file": lambda value: value in ("items.jsonl", "items.parquet"),
    "sources": lambda value: _is_table(value, _is_line, _is_source),
    "decision": lambda value: value == {} or _fits(value, _DECISION),  # {}: picked without advice
    "bench": lambda value: value == {} or _fits(value, _BENCH),  # {}: not benched yet
}


def _fits(value: Any, shape: Any) -> bool:
    """Tell whether `value` has the shape: a test, a list of one shape, or a table of shapes."""
    if isinstance(shape, dict):
        known = isinstance(value, dict) and value.keys() <= shape.keys()
        return known and all(_fits(value.get(key), shape[key]) for key in shape)
    if isinstance(shape, list):
        return isinstance(value, list) and all(_fits(element, shape[0]) for element in value)
    return bool(shape(value))


def checked(answers: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the answers that concgen records, and no other: the template computes the rest.

    Raises UsageError, naming the answer, for an impossible answer. `where` names the file.
    """
    for name in _NAMES:
        if not isinstance(answers.get(name), str):
            raise UsageError(f"{where}: {name} is {shown(answers.get(name))}", hint=WAY_OUT)
    names.check_name(answers["name"])
    if not _PACKAGE.fullmatch(answers["package"]):
        raise UsageError(f"{where}: package is {shown(answers['package'])}", hint=WAY_OUT)
    known_starters = (*starters.names(), starters.YOURS)
    for name, known in (("model", available_models()), ("starter", known_starters)):
        if answers[name] not in known:
            raise UsageError(
                f"{where}: {name} {shown(answers[name])} is not one of {', '.join(known)}",
                hint="it was made by a different template",
            )
    starters.load(answers["starter"]).refuse(Model(answers["model"]))
    for name, shape in _ANSWERS.items():
        if name in answers and not _fits(answers[name], shape):
            raise UsageError(
                f"{where}: {name} is {shown(answers[name])}, which concgen never records",
                hint=WAY_OUT,
            )
    tried, gain = answers.get("in_flight_tried", 1), answers.get("in_flight_gain", 1.0)
    if gain > tried:
        raise UsageError(
            f"{where}: in_flight_gain is {shown(gain)}, more than the {shown(tried)} in flight"
            " that were tried",
            hint=WAY_OUT,
        )
    return {name: value for name, value in answers.items() if name in _NAMES or name in _ANSWERS}
