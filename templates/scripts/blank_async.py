import asyncio
from typing import Any


async def work(item: Any) -> Any:
    """Answer one item: replace this by your own. What it returns is written as JSON."""
    await asyncio.sleep(0.1)  # in place of a request, with a client that is async
    return item * item
