"""`doctor`: what this machine has, what limits it, and what to do about it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scaffold.core.capacity import MOST_COROUTINES, SPARE_FILES
from scaffold.core.domain import Machine
from scaffold.core.errors import ConcgenError
from scaffold.core.reasons import has_sub_interpreters
from scaffold.core.units import show_count
from scaffold.measuring import calibration, machine
from scaffold.measuring.calibration import Calibration

# `git merge-tree --write-tree`, which follows renames: what switch and update merge with.
GIT_THAT_MERGES = (2, 38)
# Why no project is made with sub-interpreters, even if this Python has them.
NO_SUB_INTERPRETERS = "NumPy and pyarrow do not load in them"


@dataclass(frozen=True)
class Problem:
    """Something that holds the engines back, and what to do about it."""

    what: str
    remedy: str


@dataclass(frozen=True)
class Checkup:
    """All that doctor found."""

    machine: Machine
    affinity_cores: int
    quotas: tuple[float, ...]
    default_start_method: str
    free_threaded_build: bool
    sub_interpreters: bool
    git: str | None
    uv: str | None
    calibration: Calibration
    problems: tuple[Problem, ...]


def examine() -> Checkup:
    """Look at everything; change nothing."""
    facts = machine.inspect()
    git = _version("git")
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    return Checkup(
        machine=facts,
        affinity_cores=machine.runner.allowed_cores(),
        quotas=tuple(machine.runner.cpu_quotas()),
        default_start_method=default_start_method(),
        free_threaded_build=free_threaded,
        sub_interpreters=has_sub_interpreters(facts.python),
        git=git,
        uv=_version("uv"),
        calibration=calibration.load(facts),
        problems=tuple(_problems(facts, free_threaded, git)),
    )


def calibrate(progress: Callable[[str], None]) -> None:
    """Measure this machine's costs and keep them; raise ConcgenError when they cannot be kept."""
    from scaffold.measuring.calibrate import calibrate as measure_costs

    facts, others = machine.inspect(), machine.Others()
    costs = measure_costs(progress)
    try:
        calibration.save(costs, facts, others.share())
    except OSError as error:
        where = calibration.path(facts)
        raise ConcgenError(
            f"cannot keep the costs in {where}: {error.strerror}",
            hint="make the directory writable, and try again",
        ) from error


def default_start_method() -> str:
    """Return how the standard library starts processes unless it is told otherwise."""
    if sys.platform != "linux":
        return "spawn"
    return "forkserver" if sys.version_info >= (3, 14) else "fork"


def _problems(facts: Machine, free_threaded: bool, git: str | None) -> Iterator[Problem]:
    if facts.workers == 1:
        yield Problem(
            f"one effective core ({facts.cores:.2g}): nothing computes in parallel here",
            "raise the container's CPU quota, or this process's affinity",
        )
    wanted = MOST_COROUTINES + SPARE_FILES
    if facts.open_files is not None and facts.open_files < wanted:
        yield Problem(
            f"at most {show_count(facts.open_files)} open files: fewer than"
            f" {show_count(MOST_COROUTINES)} sockets in flight need",
            f"ulimit -n {4 * MOST_COROUTINES}",
        )
    if free_threaded and facts.gil:
        yield Problem(
            "a free-threaded Python that runs with the GIL: an import switched it on again",
            "PYTHON_GIL=0 keeps it off; update the extension that needs it",
        )
    if default_start_method() == "fork":
        yield Problem(
            "multiprocessing forks by default on this Python: with threads, a fork can deadlock",
            "in code of your own: multiprocessing.get_context('forkserver'); the engines see to it",
        )
    if git is None:
        yield Problem("no git: switch and update cannot merge your edits", "install git")
    elif _numbers(git) < GIT_THAT_MERGES:
        yield Problem(
            f"git {git} merges file by file: renames are not followed",
            "update git to 2.38 or newer",
        )


def _version(program: str) -> str | None:
    """Return the version that `program --version` prints, or None without that program."""
    executable = shutil.which(program)
    if executable is None:
        return None
    try:
        output = subprocess.run(
            [executable, "--version"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return next((word for word in output.split() if word[0].isdigit()), None)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
