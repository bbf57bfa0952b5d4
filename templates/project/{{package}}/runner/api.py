"""run() and arun(): the same work and engine, for a program of yours.

    for outcome in run(items):             scripts, threads, notebooks
    async for outcome in arun(items):      programs that have an event loop

Items are pulled as they are needed, outcomes handed over as they come. Leaving the loop, or closing
the generator, ends the workers. Nothing is printed, and no signal handler is installed.
"""

from __future__ import annotations

import atexit
import contextlib
import contextvars
import functools
import os
import sys
import threading
import weakref
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
)
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Concatenate, Generic, overload

from .task import TICK, UNGUARDED, Burst, Bursts, Item, Numbered, Outcome, Retry, Value

__all__ = ["Outcome", "arun", "run"]

AHEAD = 16  # bursts that may wait for the caller, and items of arun() that may wait for the engine
HELD = 2048  # items pulled while `ordered` waits for an earlier one, at most: memory stays flat
LEAVING = 1.0  # seconds that the engine's thread gets to end


class Runner(Generic[Item, Value]):
    """run() and arun() for the items that work() takes, and the values that it returns."""

    def run(
        self,
        items: Iterable[Item],
        *,
        ordered: bool = False,
        max_workers: int | str | None = None,
        rate: str | None = None,
        timeout: float | None = None,
        retries: int | None = None,
        results: str | os.PathLike[str] | None = None,
        retry_failed: bool = False,
        **options: Any,
    ) -> Generator[Outcome[Item, Value], None, None]:
        """Yield the outcome of each item: as it completes, or in the order of items if `ordered`.

        settings.py has the defaults; `options` are those that only this engine takes.
        `max_workers` may be "auto": the run finds how many.
        `rate` is what the other end allows, such as "10/s", "600/min" or "5000/h".
        With `results` every outcome is in that file, as JSON Lines, before it is yielded. Items
        that have a result there are neither run nor yielded again, unless they had failed and
        `retry_failed` is set.
        """
        asked = max_workers, rate, timeout, retries, options
        call = _Call(_Source(items, ordered, results, retry_failed), *asked)
        outcomes = _each(_from_thread(call) if call.needs_thread() else call.bursts())
        _closed_at_exit().add(outcomes)
        return outcomes

    def arun(
        self,
        items: Iterable[Item] | AsyncIterable[Item],
        *,
        ordered: bool = False,
        max_workers: int | str | None = None,
        rate: str | None = None,
        timeout: float | None = None,
        retries: int | None = None,
        results: str | os.PathLike[str] | None = None,
        retry_failed: bool = False,
        **options: Any,
    ) -> AsyncGenerator[Outcome[Item, Value], None]:
        """Yield the same for `async for`; a thread runs the engine and iterates over `items`.

        Items that come by `async for` are awaited in the caller's event loop.
        """
        asked = max_workers, rate, timeout, retries, options
        source = _Fed(items) if isinstance(items, AsyncIterable) else items
        call = _Call(_Source(source, ordered, results, retry_failed), *asked)
        return _awaited(call, source.feed if isinstance(source, _Fed) else None)


if TYPE_CHECKING:  # the first run imports work.py: what that imports may take seconds
    from ..work import work

    @overload
    def _typed(
        function: Callable[Concatenate[Item, ...], Coroutine[Any, Any, Value]],
    ) -> Runner[Item, Value]: ...
    @overload
    def _typed(function: Callable[Concatenate[Item, ...], Value]) -> Runner[Item, Value]: ...
    def _typed(function: Callable[..., Any]) -> Any:
        """Give run() the types of work()."""

    runner = _typed(work)
else:
    runner = Runner()

run, arun = runner.run, runner.arun


class Closing(threading.Event):
    """A stop signal that gives running tasks no time: nobody wants their outcomes."""

    grace = 0.0


