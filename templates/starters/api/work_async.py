"""What is done with one item: one call of a JSON API, such as an LLM's.

    {"prompt": "Name a prime.", "system": "Be short.", "options": {"temperature": 0}}
    {"input": "a text to embed"}
    {"path": "/classify", "json": {"any": "document"}}

An item of just text is a prompt. The result has the answer, its usage in tokens, and its cost.
`API_URL`, `API_MODEL` and `API_KEY` in the environment say which API. What a call may take and cost
is in `policy.py`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession

from . import fetch
from .endpoint import Endpoint, asked, tokens
from .ledger import ledger

OPEN_FILES = 2  # sockets of a task: one in use, and one that idles

Client = tuple[Endpoint, ClientSession]


@asynccontextmanager
async def setup(size: int) -> AsyncIterator[Client]:
    """Open what `size` tasks share; raise LookupError when the environment lacks a name."""
    endpoint = Endpoint()
    with ledger.open():
        async with fetch.setup(size) as session:
            yield endpoint, session


async def work(item: Any, client: Client) -> dict[str, Any]:
    """Return the answer to one item.

    Raises FetchError for a call that failed, RetryAfter where the API asks to wait, and StopRun
    when MAX_COST is reached or the key is refused.
    """
    endpoint, session = client
    call = endpoint.call(item)
    with asked(call) as answer:
        await fetch.fetch(session, call.request, answer.add, answer.learn)
        return answer.value()


def cost(item: Any) -> dict[str, float]:
    """Return what an item takes of a limit such as RATES = ["90000 tokens/min"]."""
    return {"tokens": sum(tokens(item))}
