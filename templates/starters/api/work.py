"""What is done with one item: one call of a JSON API, such as an LLM's.

    {"prompt": "Name a prime.", "system": "Be short.", "options": {"temperature": 0}}
    {"input": "a text to embed"}
    {"path": "/classify", "json": {"any": "document"}}

An item of just text is a prompt. The result has the answer, its usage in tokens, and its cost.
`API_URL`, `API_MODEL` and `API_KEY` in the environment say which API. What a call may take and cost
is in `policy.py`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from urllib3 import PoolManager

from . import fetch
from .endpoint import Endpoint, asked, tokens
from .ledger import ledger

OPEN_FILES = fetch.HOSTS + 1  # sockets of a task: the connections it keeps, and one more

Client = tuple[Endpoint, PoolManager]


@contextmanager
def setup() -> Iterator[Client]:
    """Open the connections of one worker; raise LookupError when the environment lacks a name."""
    endpoint = Endpoint()
    with ledger.open(), fetch.setup() as pool:
        yield endpoint, pool


def work(item: Any, client: Client) -> dict[str, Any]:
    """Return the answer to one item.

    Raises FetchError for a call that failed, RetryAfter where the API asks to wait, and StopRun
    when MAX_COST is reached or the key is refused.
    """
    endpoint, pool = client
    call = endpoint.call(item)
    with asked(call) as answer:
        fetch.fetch(pool, call.request, answer.add, answer.learn)
        return answer.value()


def cost(item: Any) -> dict[str, float]:
    """Return what an item takes of a limit such as RATES = ["90000 tokens/min"]."""
    return {"tokens": sum(tokens(item))}
