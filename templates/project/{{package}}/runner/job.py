"""The user's work(item), opened for one worker: its setup() done, and callable from this engine.

The one place that adapts `def` to `async def` and back:

    work    with job.open() as call: call(item)     async with job.aopen(n) as call: ...
    def     called as it is                         (the asyncio engine has threads for it)
    async   in an event loop per worker             awaited as it is
"""

from __future__ import annotations

import contextvars
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    ExitStack,
    aclosing,
    asynccontextmanager,
    closing,
    contextmanager,
    nullcontext,
)
from copy import copy, deepcopy
from functools import partial
from types import AsyncGeneratorType, CoroutineType, FunctionType, GeneratorType, ModuleType
from typing import Any, cast

from .failures import describe
from .machine import NotReady
from .task import EngineError, Unavailable, is_interrupt

Call = Callable[[Any], Any]  # call(item)
COROUTINE = 0x80  # inspect.CO_COROUTINE


def load_work() -> ModuleType:
    """Import work.py; raise NotReady where it cannot be, or has no work()."""
    try:
        from .. import work
    except ModuleNotFoundError as exc:
        raise NotReady(
            f"work.py needs the module {exc.name}, which is not installed: pip install -e ."
        ) from None
    if not callable(getattr(work, "work", None)):
        raise NotReady("work.py has no function work(item): it is what runs for each item")
    return work


class Job:
    """Reference to work() and to the optional setup(); both are top-level functions of a module.

    setup() runs once per worker, before its first item: per thread, per process or, when work() is
    `async def` under asyncio, per event loop. If it yields, as a context manager does, what follows
    the yield runs when the worker ends; if it returns something with a close(), that is closed.
    What it yields or returns is the second argument of a work() that has two.

    A setup() that needs an argument gets the number of tasks that share what it opens, which is the
    size of a connection pool: 1, or as many as are in flight in an event loop.
    """

    def __init__(
        self,
        work: Callable[..., Any],
        setup: Callable[..., Any] | None = None,
        *,
        quiet: bool = False,
    ) -> None:
        self.work, self.setup = work, setup
        self.log_levels: dict[str, int] | None = None  # where it was packed; None: no logging
        self.quiet = quiet  # nothing is printed: a program called run()
        self.context = contextvars.copy_context()  # what work.py has set as it was imported
        self._copies = False  # each call gets an item of its own
        self.is_async, arguments, _ = _signature(work)
        self.wants_resource = setup is not None and arguments > 1
        self.wants_size = setup is not None and _signature(setup)[2] > 0

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "context"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, context=contextvars.copy_context())

    def for_attempts(self, may_repeat: bool) -> Job:
        """Return a job for workers that share memory: a retry gets the item as it was read."""
        if not may_repeat:
            return self
        job = copy(self)
        job.context, job._copies = self.context, True
        return job

    def pack(self) -> bytes:
        """The job for another process, which imports both functions by their names."""
        import pickle  # threads and coroutines do without

        if "logging" in sys.modules:
            from .logs import levels

            self.log_levels = levels()
        try:
            return pickle.dumps(self, pickle.HIGHEST_PROTOCOL)
        except Exception as exc:
            text = f"work() and setup() have to be at the top level of a module: {describe(exc)}"
            raise EngineError(text) from None

    @contextmanager
    def open(self) -> Iterator[Call]:
        """A callable(item) for one worker of a synchronous engine."""
        with ExitStack() as stack:
            if not self.is_async:
                yield _awaiting(self._bind(self._set_up(stack)), stack)
                return
            run = _event_loop(stack)
            opened = self.aopen(1)
            call = run(opened.__aenter__())
            stack.callback(lambda: run(opened.__aexit__(None, None, None)))
            yield lambda item: run(call(item))

    @asynccontextmanager
    async def aopen(self, size: int) -> AsyncIterator[Call]:
        """For async def: an awaitable callable(item), shared by `size` tasks in one event loop."""
        async with AsyncExitStack() as stack:
            yield self._bind(await self._set_up_async(stack, size))

    def _call_setup(self, size: int) -> Any:
        setup = cast("Callable[..., Any]", self.setup)
        return setup(size) if self.wants_size else setup()

    def _bind(self, resource: Any) -> Call:
        more = (resource,) if self.wants_resource else ()
        if self._copies:
            return lambda item: self.work(_copied(item), *more)
        return (lambda item: self.work(item, resource)) if more else self.work

    def _set_up(self, stack: ExitStack) -> Any:
        if self.setup is None:
            return None
        with _errors("setup()"):
            manager = _managed(self._call_setup(1))
            if not isinstance(manager, AbstractContextManager):
                if isinstance(manager, CoroutineType):
                    manager.close()
                raise TypeError("it is asynchronous, so work() has to be `async def` too")
            resource = manager.__enter__()
        stack.push(partial(_tear_down, manager))
        return resource

    async def _set_up_async(self, stack: AsyncExitStack, size: int) -> Any:
        if self.setup is None:
            return None
        with _errors("setup()"):
            opened = self._call_setup(size)
            if isinstance(opened, Awaitable) and not hasattr(opened, "__aenter__"):
                opened = await opened
            manager = opened if hasattr(opened, "__aenter__") else _managed(opened)
            if isinstance(manager, AbstractAsyncContextManager):
                resource = await manager.__aenter__()
                stack.push_async_exit(partial(_tear_down_async, manager))
            else:
                resource = manager.__enter__()
                stack.push(partial(_tear_down, manager))
        return resource


