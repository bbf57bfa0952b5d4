"""concgen: choose a concurrency model for a slow loop, and generate a project that runs it.

The names below are for programs that build on the advice; everything else may change. They are
imported when they are used, because the command line has to start fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scaffold.api import inspect_machine, recommend
    from scaffold.core.domain import (
        Bound,
        Estimate,
        Finding,
        Flip,
        Machine,
        Model,
        Recommendation,
        Settings,
        Source,
        Verdict,
        Workload,
    )

__all__ = [
    "Bound",
    "Estimate",
    "Finding",
    "Flip",
    "Machine",
    "Model",
    "Recommendation",
    "Settings",
    "Source",
    "Verdict",
    "Workload",
    "inspect_machine",
    "recommend",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "api" if name in ("inspect_machine", "recommend") else "core.domain"
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
