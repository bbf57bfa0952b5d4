"""What is done with one item: fetch a URL, and keep what is wanted of the answer.

`work(item, session)` gets what one line of the input holds: a URL, or more, such as

    {"url": "https://example.com/"}
    {"url": "https://example.com/", "keep": "digest"}
    {"url": "https://example.com/api", "method": "POST", "data": "{}", "headers": {"X-Key": "1"}}

and returns the status, the URL after redirects and the size in bytes. `keep` adds the SHA-256
(`digest`), the body as text (`body`) or its exact bytes (`base64`). A status of 400 or more is the
item's error, so that `run --retry-failed` asks again.

How requests behave (timeouts, limits, what is tried again) is in `policy.py`.
"""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from aiohttp import ClientSession

from .fetch import fetch, setup
from .request import Request, decode

__all__ = ["OPEN_FILES", "setup", "work"]

OPEN_FILES = 2  # sockets of a task: one in use, and one that idles until fetch.IDLE has passed


async def work(item: dict[str, Any] | str, session: ClientSession) -> dict[str, Any]:
    """Fetch item["url"]. Raises ValueError for an unknown `keep`, FetchError for a failure."""
    if isinstance(item, str):
        item = {"url": item}
    keep = item.get("keep") or None
    digest, body = hashlib.sha256(), bytearray()
    sinks: dict[str | None, Callable[[bytes], object]] = {
        None: len,  # takes a piece, and keeps nothing
        "digest": digest.update,
        "body": body.extend,
        "base64": body.extend,
    }
    if keep not in sinks:
        raise ValueError(f"unknown keep {keep!r}: expected digest, body or base64")
    method = (item.get("method") or "GET").upper()
    request = Request(item["url"], method, item.get("headers") or {}, item.get("data"))
    page = await fetch(session, request, sinks[keep])
    value = {"status": page.status, "url": page.url, "size": page.size}
    if keep == "digest":
        value["sha256"] = digest.hexdigest()
    elif keep == "body":
        value["body"] = decode(body, page.content_type)
    elif keep == "base64":
        value["base64"] = base64.b64encode(body).decode()
    return value
