"""What the user reads of a checkup: the facts of the machine, and each problem with its remedy."""

from __future__ import annotations

from scaffold.commands.doctor import NO_SUB_INTERPRETERS, Checkup
from scaffold.core.capacity import MOST_COROUTINES
from scaffold.core.reasons import MANY_THREADS, SUB_INTERPRETERS_SINCE
from scaffold.core.units import show_bytes, show_count, show_seconds
from scaffold.measuring.calibration import Calibration
from scaffold.terminal import layout


def doctor(checkup: Checkup, width: int) -> list[str]:
    """Return the facts, one a line, and each problem with its remedy."""
    lines = layout.facts(_facts(checkup), width)
    for problem in checkup.problems:
        lines += ["", *layout.wrap(f"! {problem.what}", width, further="  ")]
        lines += layout.wrap(problem.remedy, width, "  ", "  ")
    return lines if checkup.problems else [*lines, "", "Nothing here limits the engines."]


def _facts(checkup: Checkup) -> list[tuple[str, str]]:
    facts = checkup.machine
    quota = f"{min(checkup.quotas):.3g}" if checkup.quotas else "none"
    memory = "unknown" if facts.memory_bytes is None else show_bytes(facts.memory_bytes)
    if facts.memory_left_bytes is not None:
        memory += f", of which {show_bytes(facts.memory_left_bytes)} are left"
    files = "no limit" if facts.open_files is None else show_count(facts.open_files)
    build = ", free-threaded build" if checkup.free_threaded_build else ""
    return [
        ("cores", f"{facts.cores:.3g} (affinity {checkup.affinity_cores}, cgroup quota {quota})"),
        ("memory", memory),
        ("Python", f"{facts.python}, GIL {'on' if facts.gil else 'off'}{build}"),
        (
            "start method",
            f"{checkup.default_start_method} by default, {facts.start_method} in engines",
        ),
        ("sub-interpreters", _sub_interpreters(checkup)),
        ("open files", f"{files} (threads use up to {MANY_THREADS}, asyncio {MOST_COROUTINES:,})"),
        ("git", checkup.git or "not found"),
        ("uv", checkup.uv or "not found"),
        ("costs", _costs(checkup.calibration)),
    ]


def _sub_interpreters(checkup: Checkup) -> str:
    if not checkup.sub_interpreters:
        return f"none before Python {'.'.join(map(str, SUB_INTERPRETERS_SINCE))}"
    return f"there, for pure Python that computes; no model yet: {NO_SUB_INTERPRETERS}"


def _costs(kept: Calibration) -> str:
    if kept.day is None:
        return "typical ones: `concgen doctor --calibrate` measures this machine's"
    costs = kept.costs
    busy = f" (other programs used {kept.busy:.0%} of the machine)" if kept.is_busy else ""
    starts = ", ".join(
        f"{name} {show_seconds(start.process)}" for name, start in costs.starts.items()
    )
    return (
        f"measured on {kept.day}{busy}:"
        f" thread {show_seconds(costs.thread_start)}, process {starts};"
        f" per task {show_seconds(costs.thread_hand_over)} in threads,"
        f" {show_seconds(costs.loop_hand_over)} on a loop,"
        f" {show_seconds(costs.process_hand_over)} in processes;"
        f" pickling {show_bytes(costs.pickle_rate)}/s"
    )
