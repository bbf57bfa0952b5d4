"""The words of concurrency as plain, frozen values.

Nothing here reads a file, prints or decides: rules, costs and commands do, and all of them speak
in these terms. Times are in seconds, sizes in bytes, fractions from 0 to 1.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Model(StrEnum):
    """A way to run many tasks. The members are in order of simplicity, simplest first."""

    SEQUENTIAL = "sequential"
    THREADING = "threading"
    ASYNCIO = "asyncio"
    MULTIPROCESSING = "multiprocessing"
    HYBRID = "hybrid"
    DASK = "dask"


SIMPLEST_FIRST: tuple[Model, ...] = tuple(Model)


class Bound(StrEnum):
    """What limits a task: waiting, computing, or both in turn."""

    IO = "io"
    CPU = "cpu"
    MIXED = "mixed"


# The share of its time that a task computes, if it was not measured; MIXED means half of it.
CPU_FRACTION = {Bound.IO: 0.0, Bound.CPU: 1.0, Bound.MIXED: 0.5}
_BY_BOUND = float("nan")  # stands for the share until `bound` is known


class Source(StrEnum):
    """Where a value of the workload came from."""

    ASKED = "asked"
    MEASURED = "measured"
    DEFAULT = "default"


class Verdict(StrEnum):
    """What a rule says about a model; `forbid` takes it off the list, the others advise."""

    FORBID = "forbid"
    AVOID = "avoid"
    PREFER = "prefer"


@dataclass(frozen=True)
class Workload:
    """What the user says about the work, or what was measured of it.

    `tasks` is the number of tasks, `task_seconds` how long a task takes alone. `cpu_fraction` is
    the share of that time spent computing (above 1 when native threads use several cores; by
    default what `bound` says), `gil_fraction` the share of the computing that holds the GIL.
    `max_in_flight` is a limit from outside (a server's, a licence's), or None: then the project
    finds the limit, unless `sources` tells that the user said there is none. `rate_per_second` is
    how many tasks the other end allows to begin in a second, or None. `payload_bytes` is what one
    task takes in and gives back together, `task_memory_bytes` the peak that one running task needs
    beside that (0: not known), `import_seconds` and `import_bytes` what importing the function
    takes in a worker, `longest_seconds` what the longest task takes (0: not known). `thread_gain`
    and `process_gain` are how many times as much two threads, or two processes with a core each,
    get done as a single thread or process (None: not measured, so it follows from the fractions).
    `in_flight_tried` is the most tasks that were in flight in the measurement, `in_flight_gain` how
    many times as much they got done as one task at a time, and `in_flight_per_process` tells that
    each process gets this much done, not all processes together. `pilots` has for each model that
    was tried how many times as long as predicted a task took in a short run of its engine.
    `deadline_seconds` is how long all tasks together may take, or None. `sources` names where each
    field came from; a field that is not in it is a default.
    """

    bound: Bound = Bound.IO
    tasks: int = 1000
    task_seconds: float = 0.2
    cpu_fraction: float = _BY_BOUND
    gil_fraction: float = 1.0
    async_client: bool = True
    max_in_flight: int | None = None
    rate_per_second: float | None = None
    payload_bytes: int = 1000
    task_memory_bytes: int = 0
    import_seconds: float = 0.0
    import_bytes: int = 0
    longest_seconds: float = 0.0
    thread_gain: float | None = None
    process_gain: float | None = None
    in_flight_tried: int = 1
    in_flight_gain: float = 1.0
    in_flight_per_process: bool = False
    pilots: Mapping[str, float] = field(default_factory=dict, hash=False)
    deadline_seconds: float | None = None
    sources: Mapping[str, Source] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Complete the fields that follow from others; raise ValueError for an impossible value."""
        object.__setattr__(self, "bound", Bound(self.bound))  # a plain "cpu" is accepted
        if self.cpu_fraction is _BY_BOUND:
            object.__setattr__(self, "cpu_fraction", CPU_FRACTION[self.bound])
        if self.tasks < 1:
            raise ValueError(f"tasks must be 1 or more, not {self.tasks}")
        if not 0 <= self.task_seconds < float("inf"):
            raise ValueError(f"task_seconds must be finite and 0 or more, not {self.task_seconds}")
        if not 0 <= self.cpu_fraction < float("inf"):
            raise ValueError(f"cpu_fraction must be finite and 0 or more, not {self.cpu_fraction}")
        if not 0 <= self.gil_fraction <= 1:
            raise ValueError(f"gil_fraction must be from 0 to 1, not {self.gil_fraction}")
        if self.max_in_flight is not None and self.max_in_flight < 1:
            raise ValueError(f"max_in_flight must be 1 or more, not {self.max_in_flight}")
        if self.deadline_seconds is not None and not 0 < self.deadline_seconds < float("inf"):
            raise ValueError(f"deadline_seconds must be above 0, not {self.deadline_seconds}")
        if self.rate_per_second is not None and not 0 < self.rate_per_second < float("inf"):
            raise ValueError(f"rate_per_second must be above 0, not {self.rate_per_second}")
        for name in ("payload_bytes", "task_memory_bytes", "import_bytes"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, not {getattr(self, name)}")
        self._check_gains()

    def _check_gains(self) -> None:
        for name in ("thread_gain", "process_gain"):
            gain = getattr(self, name)
            if gain is not None and not 0 < gain < float("inf"):
                raise ValueError(f"{name} must be above 0, not {gain}")
        if not 1 <= self.in_flight_gain <= self.in_flight_tried:
            raise ValueError(
                f"in_flight_gain must be from 1 to {self.in_flight_tried}, not"
                f" {self.in_flight_gain}"
            )

    @property
    def wait_seconds(self) -> float:
        """Seconds of one task spent waiting."""
        return self.task_seconds * max(0.0, 1 - self.cpu_fraction)

    @property
    def cpu_seconds(self) -> float:
        """Seconds of one task spent computing, of all cores together."""
        return self.task_seconds * self.cpu_fraction

    @property
    def gil_seconds(self) -> float:
        """Seconds of one task spent computing with the GIL held: by one thread at a time."""
        return min(self.task_seconds, self.cpu_seconds * self.gil_fraction)

    @property
    def seconds_at_rate(self) -> float:
        """Seconds until the last task ends if only the rate limits them; 0 without a rate."""
        if self.rate_per_second is None:
            return 0.0
        return (self.tasks - 1) / self.rate_per_second + self.task_seconds

    @property
    def is_saturated(self) -> bool:
        """Tell whether the work done, as measured, grew less than the number in flight."""
        return self.in_flight_gain < self.in_flight_tried

    def is_untried(self, workers: int) -> bool:
        """Tell whether the measurement met no limit, but had fewer than `workers` in flight."""
        return not self.is_saturated and 1 < self.in_flight_tried < workers

    def seconds_saturated(self, processes: int) -> float:
        """Seconds until the last task ends at the measured limit; 0 if no limit was met."""
        if not self.is_saturated:
            return 0.0
        places = self.in_flight_gain * (processes if self.in_flight_per_process else 1)
        return self.total_seconds / places

    @property
    def in_flight_at_rate(self) -> int:
        """Tasks in flight that reach the rate: rate times latency, by Little's law."""
        if self.rate_per_second is None:
            return self.tasks
        # Rounded before `ceil`: 0.1 a second times 10 s is one task in flight, not two.
        return max(1, math.ceil(round(self.rate_per_second * self.task_seconds, 6)))

    @property
    def limit_is_known(self) -> bool:
        """Tell whether an answer limits the tasks in flight, or says that nothing does."""
        is_answered = self.source("max_in_flight") is not Source.DEFAULT
        return self.max_in_flight is not None or self.rate_per_second is not None or is_answered

    @property
    def total_seconds(self) -> float:
        """Seconds of all the tasks, one after another."""
        return self.tasks * self.task_seconds

    def source(self, name: str) -> Source:
        """Say where the field `name` came from."""
        return self.sources.get(name, Source.DEFAULT)


class Machine(NamedTuple):
    """What this process may really use.

    `cores` counts what affinity and the cgroup quota leave (a quota of 1.5 cores is 1.5), `gil`
    says whether the interpreter has it on, `start_method` how the engines start processes here,
    `open_files` is the soft limit. `memory_bytes` is the machine's, or its cgroup's limit;
    `memory_left_bytes` the part of it that is free. None stands for what the platform does
    not tell.
    """

    cores: float
    memory_bytes: int | None
    python: str
    gil: bool
    start_method: str
    open_files: int | None
    platform: str
    memory_left_bytes: int | None = None

    @property
    def workers(self) -> int:
        """How many processes can compute at once: a fraction of a core counts as a core."""
        return max(1, math.ceil(self.cores))


class Finding(NamedTuple):
    """What one rule says about one model for this workload, in words."""

    rule: str
    article: str
    model: Model
    verdict: Verdict
    reason: str


class Estimate(NamedTuple):
    """Predicted: the makespan in seconds with a low and a high, and the peak memory in bytes."""

    model: Model
    max_workers: int
    seconds: float
    low: float
    high: float
    speedup: float
    peak_memory_bytes: int


class Flip(NamedTuple):
    """The nearest change of one answer that changes the model, or at least halves the time."""

    field: str
    value: float | str
    model: Model
    text: str


class Settings(NamedTuple):
    """What the chosen model is to run with. `max_workers` is the tasks in flight at once.

    With `auto` it is their upper bound: the run begins with a few, and finds what the other end can
    take.
    """

    max_workers: int
    auto: bool = False


class Recommendation(NamedTuple):
    """The choice and everything that led to it. `estimates` is ranked, fastest first.

    `cores_needed` is how many cores meet a deadline that this machine misses, None otherwise.
    `binding` is what limits the time, in words: "the rate", "memory", "waiting", ...
    `rivals` are the models that may be faster by enough to matter; `bench` is the command that
    benchmarks them.
    """

    workload: Workload
    machine: Machine
    model: Model
    settings: Settings
    headline: str
    findings: tuple[Finding, ...]
    estimates: tuple[Estimate, ...]
    flips: tuple[Flip, ...]
    notes: tuple[str, ...] = ()
    cores_needed: int | None = None
    binding: str = ""
    rivals: tuple[Model, ...] = ()
    bench: str = ""

    def told(self, bench: str = "") -> tuple[str, ...]:
        """Return the notes, preceded by the advice to bench the rivals, if there are any."""
        if not self.rivals:
            return self.notes
        doubt = f"{' or '.join(self.rivals)} may be faster: bench it with `{bench or self.bench}`"
        return (doubt, *self.notes)

    def estimate(self, model: Model) -> Estimate | None:
        """Return the estimate of `model`, or None when it was not offered."""
        return next((estimate for estimate in self.estimates if estimate.model is model), None)

    def standing(self, model: Model) -> str:
        """Say in a word how `model` fared: recommended, ruled out, avoided, or nothing."""
        if model is self.model:
            return "recommended"
        verdicts = {finding.verdict for finding in self.findings if finding.model is model}
        if Verdict.FORBID in verdicts:
            return "ruled out"
        return "avoided" if Verdict.AVOID in verdicts else ""
