"""What is done with one item: fetch a page, parse it, compute.

`work(item, session)` gets what one line of `items.jsonl` holds, such as {"url": "https://..."},
waits for the page and computes what `analysis.py` says: title, most used words, links. An item that
cannot be fetched, or is no text, gets its error instead. While it computes, for some milliseconds,
the other tasks in this process wait: the hybrid model has a process for every core.

How requests behave (timeouts, limits, what is tried again) is in `policy.py`.
"""

from typing import Any

from aiohttp import ClientSession

from .analysis import analyse
from .fetch import fetch, setup
from .request import Request, decode

__all__ = ["OPEN_FILES", "setup", "work"]

OPEN_FILES = 2  # sockets of a task: one in use, and one that idles until fetch.IDLE has passed


async def work(item: dict[str, Any] | str, session: ClientSession) -> dict[str, Any]:
    """Analyse the page at the URL. Raises FetchError, or ValueError for what is not text."""
    body, url = bytearray(), item if isinstance(item, str) else item["url"]
    page = await fetch(session, Request(url), body.extend)
    if not page.content_type.lower().startswith(("text/", "application/xhtml")):
        raise ValueError(f"{page.url} is {page.content_type or 'of unknown type'}, not text")
    return analyse(decode(body, page.content_type), page.url)
