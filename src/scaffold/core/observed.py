"""What was observed of the user's function, as plain, frozen values: never mixed with estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scaffold.core.domain import Model


@dataclass(frozen=True)
class Profile:
    """What was measured of the user's function; None if it could not be, and `reasons` says why.

    `wall_seconds` is the median of a call, `mean_seconds` the mean that a makespan follows from,
    without the time lost to other programs. `cpu_fraction` is above 1 where native threads, or
    programs that the function starts, compute on several cores. `thread_gain` and `process_gain`
    are how many times as much two threads, or two processes, get done as a single thread or
    process. `in_flight_gain` is the same for `in_flight_tried` calls at once, the most that were
    tried of a function that waits, and `in_flight_per_process` tells that a second process gets as
    much done again. `errors` are the most frequent failures, with their numbers.
    `peak_memory_bytes` is that of the whole process: `import_bytes` of it came with the import, and
    `task_memory_bytes` with a call, the largest program that it starts included.
    """

    calls: int
    failures: int
    wall_seconds: float
    mean_seconds: float
    is_async: bool
    cpu_fraction: float | None
    gil_fraction: float | None
    longest_gil_hold_seconds: float | None
    item_bytes: int | None
    result_bytes: int | None
    picklable: bool | None
    picklable_function: bool
    peak_memory_bytes: int | None
    import_seconds: float
    start_method: str
    gil_enabled: bool = False  # at the end: an extension may have switched it on
    task_memory_bytes: int | None = None
    import_bytes: int | None = None
    writable: bool | None = None  # a project can write what it returns as JSON
    pickle_seconds: float | None = None
    longest_seconds: float | None = None
    spread_seconds: float | None = None
    growth: float | None = None
    longest_loop_block_seconds: float | None = None
    thread_gain: float | None = None
    process_gain: float | None = None
    items_taken: int = 0  # from the start of the sample: the rest may still be run
    in_flight_tried: int = 1
    in_flight_gain: float = 1.0
    in_flight_per_process: bool = False
    busy_fraction: float = 0.0
    first_error: str | None = None
    errors: Sequence[tuple[str, int]] = ()
    hung_item: int | None = None
    reasons: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Measurement:
    """Observed: a real run of one model. `seconds` is the makespan of the `items` that finished.

    `complete` is false when time ran out before the items did. `began` is the start by
    `perf_counter`; `values` are what the calls returned, if the caller asked for it.
    """

    model: Model
    max_workers: int
    seconds: float
    items: int
    failed: int
    complete: bool
    first_error: str | None = None
    began: float = 0.0
    values: Sequence[Any] = field(default=(), hash=False)
