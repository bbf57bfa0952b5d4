"""The words that every engine shares: task, outcome, retry, and what is still to run."""

from __future__ import annotations

import contextlib
import heapq
import math
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Iterable
from itertools import chain, islice
from threading import current_thread, main_thread
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from .pacing import Pacer

Item = TypeVar("Item")  # whatever the input holds
Value = TypeVar("Value")  # what work() returns
Numbered = tuple[int, Any]  # position in the input, item
Task = tuple[int, Any, int]  # position in the input, item, number of this attempt (from 1)

PACKAGE = __name__.rsplit(".", 2)[0]  # of the project: this is PACKAGE.runner.task

GRACE = 5.0  # seconds that running tasks get to finish after the first Ctrl-C or SIGTERM
TICK = 0.1  # seconds between two looks at the stop signal, at timeouts and at due retries
UNGUARDED = 79  # exit code of a worker that came to run() in the script that it has to import
END = object()  # of the input
LARGEST_EXCEPTION = 1 << 16  # bytes of a pickled one; what work() raised may hold a whole page
TEARDOWN = 30.0  # seconds for what follows the yield in setup(): a commit takes its time
MEMBERS = 3  # of an exception group that its error names
LONGEST_ERROR = 10_000  # characters of an error that are kept
IDLE = 0.005  # the same while the input has nothing yet: a pipe is not kept waiting
RAMPING = 0.002  # the same while the limit that adapts grows
REFUSALS = frozenset({429, 503})  # HTTP's ways to say that the server has too much to do


class Overloaded(Exception):
    """Raise it in work(): the other end has too much to do. The task runs again, a little later."""


class RetryAfter(Overloaded):
    """Raise it in work(): the other end asks to come back after so many seconds.

    The task gives its place back and runs again then; until then the run begins no other task.
    """

    def __init__(self, seconds: float, reason: str = "") -> None:
        super().__init__(seconds, reason)
        self.retry_after = seconds

    def __str__(self) -> str:
        seconds, reason = self.args
        return f"{reason or 'the other end asks to wait'} (retry after {seconds:g} s)"


class StopRun(Exception):
    """Raise it in work(): no further task may begin, as when a budget is spent.

    What runs is finished. This item and those that did not begin are left for the next run.
    """


class Failure(NamedTuple):
    """Why an attempt failed, and what follows from it."""

    error: str  # "ValueError: ...", "timeout after 2 s", ...
    final: bool = False  # another attempt would end the same way
    refused: bool = False  # the other end has too much to do
    again: bool = False  # work() asked for another attempt
    after: float | None = None  # seconds that the other end asked to wait
    timeout: bool = False
    stop: str | None = None  # why the run ends

    @classmethod
    def of(cls, exc: BaseException) -> Failure:
        """Of an exception that work() raised.

        Any with a numeric `retry_after` is a RetryAfter; after one that is `final` work() does not
        get the item again.
        """
        after = _attribute(exc, "retry_after")
        if not isinstance(after, int | float) or not math.isfinite(after):
            after = None
        again = after is not None or isinstance(exc, Overloaded)
        final = _attribute(exc, "final") is True
        stop = str(exc) if isinstance(exc, StopRun) else None
        return cls(describe(exc), final, again or _refuses(exc), again, after, stop=stop)


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
        other = TimeoutError if self.failure.timeout else TaskFailed
        raise getattr(error, "exception", None) or other(str(error))


Burst = list[Outcome[Any, Any]]  # outcomes that are handed over together


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
    refusals: int = 30  # times that a task may be refused by the other end, and run again
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
    """Asked at least every TICK seconds; a threading.Event will do. It may have another `grace`."""

    def is_set(self) -> bool:
        """Is it time to finish what runs and to begin nothing new?"""


class EngineError(Exception):
    """The run cannot go on: setup() failed, workers die as soon as they start, ..."""


class Unavailable(EngineError):
    """The system has no thread, process, memory or file for one worker more."""


