"""What would flip the advice, or help: the nearest change of one answer that matters."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from scaffold.core.deadline import MOST_CORES
from scaffold.core.domain import Bound, Estimate, Flip, Machine, Workload
from scaffold.core.reasons import RELEASES_GIL
from scaffold.core.units import (
    MAX_BYTES,
    MAX_COUNT,
    MAX_SECONDS,
    show_bytes,
    show_count,
    show_rate,
    show_seconds,
)

# Chooses the estimate for a workload on a machine.
Chooser = Callable[[Workload, Machine], Estimate]

# Numbers are searched in doublings up to this factor away, then bisected until the step is 5 %:
# a flip farther away is no news, and a finer step cannot be known.
FARTHEST = 2**7
FINEST = 1.05
# A change that keeps the model is worth telling if the new time is at most this share of the old.
WORTHWHILE = 0.5
# A payload of this many bytes names the data (a path, a key) instead of holding it.
A_PATH = 1000


class Lever(NamedTuple):
    """One number that could change: its limits, what a change leads to, and its words.

    `directions` are the factors to search by. With `helps`, a change that keeps the model but
    halves the time counts too; more tasks, or longer tasks, do not help.
    """

    field: str
    start: float
    least: float
    most: float
    directions: tuple[float, ...]
    change: Callable[[float], tuple[Workload, Machine]]
    say: Callable[[float], str]
    helps: bool = True


def find_flips(workload: Workload, machine: Machine, choose: Chooser) -> tuple[Flip, ...]:
    """Return the flips: those of numbers, nearest first, then those of the other answers."""
    now = choose(workload, machine)
    numbers = sorted(_number_flips(workload, machine, now, choose), key=lambda pair: pair[0])

    def chosen(changed: Workload) -> Estimate:
        return choose(changed, machine)

    near = [flip for _, flip in numbers]
    return (*near, *_path_flip(workload, now, chosen), *_choice_flips(workload, now, chosen))


def _levers(work: Workload, machine: Machine) -> Iterator[Lever]:
    """Yield the numbers for which other values are tried."""

    def working(field: str, kind: Callable[[float], float]) -> Callable[[float], Any]:
        return lambda value: (replace(work, **_field(field, kind(value))), machine)

    yield Lever(
        "tasks", work.tasks, 1.0, MAX_COUNT, (0.5, 2.0), working("tasks", round), _round_count,
        helps=False,
    )  # fmt: skip
    yield Lever(
        "task_seconds", work.task_seconds, 1e-7, MAX_SECONDS, (0.5, 2.0),
        working("task_seconds", float), lambda value: f"{show_seconds(value)} a task", helps=False,
    )  # fmt: skip
    if work.task_memory_bytes and machine.memory_left_bytes is not None:
        yield Lever(
            "task_memory_bytes", work.task_memory_bytes, 1e6, MAX_BYTES, (0.5,),
            working("task_memory_bytes", int),
            lambda value: f"{show_bytes(value)} of memory a task in place of"
            f" {show_bytes(work.task_memory_bytes)}",
        )  # fmt: skip
    if work.rate_per_second is not None:
        yield Lever(
            "rate_per_second", work.rate_per_second, 1e-6, MAX_COUNT, (2.0,),
            working("rate_per_second", float),
            lambda value: f"a rate of {show_rate(float(f'{value:.2g}'))}",
        )  # fmt: skip
    if work.max_in_flight is not None:
        yield Lever(
            "max_in_flight", work.max_in_flight, 1, MAX_COUNT, (2.0,),
            working("max_in_flight", math.ceil),
            lambda value: f"{show_count(math.ceil(value))} in flight allowed",
        )  # fmt: skip
    if work.cpu_seconds:
        yield Lever(
            "cores", machine.cores, 1, MOST_CORES, (2.0,),
            lambda value: (work, machine._replace(cores=float(math.ceil(value)))),
            lambda value: f"{show_count(math.ceil(value))} cores",
        )  # fmt: skip


def _field(name: str, value: float) -> dict[str, Any]:
    return {name: value}


def _number_flips(
    workload: Workload, machine: Machine, now: Estimate, choose: Chooser
) -> Iterator[tuple[float, Flip]]:
    """Yield (factor of the change, flip) for every number of which a change matters."""
    for lever in _levers(workload, machine):
        for direction in lever.directions:

            def matters(value: float, lever: Lever = lever) -> bool:
                other = choose(*lever.change(value))
                faster = lever.helps and other.seconds <= WORTHWHILE * now.seconds
                return faster or (other.model is not now.model and _is_no_loss(lever, other, now))

            value = _search(lever.start, direction, lever.least, lever.most, matters)
            if value is None or (lever.field == "tasks" and value < 2):
                continue  # "one task: sequential" is no news
            other = choose(*lever.change(value))
            factor = value / lever.start if direction > 1 else lever.start / value
            yield factor, Flip(lever.field, value, other.model, _words(lever, value, other))


def _is_no_loss(lever: Lever, other: Estimate, now: Estimate) -> bool:
    """Tell whether the change slows nothing down; a change of the work itself always passes."""
    return not lever.helps or other.seconds <= now.seconds


def _words(lever: Lever, value: float, other: Estimate) -> str:
    if lever.helps:
        return f"{lever.say(value)}: {other.model}, {show_seconds(other.seconds)}"
    word = "above" if value > lever.start else "below"
    return f"{word} {lever.say(value)}: {other.model}"


def _search(
    start: float, direction: float, least: float, most: float, flips: Callable[[float], bool]
) -> float | None:
    """Return the nearest value that flips, going by doublings or halvings; None if none does."""
    if not least <= start <= most:
        return None
    stays, value = start, start
    while 1 / FARTHEST <= value / start <= FARTHEST:
        value = min(max(value * direction, least), most)
        if flips(value):
            return _bisect(stays, value, flips)
        if value in (least, most):
            return None
        stays = value
    return None


def _bisect(stays: float, flipped: float, flips: Callable[[float], bool]) -> float:
    while max(stays, flipped) / min(stays, flipped) > FINEST:
        middle = (stays * flipped) ** 0.5
        if flips(middle):
            flipped = middle
        else:
            stays = middle
    return flipped


def _round_count(value: float) -> str:
    """Two significant figures are all that is known: `2,300 tasks`."""
    count = int(float(f"{value:.2g}")) if value >= 10 else round(value)
    return f"{show_count(count)} task{'' if count == 1 else 's'}"


def _path_flip(
    work: Workload, now: Estimate, choose: Callable[[Workload], Estimate]
) -> Iterator[Flip]:
    """Yield what carrying a path or a key in place of the data itself would change."""
    if work.payload_bytes <= A_PATH:
        return
    other = choose(replace(work, payload_bytes=A_PATH))
    faster = other.seconds <= WORTHWHILE * now.seconds
    if faster or (other.model is not now.model and other.seconds <= now.seconds):
        size, seconds = show_bytes(work.payload_bytes), show_seconds(other.seconds)
        text = f"carry a path or a key in place of {size}: {other.model}, {seconds}"
        yield Flip("payload_bytes", A_PATH, other.model, text)


def _choice_flips(
    workload: Workload, now: Estimate, choose: Callable[[Workload], Estimate]
) -> Iterator[Flip]:
    """Yield the flips of the answers that are a choice: the client, the GIL, the limit."""
    has_client, releases = workload.async_client, workload.gil_fraction <= RELEASES_GIL
    changes: list[tuple[str, str, Workload, str]] = [
        (
            "async_client",
            "no" if has_client else "yes",
            replace(workload, async_client=not has_client),
            "without an async client" if has_client else "with an async client",
        ),
        (
            "gil_fraction",
            "holds" if releases else "releases",
            replace(workload, gil_fraction=1.0 if releases else 0.0),
            "if it holds the GIL" if releases else "if it releases the GIL",
        ),
    ]
    if workload.bound is not Bound.MIXED:
        other_bound = Bound.CPU if workload.bound is Bound.IO else Bound.IO
        fraction = 1.0 if other_bound is Bound.CPU else 0.0
        changes.append(
            (
                "bound",
                other_bound,
                replace(workload, bound=other_bound, cpu_fraction=fraction),
                f"if it {'computes' if other_bound is Bound.CPU else 'waits'} instead",
            )
        )
    if workload.deadline_seconds is not None:
        unhurried = replace(workload, deadline_seconds=None)
        changes.append(("deadline_seconds", "none", unhurried, "without the deadline"))
    for field, value, changed, words in changes:
        if (model := choose(changed).model) is not now.model:
            yield Flip(field, value, model, f"{words}: {model}")
