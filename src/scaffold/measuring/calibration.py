"""Keep the measured costs in the user's cache directory, one file per interpreter and machine."""

import os
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from scaffold.core.costs import DEFAULT_COSTS, Costs, Start
from scaffold.core.domain import Machine

# Grows when a cost changes its meaning: older files are then ignored.
SCHEMA = 2
# The share of the machine that other programs may use while it is calibrated, and the days after
# which costs are stale: half a year of updates of kernel, firmware and Python.
BUSY, STALE = 0.1, 180


class Calibration(NamedTuple):
    """Costs, the day they were measured (None for the defaults), and how busy it was then.

    `busy` is the share of the machine that other programs used meanwhile, None if not known.
    """

    costs: Costs
    day: str | None
    busy: float | None = None

    @property
    def is_busy(self) -> bool:
        """Tell whether other programs used so much of the machine that the costs say little."""
        return self.busy is not None and self.busy > BUSY

    @property
    def note(self) -> str:
        """Say where the costs come from, and what is wrong with them."""
        if self.day is None:
            return "with typical costs: `concgen doctor --calibrate` measures this machine's"
        origin = f"with this machine's costs, measured on {self.day}"
        if self.is_busy:
            return f"{origin} while it was busy: `concgen doctor --calibrate` when it is not"
        age = (date.today() - date.fromisoformat(self.day)).days  # a day more or less is no matter
        if age > STALE:
            return f"{origin}, {age} days ago: `concgen doctor --calibrate` measures them anew"
        return origin


DEFAULT = Calibration(DEFAULT_COSTS, None)


def load(machine: Machine) -> Calibration:
    """Return what was measured for this interpreter and machine, or the defaults."""
    try:
        text = path(machine).read_text(encoding="utf-8")
        stored = _parsed(text)
        costs = dict(stored["costs"])
        costs["starts"] = {name: Start(*start) for name, start in costs["starts"].items()}
        if stored["schema"] != SCHEMA:
            return DEFAULT
        day = date.fromisoformat(stored["day"]).isoformat()
        return Calibration(_sane(Costs(**costs)), day, stored.get("busy"))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return DEFAULT  # no file, or a damaged file: measuring again mends it


def save(costs: Costs, machine: Machine, busy: float | None = None) -> Path:
    """Store `costs`, and how `busy` the machine was, whole or not at all; return where.

    Raises OSError when the file cannot be written.
    """
    target = path(machine)
    target.parent.mkdir(parents=True, exist_ok=True)
    day = time.strftime("%Y-%m-%d")
    import json

    figures = {**costs._asdict(), "starts": dict(costs.starts)}
    text = json.dumps({"schema": SCHEMA, "day": day, "busy": busy, "costs": figures}, indent=2)
    scratch = target.with_suffix(f".{os.getpid()}")
    scratch.write_text(text + "\n", encoding="utf-8")
    scratch.replace(target)
    return target


def _parsed(text: str) -> dict[str, Any]:
    import json  # takes 2 ms, and only a calibration needs it

    stored: dict[str, Any] = json.loads(text)
    return stored


def path(machine: Machine) -> Path:
    """Return the file for this interpreter and machine; it need not exist."""
    from platformdirs import user_cache_dir

    facts = (sys.version, machine.gil, machine.cores, *_system())
    key = crc32(repr(facts).encode())
    return Path(user_cache_dir("concgen", appauthor=False)) / f"costs-{key:08x}.json"


def _system() -> tuple[str, ...]:
    """Return what tells this machine from another that shares the home directory."""
    if hasattr(os, "uname"):
        return os.uname().nodename, os.uname().machine
    import platform  # Windows; slower to import

    return platform.node(), platform.machine()


def _sane(costs: Costs) -> Costs:
    """Raise ValueError unless every figure is a positive number: a file can be edited."""
    figures: list[Any] = [value for name, value in costs._asdict().items() if name != "starts"]
    figures += [value for start in costs.starts.values() for value in start]
    if not all(isinstance(value, int | float) and 0 < value < float("inf") for value in figures):
        raise ValueError("a cost is not a positive number")
    return costs
