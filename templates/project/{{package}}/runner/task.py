"""What every engine shares: task, outcome, retry, the stop signal, and errors."""

from __future__ import annotations

from collections.abc import Generator
from contextvars import ContextVar
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from .failures import Failure

Item = TypeVar("Item")  # whatever the input holds
Value = TypeVar("Value")  # what work() returns
Numbered = tuple[int, Any]  # position in the input, item
Task = tuple[int, Any, int]  # position in the input, item, number of this attempt (from 1)

CURRENT: ContextVar[int | None] = ContextVar("position", default=None)  # of the item that runs here

PACKAGE = __name__.rsplit(".", 2)[0]  # of the project: this is PACKAGE.runner.task

GRACE = 5.0  # seconds that running tasks get to finish after the first Ctrl-C or SIGTERM
TICK = 0.1  # seconds between two looks at the stop signal, at timeouts and at due retries
IDLE = 0.005  # the same while the input has nothing yet: a pipe is not kept waiting
UNGUARDED = 79  # exit code of a worker that reached run() while it imported the user's script
END = object()  # of the input
TEARDOWN = 30.0  # seconds for what follows the yield in setup(): a commit takes its time


class Overloaded(Exception):
    """Raise it in work(): the other end has too much to do. The task runs again, a little later."""


class RetryAfter(Overloaded):
    """Raise it in work(): the other end asks to come back after so many seconds.

    The task frees its slot and runs again then; until then the run begins no other task.
    """

    def __init__(self, seconds: float, reason: str = "") -> None:
        super().__init__(seconds, reason)
        self.retry_after = seconds

    def __str__(self) -> str:
        seconds, reason = self.args
        return f"{reason or 'the other end asks to wait'} (retry after {seconds:g} s)"


class StopRun(Exception):
    """Raise it in work(): no further task may begin, as when a budget is spent.

    Running tasks finish. This item and those that did not begin are left for the next run.
    """


class TaskFailed(Exception):
    """A task has no value, and no exception of work() says why: its worker died."""


class Outcome(NamedTuple, Generic[Item, Value]):
    """What became of one item."""

    id: int  # position of the item in the input, from 0
    item: Item
    value: Value  # what work() returned; None when there is an error
    failure: Failure | None  # None when all is well
    seconds: float  # time spent in work(), last attempt only
    attempts: int  # 1 unless it was retried

    @property
    def error(self) -> str | None:
        """What went wrong, in one line."""
        return self.failure and self.failure.error

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return self.error is None

    def result(self) -> Value:
        """The value; or raise what work() raised, TimeoutError, or TaskFailed."""
        if self.failure is None:
            return self.value
        error = self.failure.error
        kind = TimeoutError if self.failure.timeout else TaskFailed
        raise getattr(error, "exception", None) or kind(str(error))


Burst = list[Outcome[Any, Any]]  # outcomes that are handed over together
Bursts = Generator[Burst, None, None]  # what the run() of an engine returns


def quick_outcome(
    index: int, item: Any, value: Any, seconds: float, attempts: int
) -> Outcome[Any, Any]:
    """A good outcome, in half the time that Outcome(...) takes: for tasks of microseconds."""
    return tuple.__new__(Outcome, (index, item, value, None, seconds, attempts))


class Retry(NamedTuple):
    """How often a failed task runs again, after exponential backoff with full jitter."""

    times: int = 0
    base: float = 0.5  # seconds: upper end of the first pause, doubled each time
    cap: float = 30.0  # seconds: no pause is longer
    refusals: int = 30  # how often a task runs again after the other end refused it
    inner: bool = False  # an engine around this one decides when the run ends

    def allowed(self, attempt: int, failure: Failure) -> bool:
        """Is there another attempt after this one?"""
        times = max(self.times, self.refusals) if failure.again else self.times
        return attempt <= times and not failure.final

    def pause(self, attempt: int) -> float:
        """Seconds to wait after the given failed attempt (from 1)."""
        import random  # few runs need it

        return random.uniform(0.0, min(self.cap, self.base * 2.0 ** min(attempt - 1, 64)))  # noqa: S311  # no secret


NO_RETRY = Retry()


class Stop(Protocol):
    """A stop signal, asked at least every TICK seconds, such as an Event. It may have a `grace`."""

    def is_set(self) -> bool:
        """Is it time to finish what runs and to begin nothing new?"""


class EngineError(Exception):
    """The run cannot go on: setup() failed, workers die as soon as they start, ..."""


class Unavailable(EngineError):
    """The system has no thread, process, memory or file for one more worker."""


class Interrupted(KeyboardInterrupt):
    """The second Ctrl-C or SIGTERM: work() may raise a KeyboardInterrupt of its own."""


def is_interrupt(exc: BaseException) -> bool:
    """Whether it ends the run: a Ctrl-C, and not a KeyboardInterrupt of work()'s own."""
    if isinstance(exc, Interrupted):
        return True
    import signal  # 2 ms, which few runs need

    plain = isinstance(exc, KeyboardInterrupt) and current_thread() is main_thread()
    return plain and signal.getsignal(signal.SIGINT) is signal.default_int_handler
