"""One request with urllib3, kept to `policy.py`, over connections that belong to one worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from urllib.parse import urljoin, urlsplit
from weakref import WeakValueDictionary

from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, ProtocolError
from urllib3.util import Retry, make_headers

from . import policy
from .policy import FetchError, Page, Request, Unavailable

HOSTS = 4  # hosts that a worker keeps a connection to: the latest ones
PIECE = 1 << 16  # bytes read at once, at most
HEADERS = policy.HEADERS | make_headers(accept_encoding=True)

_turns: WeakValueDictionary[str, threading.Semaphore] = WeakValueDictionary()
_lock = threading.Lock()


def setup() -> PoolManager:
    """Return the connections of one worker: it sends one request at a time."""
    return PoolManager(num_pools=HOSTS, maxsize=1)


def fetch(pool: PoolManager, request: Request, sink: Callable[[bytes], object]) -> Page:
    """Send the request, again if that may help, and give the body to `sink`, piece by piece.

    Raises FetchError for a status of 400 or more, and for whatever else went wrong for good.
    """
    policy.check(request)
    with _turn(request):
        try:
            return _try(pool, request, sink)
        except Unavailable as error:
            first = error
        for attempt in policy.tries():
            with attempt:
                if attempt.num == 1:  # made above, for tries() costs as much as half a request
                    raise first
                return _try(pool, request, sink)
        raise first


def _try(pool: PoolManager, request: Request, sink: Callable[[bytes], object]) -> Page:
    """Follow the redirects here: urllib3 reads their bodies to the end, which may never come."""
    deadline = time.monotonic() + policy.TOTAL
    hop = request
    for _ in range(1 + policy.REDIRECTS):
        with closing(_send(pool, request, hop, deadline)) as response:
            location = response.get_redirect_location()
            if location or response.status >= 400:
                with suppress(HTTPError):
                    response.read1(PIECE)  # mostly all of it: then the connection is kept
            if response.status >= 400:
                retry_after = response.headers.get("Retry-After")
                raise policy.refused(request, response.status, response.reason, retry_after)
            if not location:
                size = _receive(response, request, deadline, sink)
                content_type = response.headers.get("Content-Type", "")
                return Page(response.status, hop.url, size, content_type)
        hop = _redirected(hop, response.status, location)
    raise FetchError(f"{request}: more than {policy.REDIRECTS} redirects")


def _send(pool: PoolManager, request: Request, hop: Request, deadline: float) -> BaseHTTPResponse:
    """Return the answer, its body unread, to `hop`: one of the requests that `request` leads to."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise policy.too_slow(request)
    try:
        return pool.request(
            hop.method,
            hop.url,
            body=hop.data,
            headers=HEADERS | (hop.headers or {}),
            timeout=Timeout(connect=min(policy.CONNECT, left), read=min(policy.READ, left)),
            redirect=False,
            retries=False,
            preload_content=False,
        )
    except (HTTPError, UnicodeError) as error:  # the latter of a host that cannot be a name
        never_sent = isinstance(error, ConnectTimeoutError)
        cut_off = isinstance(error, ProtocolError) and request.idempotent
        kind = Unavailable if never_sent or cut_off else FetchError
        raise kind(f"{request}: {error}") from error


def _receive(
    response: BaseHTTPResponse,
    request: Request,
    deadline: float,
    sink: Callable[[bytes], object],
) -> int:
    """Give the body to `sink`; return its size in bytes. READ may come on top of the deadline."""
    size = 0
    try:
        while piece := response.read1(PIECE):  # what is there: read() would wait for all of it
            size += len(piece)
            if size > policy.MAX_BODY:
                raise policy.too_large(request)
            if time.monotonic() > deadline:
                raise policy.too_slow(request)
            sink(piece)
    except HTTPError as error:
        raise FetchError(f"{request}: {error}") from error
    return size


def _redirected(hop: Request, status: int, location: str) -> Request:
    """Return the next request, as browsers make it: without secrets when the origin changes."""
    url, headers = urljoin(hop.url, location), hop.headers or {}
    if urlsplit(url)[:2] != urlsplit(hop.url)[:2]:
        secret = {name.lower() for name in Retry.DEFAULT_REMOVE_HEADERS_ON_REDIRECT}
        headers = {name: text for name, text in headers.items() if name.lower() not in secret}
    if (status == 303 and hop.method != "HEAD") or (status < 303 and hop.method == "POST"):
        return Request(url, "GET", headers)
    return hop._replace(url=url, headers=headers)


def _turn(request: Request) -> AbstractContextManager[object]:
    """Hold one of the PER_HOST places at the host, the pauses between tries included."""
    if policy.PER_HOST is None:
        return nullcontext()
    with _lock:
        return _turns.setdefault(policy.host(request), threading.Semaphore(policy.PER_HOST))
