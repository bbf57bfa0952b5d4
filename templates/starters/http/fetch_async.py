"""One request with aiohttp, kept to `policy.py`, over connections that all tasks share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from weakref import WeakValueDictionary

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientOSError,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    ServerDisconnectedError,
    TCPConnector,
    TooManyRedirects,
)

from . import policy
from .policy import FetchError, Page, Request, Unavailable

IDLE = 2.0  # seconds that an unused connection is kept: with many hosts, idle ones pile up

_turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()


def setup(size: int) -> ClientSession:
    """Return the session for `size` tasks in flight: a connection for each, so that none waits."""
    return ClientSession(
        connector=TCPConnector(limit=size, keepalive_timeout=IDLE),
        timeout=ClientTimeout(policy.TOTAL, sock_connect=policy.CONNECT, sock_read=policy.READ),
        headers=policy.HEADERS,
        cookie_jar=DummyCookieJar(),  # no task sees the cookies of another
    )


async def fetch(session: ClientSession, request: Request, sink: Callable[[bytes], object]) -> Page:
    """Send the request, again if that may help, and give the body to `sink`, piece by piece.

    Raises FetchError for a status of 400 or more, and for whatever else went wrong for good.
    """
    policy.check(request)
    async with _turn(request):
        try:
            return await _try(session, request, sink)
        except Unavailable as error:
            first = error
        async for attempt in policy.tries():
            with attempt:
                if attempt.num == 1:  # made above: these tries cost as much as half a request
                    raise first
                return await _try(session, request, sink)
        raise first


async def _try(session: ClientSession, request: Request, sink: Callable[[bytes], object]) -> Page:
    url, method, headers, data = request
    size = 0
    try:
        async with session.request(
            method, url, headers=headers, data=data, max_redirects=policy.REDIRECTS
        ) as response:
            if response.status >= 400:
                retry_after = response.headers.get("Retry-After")
                raise policy.refused(request, response.status, response.reason, retry_after)
            async for piece in response.content.iter_any():
                size += len(piece)
                if size > policy.MAX_BODY:
                    raise policy.too_large(request)
                sink(piece)
            content_type = response.headers.get("Content-Type", "")
            return Page(response.status, str(response.url), size, content_type)
    except TooManyRedirects:
        raise FetchError(f"{request}: more than {policy.REDIRECTS} redirects") from None
    except (ClientError, OSError, UnicodeError) as error:  # the last: a host that cannot be a name
        if isinstance(error, TimeoutError) and not isinstance(error, ClientError):
            raise policy.too_slow(request) from None
        kind = Unavailable if _passing(error, request) and not size else FetchError
        raise kind(f"{request}: {error or type(error).__name__}") from error


def _passing(error: Exception, request: Request) -> bool:
    """Whether the request did not get through, and may be sent again."""
    if isinstance(error, ClientSSLError):
        return False  # a bad certificate stays bad
    if isinstance(error, ClientConnectorError | ConnectionTimeoutError):
        return True  # it was never sent
    return isinstance(error, ClientOSError | ServerDisconnectedError) and request.idempotent


def _turn(request: Request) -> AbstractAsyncContextManager[object]:
    """Hold one of the PER_HOST places at the host, the pauses between tries included."""
    if policy.PER_HOST is None:
        return nullcontext()
    return _turns.setdefault(policy.host(request), asyncio.Semaphore(policy.PER_HOST))
