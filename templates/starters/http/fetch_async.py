"""One request with aiohttp, kept to `policy.py`, over connections that all tasks share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from weakref import WeakValueDictionary

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientOSError,
    ClientPayloadError,
    ClientResponse,
    ClientSession,
    ClientSSLError,
    ConnectionTimeoutError,
    ServerDisconnectedError,
)
from yarl import URL

from . import policy
from .connections import setup
from .request import FetchError, Page, Request, Unavailable, refused, too_slow
from .wire import REDIRECTS, Body, Hop, first_hop, next_hop

__all__ = ["fetch", "setup"]

_turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()


async def fetch(
    session: ClientSession,
    request: Request,
    sink: Callable[[bytes], object],
    learn: Callable[[Mapping[str, str]], object] = len,
) -> Page:
    """Send the request, and give the body of its answer to `sink`, piece by piece.

    `learn` gets the headers of every answer. Raises FetchError for a status of 400 or more and for
    whatever else went wrong, Overloaded or RetryAfter where the server asks to wait.
    """
    hop = first_hop(request)
    async with _turn(hop.host):
        try:
            async with asyncio.timeout(policy.TOTAL):
                return await _follow(session, request, hop, sink, learn)
        except TimeoutError:
            raise too_slow(request) from None


async def _follow(
    session: ClientSession,
    request: Request,
    hop: Hop,
    sink: Callable[[bytes], object],
    learn: Callable[[Mapping[str, str]], object],
) -> Page:
    """Follow the redirects here, not in aiohttp: it hides the bytes of their `Location`."""
    for _ in range(1 + policy.REDIRECTS):
        async with await _send(session, request, hop) as response:
            status, headers = response.status, response.headers
            learn(headers)
            location = headers.get("Location") if status in REDIRECTS else None
            if status >= 400 or status < 200:
                start = b""
                with suppress(ClientError):
                    start = await response.content.readany()
                raise refused(request, status, headers, start)
            if not location:
                body = Body(request, headers.get("Content-Encoding"), sink)
                await _receive(response, request, body)
                return Page(status, hop.url, body.end(), headers.get("Content-Type", ""))
        hop = next_hop(request, hop, status, location.encode("utf-8", "surrogateescape"))
    raise FetchError(f"{request}: more than {policy.REDIRECTS} redirects")


async def _send(session: ClientSession, request: Request, hop: Hop) -> ClientResponse:
    """Return the answer, its body unread, to `hop`: one of the requests that `request` leads to."""
    try:
        # The whole target goes as the path: aiohttp would rewrite parts of a query.
        url = URL.build(scheme=hop.scheme, authority=hop.host, path=hop.target, encoded=True)
        return await session.request(
            hop.method, url, headers=hop.headers, data=hop.data, allow_redirects=False
        )
    except (ClientError, OSError, ValueError) as error:  # ValueError: the host cannot be a name
        raise _failed(request, error) from error


async def _receive(response: ClientResponse, request: Request, body: Body) -> None:
    try:
        async for piece in response.content.iter_any():
            body.add(piece)
    except (ClientError, OSError) as error:
        raise _failed(request, error) from error


def _failed(request: Request, error: Exception) -> FetchError:
    never_sent = isinstance(error, ClientConnectorError | ConnectionTimeoutError)
    broken = isinstance(error, ClientOSError | ClientPayloadError | ServerDisconnectedError)
    again = never_sent or (broken and request.idempotent)
    if isinstance(error, ClientSSLError):
        again = False  # a bad certificate stays bad
    return (Unavailable if again else FetchError)(f"{request}: {error or type(error).__name__}")


def _turn(host: str) -> AbstractAsyncContextManager[object]:
    """Hold one of the PER_HOST places at the host."""
    if policy.PER_HOST is None:
        return nullcontext()
    return _turns.setdefault(host, asyncio.Semaphore(policy.PER_HOST))