class _Call:
    """A call of run() or arun(), checked: its run can begin."""

    def __init__(
        self,
        source: _Source,
        max_workers: int | str | None,
        rate: str | None,
        timeout: float | None,
        retries: int | None,
        options: dict[str, Any],
    ) -> None:
        _leave_imports()
        from .. import settings
        from . import engine, limits
        from .pacing import Rate

        if not isinstance(max_workers, str):
            _check("max_workers", max_workers, 1)
        elif max_workers != limits.AUTO:
            raise ValueError(f"max_workers={max_workers!r} is neither a number nor {limits.AUTO!r}")
        _check("retries", retries, 0)
        _check("timeout", timeout, 0)
        for name in options:
            if name not in limits.OPTIONS:
                raise TypeError(f"run() has no option {name!r} with this model")
        allowed = Rate.parse(rate) if rate else None
        self._ready = limits.prepare(
            max_workers or settings.MAX_WORKERS, allowed, options, quiet=True
        )
        self._source, self.stop = source, Closing()
        self._source.encode = getattr(self._ready.work, "encode", None)
        self._timeout = settings.TIMEOUT if timeout is None else timeout
        self._retry = Retry(settings.RETRIES if retries is None else retries)
        self._in_event_loop = engine.AWAITS == "always"

    def needs_thread(self) -> bool:
        """Whether the engine needs a thread: it has an event loop, or the caller runs one."""
        # Where nobody has imported asyncio yet, no loop runs.
        running = getattr(sys.modules.get("asyncio"), "_get_running_loop", lambda: None)
        return self._in_event_loop or running() is not None

    def bursts(self) -> Bursts:
        source = self._source
        bursts = self._ready.start(source, timeout=self._timeout, retry=self._retry, stop=self.stop)
        with contextlib.closing(bursts), contextlib.closing(source):
            for burst in bursts:
                if due := source.take(burst):
                    yield due


def _check(name: str, value: float | None, least: int) -> None:
    if value is not None and not least <= value < float("inf"):
        raise ValueError(f"{name}={value!r} is out of range: it begins at {least}")


class _Source:
    """Numbers the items as the engine pulls them; writes down their outcomes, and orders them."""

    def __init__(
        self,
        items: Any,
        ordered: bool,
        results: str | os.PathLike[str] | None,
        retry_failed: bool,
    ) -> None:
        if isinstance(items, AsyncIterable) and not isinstance(items, Iterable):
            raise TypeError("the items come by `async for`: arun() takes them")
        self._items, self._ordered = items, ordered
        self._results, self._retry_failed = results, retry_failed
        self.encode: Any = None  # work.py's, for the journal
        self._journal: Any = None
        self._pulled: deque[int] = deque()  # not yielded yet, if `ordered`
        self._held: dict[int, Outcome[Any, Any]] = {}

    def __iter__(self) -> Iterator[Numbered | None]:
        fed = isinstance(self._items, _Fed)
        numbered: Iterable[Numbered | None] = self._items if fed else enumerate(self._items)
        if self._results is not None:
            from .resume import Journalled

            name = os.fspath(self._results)
            numbered = self._journal = Journalled(name, numbered, self.encode, self._retry_failed)
        return self._in_order(numbered) if self._ordered else iter(numbered)

    def _in_order(self, numbered: Iterable[Numbered | None]) -> Iterator[Numbered | None]:
        for entry in numbered:
            while len(self._pulled) >= HELD:
                yield None
            if entry is not None:
                self._pulled.append(entry[0])
            yield entry

    def take(self, burst: Burst) -> Burst:
        """Write the outcomes down, and return those that are due."""
        if self._journal is not None:
            burst = self._journal.write(burst)
        if not self._ordered:
            return burst
        self._held.update((outcome.id, outcome) for outcome in burst)
        due = []
        while self._pulled and self._pulled[0] in self._held:
            due.append(self._held.pop(self._pulled.popleft()))
        return due

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()


def _each(bursts: Bursts) -> Generator[Outcome[Any, Any], None, None]:
    with contextlib.closing(bursts):
        for burst in bursts:
            yield from burst


class _EngineThread(threading.Thread):
    """Runs the engine up to AHEAD bursts ahead, while the caller is busy or awaits others."""

    def __init__(self, call: _Call, deliver: Callable[[Burst | BaseException | None], object]):
        super().__init__(daemon=True)  # a work() that hangs does not keep the program from ending
        self._call, self._deliver = call, deliver
        self._room = threading.Semaphore(AHEAD)
        self._callers = contextvars.copy_context()  # Thread has a _context, since 3.14
        self.start()

    def run(self) -> None:
        """Deliver the bursts, then None or the exception that ended the run."""
        end = None
        try:
            self._callers.run(self._serve)
        except BaseException as exc:  # it is raised where the outcomes are taken
            end = exc
        with contextlib.suppress(RuntimeError):  # the event loop is closed: nobody waits
            self._deliver(end)

    def _serve(self) -> None:
        with contextlib.closing(self._call.bursts()) as bursts:
            for burst in bursts:
                self._deliver(burst)
                self._room.acquire()
                if self._call.stop.is_set():
                    return

    def taken(self) -> None:
        """A burst was taken: there is room for one more."""
        self._room.release()

    def leave(self) -> None:
        """End soon: nobody takes outcomes any more."""
        self._call.stop.set()
        self._room.release()


