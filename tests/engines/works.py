"""Functions to be run by engines under test; copied into the assembled packages."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from .runner.job import Job
from .runner.task import Overloaded, RetryAfter, StopRun


def square(item: int) -> int:
    return item * item


async def square_async(item: int) -> int:
    await asyncio.sleep(0)
    return item * item


def fail_odd(item: int) -> int:
    if item % 2:
        raise ValueError(f"odd {item}")
    return item


async def fail_odd_async(item: int) -> int:
    return fail_odd(item)


def exit_at_3(item: int) -> int:
    if item == 3:
        sys.exit("three")
    return item


async def exit_at_3_async(item: int) -> int:
    return exit_at_3(item)


def hang_at_1(item: int) -> int:
    if item == 1:
        time.sleep(3600)
    return item


async def hang_at_1_async(item: int) -> int:
    if item == 1:
        await asyncio.sleep(3600)
    return item


def fail_until(item: tuple[str, int]) -> int:
    """Fail until the file has as many lines as the second number."""
    path, times = Path(item[0]), item[1]
    with path.open("a") as file:
        file.write("try\n")
    if path.read_text().count("try") < times:
        raise OSError("not yet")
    return times


async def fail_until_async(item: tuple[str, int]) -> int:
    return fail_until(item)


def slow(item: Any) -> Any:
    time.sleep(0.02)
    return item


async def slow_async(item: Any) -> Any:
    await asyncio.sleep(0.02)
    return item


# -- setup: each keeps a log, one line per event


FOLDER = Path(__file__).parent


def note(event: str) -> None:
    with (FOLDER / "setup.log").open("a") as file:
        file.write(event + "\n")


class Client:
    """It notes when it is opened and closed."""

    def __init__(self) -> None:
        note("open")

    def double(self, item: int) -> int:
        """Be of use."""
        return 2 * item

    def close(self) -> None:
        """Note it."""
        note("close")


def with_client(item: int, client: Client) -> int:
    time.sleep(0.005)
    return client.double(item)


async def with_client_async(item: int, client: Client) -> int:
    await asyncio.sleep(0.005)
    return client.double(item)


def plain_setup() -> Client:
    return Client()


def size_setup(size: int, unit: int = 1) -> int:
    return size * unit


def shared_by(item: int, size: int) -> int:
    return size


async def shared_by_async(item: int, size: int) -> int:
    return size


@contextlib.contextmanager
def context_setup() -> Any:
    client = Client()
    yield client
    client.close()


def generator_setup() -> Any:
    client = Client()
    yield client
    client.close()


async def coroutine_setup() -> Client:
    await asyncio.sleep(0)
    return Client()


@contextlib.asynccontextmanager
async def async_context_setup() -> Any:
    async with asyncio.timeout(60):  # belongs to one task: it is left by the one that entered it
        client = Client()
        yield client
        client.close()


def failing_setup() -> Any:
    raise ConnectionError("no database")


# -- how many at once


active = 0
most = 0
lock = threading.Lock()


def overlap(item: float) -> int:
    """Tell how many were seen running at the same time, in this process."""
    global active, most  # noqa: PLW0603
    with lock:
        active += 1
        most = max(most, active)
    time.sleep(item)
    with lock:
        active -= 1
    return most


async def overlap_async(item: float) -> int:
    global active, most  # noqa: PLW0603
    active += 1
    most = max(most, active)
    await asyncio.sleep(item)
    active -= 1
    return most


# -- what goes wrong between processes


class Stubborn(Exception):
    """It can be pickled, but not unpickled."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(one)


class Poison:
    """It kills whoever unpickles it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (9,)


class NeedsHome:
    """It can be unpickled only in the process that made it."""

    def __init__(self, home: int) -> None:
        if home != os.getpid():
            raise ImportError("far from home")
        self.home = home

    def __reduce__(self) -> tuple[Any, ...]:
        return NeedsHome, (self.home,)


def misbehave(item: Any) -> Any:
    match item:
        case "raise":
            raise Stubborn(1, 2)
        case "return stubborn":
            return Stubborn(1, 2)
        case "return lambda":
            return lambda: None
        case "_exit":
            os._exit(7)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "leak":  # every file that this process may have
            import resource  # not on Windows

            resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
            LEAKED.extend(Path(os.devnull).open() for _ in range(200))  # noqa: SIM115
    time.sleep(0.001)
    return item


LEAKED: list[Any] = []


async def misbehave_async(item: Any) -> Any:
    await asyncio.sleep(0.001)
    return misbehave(item)


def take_apart(item: dict[str, Any]) -> list[Any]:
    """Fail, the first time, when the item is no more what it was."""
    name, visits = item.pop("name"), len(item["seen"])
    item["seen"].append(name)
    path = FOLDER / "taken-apart"
    if not path.exists():
        path.touch()
        raise ConnectionError("the first attempt fails")
    path.unlink()
    return [name, visits]


async def take_apart_async(item: dict[str, Any]) -> list[Any]:
    return take_apart(item)


def same(item: list[int]) -> None:
    item.append(1)


def environment(name: str) -> str | None:
    return os.environ.get(name)


def swallow_cancel_at_1(item: int) -> int:
    return item


async def swallow_cancel_at_1_async(item: int) -> int:
    while item == 1:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
    return item


async def block_at_1_async(item: int) -> int:
    if item == 1:
        time.sleep(3600)
    await asyncio.sleep(0.01)
    return item


def stamp(item: str) -> None:
    """Leave the time in the file: the system's clock is the same in every process."""
    with Path(item).open("a") as file:
        file.write(f"{time.monotonic()}\n")


async def stamp_async(item: str) -> None:
    stamp(item)


class TooManyRequests(Exception):
    """What a client raises that knows nothing of this project."""

    retry_after = 1.0


REFUSALS = {
    "RetryAfter": RetryAfter(1.0, "429"),
    "a client's own": TooManyRequests("429"),
    "Overloaded": Overloaded("503"),
    "for ever": RetryAfter(0),
}


def refused_once(item: tuple[str, str | None]) -> None:
    """Leave the time in the file; where it is the first, raise the refusal of that name."""
    path, refusal = Path(item[0]), item[1]
    first = not path.exists()
    stamp(item[0])
    if refusal and (first or refusal == "for ever"):
        raise REFUSALS[refusal]
    time.sleep(0.02)


async def refused_once_async(item: tuple[str, str | None]) -> None:
    refused_once(item)


class Final(Exception):
    """What another attempt would not mend."""

    final = True


def end(item: str) -> str:
    """Do what the item says."""
    if item == "final":
        raise Final
    if item == "stop":
        raise StopRun("the budget is spent")
    time.sleep(0.05)
    return item


async def end_async(item: str) -> str:
    return end(item)


def own_pid(item: Any) -> int:
    return os.getpid()


async def own_pid_async(item: Any) -> int:
    return os.getpid()


def killed(item: int) -> int:
    """Die as one does for memory, where the item is below 4."""
    if item < 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


async def killed_async(item: int) -> int:
    return killed(item)


def job(name: str, kind: str, setup: str | None = None) -> Job:
    """The function of that name, in the kind that is asked for."""
    work = globals()[name + ("_async" if kind == "async" else "")]
    return Job(work, globals()[setup] if setup else None)
