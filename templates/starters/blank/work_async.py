"""What is done with one item: replace it with your own work.

`work(item)` gets what one line of `items.jsonl` holds and returns anything that fits in JSON.
When it raises, that is the item's error in the results, and the other items go on.

Here `work` does two kinds of task: the item names its kind, and `KINDS` has the function for it. A
third kind is one more function and one more entry.

The other tasks move on only while this one awaits. Computing, or a blocking call, that takes more
than a few milliseconds belongs in `await asyncio.to_thread(...)`.
"""

import asyncio
from collections.abc import Callable
from typing import Any


def square(n: int) -> int:
    """Return the square of n >= 0, the long way round so that there is something to compute."""
    return sum(2 * k + 1 for k in range(n))


def cube(n: int) -> int:
    """Return the cube of n >= 0, the long way round as well."""
    return sum(3 * k * (k + 1) + 1 for k in range(n))


KINDS: dict[str, Callable[[int], int]] = {"square": square, "cube": cube}


async def work(item: dict[str, Any]) -> int:
    """Answer one item, such as {"kind": "square", "n": 10, "wait": 0.05}.

    Raises ValueError when the kind is not in `KINDS`.
    """
    kind = item["kind"]
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}: expected {' or '.join(KINDS)}")
    await asyncio.sleep(item.get("wait", 0))  # seconds; in place of a request or a query
    return KINDS[kind](item["n"])


# Optional: what is opened once for all tasks and closed at the end, such as a client or a pool.
# `setup` returns it, or is a context manager that yields it; `work` takes it as second argument.
#
# @contextlib.asynccontextmanager
# async def setup() -> AsyncIterator[Client]:
#     async with Client() as client:
#         yield client
#
# async def work(item: dict[str, Any], client: Client) -> int: ...
