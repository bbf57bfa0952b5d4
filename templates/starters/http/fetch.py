"""One request with urllib3, kept to `policy.py`, over connections that belong to one worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from weakref import WeakValueDictionary

from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, ProtocolError

from . import policy
from .connections import DEADLINE, HOSTS, TARGET, setup
from .request import FetchError, Page, Request, Unavailable, refused, too_slow
from .wire import REDIRECTS, Body, Hop, first_hop, next_hop

__all__ = ["HOSTS", "fetch", "setup"]

PIECE = 1 << 16  # bytes read at once, at most

_turns: WeakValueDictionary[str, threading.Semaphore] = WeakValueDictionary()
_lock = threading.Lock()


def fetch(
    pool: PoolManager,
    request: Request,
    sink: Callable[[bytes], object],
    learn: Callable[[Mapping[str, str]], object] = len,
) -> Page:
    """Send the request, and give the body of its answer to `sink`, piece by piece.

    `learn` gets the headers of every answer. Raises FetchError for a status of 400 or more and for
    whatever else went wrong, Overloaded or RetryAfter where the server asks to wait.
    """
    hop = first_hop(request)
    with _turn(hop.host):
        return _follow(pool, request, hop, sink, learn)


def _follow(
    pool: PoolManager,
    request: Request,
    hop: Hop,
    sink: Callable[[bytes], object],
    learn: Callable[[Mapping[str, str]], object],
) -> Page:
    """Follow the redirects here, not in urllib3: it reads their bodies to the end."""
    deadline = time.monotonic() + policy.TOTAL
    for _ in range(1 + policy.REDIRECTS):
        with closing(_send(pool, request, hop, deadline)) as response:
            status, headers = response.status, response.headers
            learn(headers)
            location, start = headers.get("Location") if status in REDIRECTS else None, b""
            if location or status >= 400:
                with suppress(HTTPError):
                    start = response.read1(PIECE)  # mostly all: then the connection is kept
            if status >= 400 or status < 200:
                raise refused(request, status, headers, start)
            if not location:
                body = Body(request, headers.get("Content-Encoding"), sink)
                _receive(response, request, deadline, body)
                return Page(status, hop.url, body.end(), headers.get("Content-Type", ""))
        hop = next_hop(request, hop, status, location.encode("latin-1"))
    raise FetchError(f"{request}: more than {policy.REDIRECTS} redirects")


def _send(pool: PoolManager, request: Request, hop: Hop, deadline: float) -> BaseHTTPResponse:
    """Return the answer, its body unread, to `hop`: one of the requests that `request` leads to."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise too_slow(request)
    try:
        return pool.request(
            hop.method,
            f"{hop.scheme}://{hop.host}/",
            body=hop.data,
            headers={**hop.headers, TARGET: hop.target, DEADLINE: str(deadline)},
            timeout=Timeout(connect=min(policy.CONNECT, left), read=min(policy.READ, left)),
            redirect=False,
            retries=False,
            preload_content=False,
            decode_content=False,
        )
    except (HTTPError, UnicodeError) as error:  # UnicodeError: the host cannot be a name
        raise _failed(request, error, deadline) from error


def _receive(response: BaseHTTPResponse, request: Request, deadline: float, body: Body) -> None:
    try:
        while piece := response.read1(PIECE):  # what is there: read() would wait for all of it
            body.add(piece)
    except HTTPError as error:
        raise _failed(request, error, deadline) from error


def _failed(request: Request, error: Exception, deadline: float) -> FetchError:
    if time.monotonic() >= deadline:
        return too_slow(request)
    never_sent = isinstance(error, ConnectTimeoutError)
    broken = isinstance(error, ProtocolError) and request.idempotent
    return (Unavailable if never_sent or broken else FetchError)(f"{request}: {error}")


def _turn(host: str) -> AbstractContextManager[object]:
    """Hold one of the PER_HOST places at the host."""
    if policy.PER_HOST is None:
        return nullcontext()
    with _lock:
        return _turns.setdefault(host, threading.Semaphore(policy.PER_HOST))