class Interrupted(KeyboardInterrupt):
    """The second Ctrl-C or SIGTERM: work() may raise a KeyboardInterrupt of its own."""


class Backlog:
    """What is still to run: tasks handed back first, then retries that are due, then new items.

    The input is pulled only when a task is taken, so that memory stays flat. The input may yield
    None for "nothing yet": take() then returns what it has, and the engine asks again after IDLE.
    When the input fails, what runs is finished first, and `raise_failure()` tells of it at the end.
    """

    def __init__(
        self,
        items: Iterable[Numbered | None],
        retry: Retry,
        stop: Stop | None,
        pacer: Pacer | None = None,
        size: int = sys.maxsize,
    ) -> None:
        self._source = chain(items, (END,))
        self._retry = retry
        self._stop = stop
        self._again: deque[Task] = deque()
        self._suspects: deque[list[Task]] = deque()
        self._later: list[tuple[float, int, Task]] = []  # heap: when it is due, index, task
        self._open = True  # the input may have more
        self._failure: Exception | None = None
        self._ended = False  # a task asked for the end of the run
        self._deadline = float("inf")  # when the grace after a stop ends
        self.starved = False  # the input had nothing yet
        self._pacer, self._size = pacer, size
        self._busy = 0  # tasks in flight, where the pacer has to know
        self._early = False  # the pacer held back a task

    def take(self, limit: int, busy: int = 0) -> list[Task]:
        """Up to `limit` tasks that may begin now, where `busy` are in flight."""
        if self._pacer is not None and self._pacer.idle(time.monotonic()):
            self._pacer = None
        return self._next(limit) if self._pacer is None else self._paced(self._pacer, limit, busy)

    def _paced(self, pacer: Pacer, limit: int, busy: int) -> list[Task]:
        tasks: list[Task] = []
        now = time.monotonic()
        limit = min(limit, pacer.places(self._size, now) - busy)
        while not (early := pacer.due() > now) and len(tasks) < limit and (one := self._next(1)):
            try:
                pacer.begin(now, one[0][1])
            except Exception as exc:
                text = f"cost() failed for the item with id {one[0][0]}: {describe(exc)}"
                self._failure, self._open = EngineError(text), False
                break
            tasks += one
            now = time.monotonic()
        self._early, self._busy = early, busy + len(tasks)
        return tasks

    def _next(self, limit: int) -> list[Task]:
        tasks: list[Task] = []
        if self._later:
            now = time.monotonic()
            while self._later and self._later[0][0] <= now:
                self._again.append(heapq.heappop(self._later)[2])
        while self._again and len(tasks) < limit:
            tasks.append(self._again.popleft())
        if self._open and len(tasks) < limit:
            tasks += self._pull(limit - len(tasks))
        return tasks

    def _pull(self, limit: int) -> list[Task]:
        pulled: list[Any] = []
        try:
            # Up to the limit or the first None. What comes before a failure stays in the list.
            pulled.extend(islice(iter(self._source.__next__, None), limit))
        except Exception as exc:  # of the input: work()'s own became outcomes
            self._failure, self._open = exc, False
        if pulled and pulled[-1] is END:
            pulled.pop()
            self._open = False
        self.starved = self._open and len(pulled) < limit
        return [(index, item, 1) for index, item in pulled]

    def waiting(self, limit: int) -> int:
        """Up to `limit`: how many tasks there are to take, whether or not they may begin now."""
        tasks = self._next(limit)
        self._again.extendleft(reversed(tasks))
        return len(tasks)

    def put_back(self, tasks: Iterable[Task]) -> None:
        """Tasks that were taken but not run: they go first."""
        if not self.stopping:
            self._again.extendleft(reversed(list(tasks)))

    def suspect(self, tasks: list[Task]) -> None:
        """One of these broke what they went through together: try each half by itself."""
        if not self.stopping:
            half = len(tasks) // 2
            self._suspects += filter(None, (tasks[:half], tasks[half:]))

    def suspects(self) -> list[Task]:
        """A group that has to go by itself, or none."""
        if not self._suspects:
            return []
        if self._pacer is None:
            return self._suspects.popleft()
        if self._pacer.due() > (now := time.monotonic()):
            return []
        first, *rest = self._suspects.popleft()  # one alone: each needs a permit
        if rest:
            self._suspects.appendleft(rest)
        self._pacer.begin(now, first[1])
        return [first]

    def failed(self, task: Task, failure: Failure, seconds: float) -> Burst:
        """Schedule a retry and return nothing, or return the outcome when no retry is left."""
        index, item, attempt = task
        if failure.stop is not None and not self._retry.inner:
            self._end(failure.stop)
            return []
        now = time.monotonic()
        pause = self._slow_down(failure, seconds, now) if failure.refused or failure.timeout else 0
        if not self._retry.allowed(attempt, failure):
            return [Outcome(index, item, None, failure, seconds, attempt)]
        if not self.stopping and not self._ended:  # otherwise it is left for the next run
            wait = self._retry.pause(attempt) if failure.after is None else failure.after
            again = index, item, attempt + 1
            heapq.heappush(self._later, (now + max(wait, pause), index, again))
        return []

    def _slow_down(self, failure: Failure, seconds: float, now: float) -> float:
        """The other end has too much to do. Return for how many seconds the run pauses."""
        pause = failure.after or 0.0
        if self._pacer is not None and (limit := self._pacer.limit) is not None:
            pause = limit.refused(now, seconds, self._busy, failure.after, timeout=failure.timeout)
            self._busy -= 1
        if pause > 0:
            self._pacer = self._pacer or Pacer()
            self._pacer.pause(now + pause)
        return pause

    def learn(self, outcomes: Burst) -> Burst:
        """Let a limit that adapts know what has finished; return it as it is."""
        if self._pacer is not None and (limit := self._pacer.limit) is not None:
            now = time.monotonic()
            for outcome in outcomes:
                if outcome.failure is None:
                    limit.succeeded(now, outcome.seconds, self._busy)
                    self._busy -= 1
        return outcomes

    @property
    def empty(self) -> bool:
        """Nothing to take, neither now nor later."""
        return not (self._open or self._again or self._suspects or self._later)

    def heed_stop(self) -> bool:
        """Take nothing more once the stop signal came. Return whether the grace is over."""
        if not self.stopping:
            if self._stop is None or not self._stop.is_set():
                return False
            self._deadline = time.monotonic() + getattr(self._stop, "grace", GRACE)
            self._drop()
        return time.monotonic() > self._deadline

    def _end(self, reason: str) -> None:
        """Let what runs finish, and begin nothing more."""
        self._failure = self._failure or EngineError(reason)
        self._ended = True
        self._drop()

    def _drop(self) -> None:
        """Leave all that did not begin for the next run."""
        self._open, self.starved = False, False
        self._again.clear()
        self._suspects.clear()
        self._later.clear()

    @property
    def patience(self) -> float:
        """Seconds that an engine may wait for outcomes before it looks around."""
        patience = IDLE if self.starved else TICK
        if (pacer := self._pacer) is not None:
            if self._early:  # past that time, nobody has a place for the task: look now and then
                wait = pacer.due() - time.monotonic()
                patience = min(patience, wait if wait > 0 else IDLE)
            elif pacer.limit is not None and pacer.limit.ramping():
                patience = min(patience, RAMPING)
        return patience

    @property
    def paced(self) -> bool:
        """When each task begins matters: nothing is queued ahead of its turn."""
        return self._pacer is not None

    @property
    def paused(self) -> bool:
        """The other end asked for a pause: nothing is begun."""
        return self._pacer is not None and self._pacer.paused(time.monotonic())

    @property
    def stopping(self) -> bool:
        """The stop signal came: nothing new is begun."""
        return self._deadline < float("inf")

    def raise_failure(self) -> None:
        """Raise what went wrong with the input, if anything did."""
        if self._failure is not None:
            raise self._failure