def _signature(function: Callable[..., Any]) -> tuple[bool, int, int]:
    """Whether it is a coroutine function; how many positional arguments it takes, and needs."""
    if isinstance(function, FunctionType) and not hasattr(function, "__wrapped__"):
        code = function.__code__
        needed = code.co_argcount - len(function.__defaults__ or ())
        return bool(code.co_flags & COROUTINE), code.co_argcount, needed
    import inspect  # a tenth of the start-up, so only for what is not a plain function

    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # a builtin without a signature
        return False, 1, 1
    positional = [p for p in parameters if p.kind in kinds]
    needed = sum(p.default is p.empty for p in positional)
    return inspect.iscoroutinefunction(function), len(positional), needed


def _managed(opened: Any) -> Any:
    """Return what setup() returned as a context manager; an awaitable as it is."""
    if isinstance(opened, GeneratorType):
        return contextmanager(lambda: opened)()
    if isinstance(opened, AsyncGeneratorType):
        return asynccontextmanager(lambda: opened)()
    if hasattr(opened, "aclose"):
        return aclosing(opened)
    if hasattr(opened, "close") and not isinstance(opened, Awaitable):  # a coroutine has one too
        return closing(opened)
    if isinstance(opened, AbstractContextManager | AbstractAsyncContextManager | Awaitable):
        return opened
    return nullcontext(opened)


@contextmanager
def _errors(step: str) -> Iterator[None]:
    """Make an EngineError of whatever is raised, sys.exit("no key") included."""
    try:
        yield
    except (EngineError, GeneratorExit):
        raise
    except BaseException as exc:
        if is_interrupt(exc):
            raise
        raise EngineError(f"{step} failed: {describe(exc)}") from exc


def _tear_down(manager: Any, *details: Any) -> Any:
    with _errors("the teardown after setup()"):
        return manager.__exit__(*details)


async def _tear_down_async(manager: Any, *details: Any) -> Any:
    with _errors("the teardown after setup()"):
        return await manager.__aexit__(*details)


def _event_loop(stack: ExitStack) -> Callable[[Any], Any]:
    """A function that runs coroutines, one after another, in one event loop and one context."""
    import asyncio  # takes a third of the start-up, and few need it here

    try:
        loop = stack.enter_context(asyncio.Runner()).get_loop()
    except OSError as exc:
        raise Unavailable(f"no event loop can be created: {describe(exc)}") from None
    context = contextvars.copy_context()

    def run(coroutine: Any) -> Any:
        task = loop.create_task(coroutine, context=context)
        while not task.done():
            try:
                loop.run_until_complete(task)
            except (SystemExit, KeyboardInterrupt) as exc:
                if is_interrupt(exc):
                    raise  # else a task that work() started raised it: whoever awaits that gets it
        return task.result()

    return run


def _awaiting(call: Call, stack: ExitStack) -> Call:
    """Return `call`, made to await coroutines: a decorated `def work` may return one."""
    run: Callable[[Any], Any] | None = None

    def call_and_await(item: Any) -> Any:
        nonlocal run
        value = call(item)
        if type(value) is not CoroutineType:
            return value
        run = run or _event_loop(stack)
        return run(value)

    return call_and_await


def _copied(item: Any) -> Any:
    """A copy of the item; what cannot be copied stays as it is."""
    try:
        return deepcopy(item)
    except Exception:
        return item