def _from_thread(call: _Call) -> Bursts:
    queue: SimpleQueue[Burst | BaseException | None] = SimpleQueue()
    thread = _EngineThread(call, queue.put)
    try:
        while isinstance(burst := _get(queue), list):
            thread.taken()
            yield burst
        if burst is not None:
            raise burst
    finally:
        thread.leave()
        thread.join(LEAVING)


def _get(queue: SimpleQueue[Any]) -> Any:
    while True:
        with contextlib.suppress(Empty):  # Ctrl-C gets through between two waits, on Windows too
            return queue.get(timeout=TICK)


class _Fed:
    """Items that come by `async for`, numbered for the engine's thread; None for none yet."""

    def __init__(self, items: AsyncIterable[Any]) -> None:
        self._items = items
        self._queue: SimpleQueue[tuple[Any] | BaseException | None] = SimpleQueue()
        self._taken: Callable[[], object] = lambda: None

    async def feed(self) -> None:
        """Queue items for the engine, some ahead, then None or the exception that ended them."""
        import asyncio

        loop, room = asyncio.get_running_loop(), asyncio.Semaphore(AHEAD)
        self._taken = lambda: loop.call_soon_threadsafe(room.release)
        end = None
        try:
            async for item in self._items:
                self._queue.put((item,))
                await room.acquire()
        except BaseException as exc:  # it is raised where the outcomes are taken
            end = exc
            if not isinstance(exc, Exception):
                raise
        finally:
            self._queue.put(end)
            if isinstance(self._items, AsyncGenerator):
                await self._items.aclose()

    def __iter__(self) -> Iterator[Numbered | None]:
        position = 0
        while True:
            try:
                entry = self._queue.get_nowait()
            except Empty:
                yield None
                continue
            if not isinstance(entry, tuple):
                break
            with contextlib.suppress(RuntimeError):  # the event loop is closed: nobody feeds
                self._taken()
            yield position, entry[0]
            position += 1
        if entry is not None:
            raise entry


async def _awaited(
    call: _Call, feed: Callable[[], Awaitable[None]] | None
) -> AsyncGenerator[Outcome[Any, Any], None]:
    import asyncio

    loop, queue = asyncio.get_running_loop(), asyncio.Queue[Burst | BaseException | None]()
    feeding = asyncio.ensure_future(feed()) if feed else None
    thread = _EngineThread(call, lambda burst: loop.call_soon_threadsafe(queue.put_nowait, burst))
    burst: Burst | BaseException | None = []
    try:
        while isinstance(burst := await queue.get(), list):
            thread.taken()
            for outcome in burst:
                yield outcome
        if burst is not None:
            raise burst
    finally:
        thread.leave()
        if feeding:
            feeding.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVING):
                while isinstance(burst, list):
                    burst = await queue.get()
                if feeding:
                    await asyncio.wait([feeding])  # the generator of the items is closed


def _leave_imports() -> None:
    """End a worker that reached run() while it imported the user's script."""
    process = sys.modules.get("multiprocessing.process")  # another thread may be importing it
    if getattr(getattr(process, "_current_process", None), "_inheriting", False):
        os._exit(UNGUARDED)  # the pool says what to do: no traceback for each of its workers


@functools.cache  # once, after multiprocessing was imported: exit functions run in reverse
def _closed_at_exit() -> weakref.WeakSet[Generator[Any, None, None]]:
    """Return the runs to close at exit: multiprocessing would wait for their workers for ever."""
    live: weakref.WeakSet[Generator[Any, None, None]] = weakref.WeakSet()

    @atexit.register
    def close_all() -> None:
        for outcomes in list(live):
            with contextlib.suppress(ValueError):  # another thread is in it
                outcomes.close()

    return live
