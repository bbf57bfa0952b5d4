"""What the benchmarks share: targets, the command line that picks cases, the environment."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from scaffold.core.domain import Model
from scaffold.making import inventory

MODELS = tuple(map(str, inventory.available_models()))


class Target(NamedTuple):
    """A ratio of two figures, or one alone where `under` is empty, and the bound it has to keep."""

    text: str
    over: str
    under: str
    at_most: float | None = None
    at_least: float | None = None


class Named(Protocol):
    """A case: something that can be picked by its name."""

    @property
    def name(self) -> str:
        """What the command line calls it."""

    @property
    def title(self) -> str:
        """What it measures."""


Case = TypeVar("Case", bound=Named)


def report(target: Target, figures: Mapping[str, float]) -> bool:
    """Print a target and what was reached; tell whether it was met."""
    if not {target.over, target.under or target.over} <= figures.keys():
        print(f"    -    {target.text}: a competitor is missing")
        return True
    value = figures[target.over] / (figures[target.under] if target.under else 1)
    good, bound = True, ""
    if target.at_most is not None:
        good, bound = value <= target.at_most, f"  (at most {target.at_most:g})"
    if target.at_least is not None:
        good, bound = good and value >= target.at_least, f"{bound}  (at least {target.at_least:g})"
    print(f"    {'ok  ' if good else 'MISS'} {value:6.3f} {target.text}{bound}")
    return good


def pick(page: str | None, cases: Sequence[Case], rounds: int) -> tuple[list[Case], int]:
    """Read the command line: cases by name, or all, and how many rounds; or list them and leave."""
    parser = argparse.ArgumentParser(description=(page or "").partition("\n")[0])
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("-r", "--rounds", type=int, default=rounds)
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    if args.list:
        for case in cases:
            print(f"{case.name:14} {case.title}")
        sys.exit()
    known = {case.name for case in cases}
    if unknown := set(args.cases) - known:
        parser.error(f"no case {', '.join(sorted(unknown))}: there are {', '.join(sorted(known))}")
    return [case for case in cases if not args.cases or case.name in args.cases], args.rounds


def read_count(page: str | None, name: str, default: int) -> int:
    """Read the command line of a benchmark that takes one number, or none."""
    parser = argparse.ArgumentParser(description=(page or "").partition("\n")[0])
    parser.add_argument(name, nargs="?", type=int, default=default, help="default: %(default)s")
    return int(vars(parser.parse_args())[name])


def run_cases(cases: Sequence[Case], run: Callable[[Case], bool]) -> None:
    """Run them; print how many met their targets."""
    met = [run(case) for case in cases]
    print(f"\n{sum(met)} of {len(met)} cases meet their targets")


def assemble(model: str, root: Path, work: str, items: str = "", package: str = "pkg") -> None:
    """Write ROOT/PACKAGE as a project has it, with `work` as the text of work.py, and the items."""
    inventory.assemble(root / package, Model(model), inventory.BARE | {"work.py": work})
    (root / "items.jsonl").write_text(items)


def start(root: Path, *arguments: str) -> subprocess.Popen[str]:
    """`python -m pkg ARGUMENTS` in a project that was assembled there."""
    return subprocess.Popen(
        [sys.executable, "-m", "pkg", *arguments],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def as_installed() -> None:
    """See to it that modules are compiled once, as an installation's are, whatever the shell says.

    Otherwise ours would be compiled at every start, and the peers' would not.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
