"""Which worker ran when: the tasks of a run as rows of cells, for terminal and pictures. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scaffold.commands.demo import Task

NOBODY, WAITS, COMPUTES, READY = " ", ".", "#", "-"
# From ALL on, a share of computing fills a cell; up to NONE, it does not count.
ALL, NONE = 0.85, 0.02


class Lane(NamedTuple):
    """A row of tasks of one worker, none of which overlap; a worker may need several lanes."""

    worker: tuple[int, int]
    tasks: tuple[Task, ...]


def lanes(tasks: Iterable[Task]) -> list[Lane]:
    """Distribute the tasks over as few lanes as they need, a worker's lanes next to each other."""
    workers: dict[tuple[int, int], list[list[Task]]] = {}
    for task in sorted(tasks, key=lambda task: task.began):
        own = workers.setdefault(task.worker, [])
        free = next((lane for lane in own if lane[-1].ended <= task.began), None)
        if free is None:
            own.append([task])
        else:
            free.append(task)
    return [Lane(worker, tuple(lane)) for worker, own in workers.items() for lane in own]


def cells(lanes: Sequence[Lane], columns: int, seconds: float) -> list[str]:
    """Draw each lane in `columns` cells, which span `seconds` in all.

    Lanes that compute in turns get computing cells in turn: in a column as many as cores were at
    work, in a lane as many as it had of them.
    """
    width = seconds / columns
    amounts = [_amounts(lane, columns, width) for lane in lanes]
    rows = [[NOBODY] * columns for _ in lanes]
    owed = [0.0] * len(lanes)
    in_turn = 0.0
    for column in range(columns):
        turns = []
        for number, row in enumerate(rows):
            computes, waits, ready = amounts[number][column]
            busy = computes + waits + ready
            if not busy:
                continue
            row[column] = WAITS if waits >= ready else READY
            if computes >= ALL * busy:
                row[column] = COMPUTES
            elif computes > NONE * busy:
                turns.append(number)
                owed[number] += computes / width
                in_turn += computes / width
        turns.sort(key=lambda number: -owed[number])
        for number in turns[: int(in_turn + 0.5)]:
            rows[number][column] = COMPUTES
            owed[number] -= 1
            in_turn -= 1
    return ["".join(row) for row in rows]


def _amounts(lane: Lane, columns: int, width: float) -> list[tuple[float, float, float]]:
    """Return for each column the seconds computed, waited, and ready in vain."""
    computed, waited, present = ([0.0] * columns for _ in range(3))
    for task in lane.tasks:
        _spread(waited, task.began, task.ready, width)
        _spread(present, task.began, task.ended, width)
        for began, ended, on_core in task.computed:
            _spread(computed, began, ended, width, min(1.0, on_core / max(ended - began, 1e-9)))
    return [
        (on_core, waits, max(0.0, in_task - on_core - waits))
        for on_core, waits, in_task in zip(computed, waited, present, strict=True)
    ]


def _spread(
    amounts: list[float], began: float, ended: float, width: float, share: float = 1.0
) -> None:
    """Add the time between two moments to the columns that it lies in."""
    for column in range(int(began / width), min(len(amounts), int(ended / width) + 1)):
        overlap = min(ended, (column + 1) * width) - max(began, column * width)
        amounts[column] += share * max(0.0, overlap)
