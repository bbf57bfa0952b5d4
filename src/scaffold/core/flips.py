"""What would flip the advice: the nearest change of one answer that changes the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from scaffold.core.domain import Bound, Flip, Model, Workload
from scaffold.core.reasons import RELEASES_GIL
from scaffold.core.units import MAX_COUNT, MAX_SECONDS, show_count, show_seconds

ModelFor = Callable[[Workload], Model]

# Numbers are searched in doublings up to this factor away, then bisected until the step is 5 %:
# a farther flip is no news, a finer one not knowable.
FARTHEST = 2**7
FINEST = 1.05


def find_flips(workload: Workload, model_for: ModelFor) -> tuple[Flip, ...]:
    """Return the flips of each answer, nearest first for numbers, then the other answers."""
    now = model_for(workload)
    numbers = sorted(_number_flips(workload, now, model_for), key=lambda pair: pair[0])
    return (*(flip for _, flip in numbers), *_choice_flips(workload, now, model_for))


def _number_flips(
    workload: Workload, now: Model, model_for: ModelFor
) -> Iterator[tuple[float, Flip]]:
    """Yield (factor of the change, flip) for the number of tasks and the time of one."""

    def with_tasks(value: float) -> Workload:
        return replace(workload, tasks=round(value))

    def with_seconds(value: float) -> Workload:
        return replace(workload, task_seconds=value)

    for field, start, least, most, change in (
        ("tasks", float(workload.tasks), 1.0, float(MAX_COUNT), with_tasks),
        ("task_seconds", workload.task_seconds, 1e-7, MAX_SECONDS, with_seconds),
    ):
        for direction in (0.5, 2.0):

            def flips(value: float, change: Callable[[float], Workload] = change) -> bool:
                return model_for(change(value)) is not now

            value = _search(start, direction, least, most, flips)
            if value is None or (field == "tasks" and value < 2):
                continue  # "one task: sequential" is no news
            model = model_for(change(value))
            word = "above" if direction > 1 else "below"
            shown = _round_count(value) if field == "tasks" else f"{show_seconds(value)} a task"
            factor = value / start if direction > 1 else start / value
            yield factor, Flip(field, value, model, f"{word} {shown}: {model}")


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


def _choice_flips(workload: Workload, now: Model, model_for: ModelFor) -> Iterator[Flip]:
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
        other = Bound.CPU if workload.bound is Bound.IO else Bound.IO
        fraction = 1.0 if other is Bound.CPU else 0.0
        changes.append(
            (
                "bound",
                other,
                replace(workload, bound=other, cpu_fraction=fraction),
                f"if it {'computes' if other is Bound.CPU else 'waits'} instead",
            )
        )
    if workload.deadline_seconds is not None:
        unhurried = replace(workload, deadline_seconds=None)
        changes.append(("deadline_seconds", "none", unhurried, "without the deadline"))
    for field, value, changed, words in changes:
        if (model := model_for(changed)) is not now:
            yield Flip(field, value, model, f"{words}: {model}")