def timed_out(timeout: float | None, more: str = "") -> Failure:
    """The failure of a task that took longer than `timeout` seconds."""
    return Failure(f"timeout after {timeout:g} s{more}", timeout=True)


def _refuses(exc: BaseException) -> bool:
    """It is a client's exception for a status of 429 or 503, as most clients spell it."""
    sources = exc, _attribute(exc, "response")
    names = "status", "status_code", "code"
    return any(_attribute(source, name) in REFUSALS for source in sources for name in names)


def _attribute(source: object, name: str) -> int | float | object | None:
    """What it has by that name, if that can be hashed: it is anybody's."""
    try:
        value = getattr(source, name, None)
        hash(value)
    except Exception:
        return None
    return value


class ErrorText(str):
    """An error in one line, which remembers the exception that it tells of."""

    exception: BaseException | None = None
    _trace: tuple[str, str] | None = None  # where and traceback, from another process

    @property
    def where(self) -> str:
        """The user's innermost frame, such as "work.py:31 in price"; empty when there is none."""
        return self._traced()[0]

    @property
    def traceback(self) -> str:
        """As Python prints it, bounded in size."""
        return self._traced()[1]

    def _traced(self) -> tuple[str, str]:
        if self._trace is None:
            from .failures import trace

            self._trace = trace(self.exception) if self.exception else ("", "")
        return self._trace

    def __reduce__(self) -> tuple[Any, ...]:
        """To another process the exception goes along if it can, and if it is not large."""
        import pickle

        try:
            packed = pickle.dumps(self.exception, pickle.HIGHEST_PROTOCOL)
        except Exception:
            packed = b""
        packed = packed if len(packed) <= LARGEST_EXCEPTION else b""
        return _unpacked, (str(self), packed, self._traced())


def _unpacked(text: str, packed: bytes, trace: tuple[str, str]) -> str:
    import pickle

    error = ErrorText(text)
    error._trace = trace
    with contextlib.suppress(Exception):  # its class can be made in one way only: not so
        error.exception = pickle.loads(packed)  # noqa: S301  # from a worker of ours
    return error


def describe(exc: BaseException, depth: int = 3) -> ErrorText:
    """What an exception says, with its cause, its notes and the members of a group.

    Even when its own __str__ fails.
    """
    try:
        text = f"{type(exc).__name__}: {exc}"
    except Exception:
        text = type(exc).__name__
    notes = [str(note) for note in getattr(exc, "__notes__", ())]
    if depth:
        members = exc.exceptions if isinstance(exc, BaseExceptionGroup) else ()
        notes += [describe(member, depth - 1) for member in members[:MEMBERS]]
        cause = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
        if cause is not None:
            notes.append(f"from {describe(cause, depth - 1)}")
    error = ErrorText((f"{text} ({'; '.join(notes)})" if notes else text)[:LONGEST_ERROR])
    error.exception = exc
    return error


def is_interrupt(exc: BaseException) -> bool:
    """Whether it ends the run: a Ctrl-C, and not a KeyboardInterrupt of work()'s own."""
    if isinstance(exc, Interrupted):
        return True
    plain = isinstance(exc, KeyboardInterrupt) and current_thread() is main_thread()
    return plain and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def say(text: str) -> None:
    """One line for the user, on stderr."""
    tell(f"{PACKAGE}: {text}\n")


def tell(text: str) -> None:
    """Write to stderr. That nobody can read it any more is no reason to fail."""
    try:
        stderr = getattr(sys.stderr, "stream", sys.stderr)  # also of half a line: see prints.py
        stderr.write(text)
        stderr.flush()
    except Exception:  # the terminal is closed, `tee` has ended, the disk is full
        with contextlib.suppress(Exception):  # what was not written would fail again at the exit
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, sys.stderr.fileno())
            os.close(null)
