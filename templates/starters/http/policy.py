"""How requests behave: what they may take, what is tried again, what counts as failed.

The constants are here to be tuned. `fetch.py` keeps to them.
"""

from __future__ import annotations

import email.message
import email.utils
import re
import time
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from stamina import Attempt

CONNECT = 5.0  # seconds to connect: a host that is there answers within one or two round trips
READ = 15.0  # seconds without a byte from the server, before its answer or in the middle of it
TOTAL = 60.0  # seconds that one try may take, redirects and body included
MAX_BODY = 10 << 20  # bytes, unpacked: 10 MB is far more than a page, and 100 at once fit in memory
REDIRECTS = 5  # more is a loop, or near enough
PER_HOST: int | None = None  # requests at once to one host, in one process; None: no limit

RETRIES = 3  # tries after the first, for what another try may mend
PAUSE = 0.5  # seconds before the second try, doubled for each further one, and up to as much again
LONGEST_PAUSE = 30.0  # seconds: a longer Retry-After is cut, for the task holds its slot meanwhile
RETRY_STATUS = frozenset({429, 502, 503, 504})  # the server or a proxy says: not now
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})  # RFC 9110, 9.2.2

URL = re.compile(r"https?://[^/?#\s]", re.IGNORECASE)  # the rest is for the client to judge
HEADERS = {"User-Agent": __package__ or "python"}  # many servers turn away a library's own name


class Request(NamedTuple):
    """What to ask for."""

    url: str
    method: str = "GET"
    headers: dict[str, str] | None = None
    data: str | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.url}"

    @property
    def idempotent(self) -> bool:
        """It may be sent twice."""
        return self.method in IDEMPOTENT


class Page(NamedTuple):
    """What came back, without the body."""

    status: int
    url: str  # after redirects
    size: int  # bytes, unpacked
    content_type: str


class FetchError(Exception):
    """A request that failed; the text names it and says why."""


class Unavailable(FetchError):
    """One that may be tried again, `after` so many seconds if the server said so."""

    after: float | None = None


def again(error: Exception) -> bool | float:
    """Whether to try again; how many seconds to wait before, where the server says so."""
    if not isinstance(error, Unavailable):
        return False
    return True if error.after is None else error.after


class Tries(Protocol):
    """Says of every try whether there is one more, and waits before it: `for` or `async for`."""

    def __iter__(self) -> Iterator[Attempt]: ...

    def __aiter__(self) -> AsyncIterator[Attempt]: ...


def tries() -> Tries:
    """Return the tries of one request, the first included."""
    import stamina  # slow to import, and only failures need it

    stamina.instrumentation.set_on_retry_hooks([])  # by default each retry is a line on stderr
    return stamina.retry_context(
        on=again,
        attempts=1 + RETRIES,
        timeout=None,
        wait_initial=PAUSE,
        wait_max=LONGEST_PAUSE,
        wait_jitter=PAUSE,
    )


def refused(
    request: Request, status: int, reason: str | None, retry_after: str | None
) -> FetchError:
    """Return the error for a status of 400 or more."""
    text = f"{request}: {status} {reason or ''}".rstrip()
    if status not in RETRY_STATUS or not request.idempotent:
        return FetchError(text)
    error = Unavailable(text)
    error.after = _seconds(retry_after)
    return error


def too_large(request: Request) -> FetchError:
    """Return the error for a body that was not read to its end."""
    return FetchError(f"{request}: the body is larger than {MAX_BODY:,} bytes (MAX_BODY)")


def too_slow(request: Request) -> FetchError:
    """Return the error for an answer that takes too long as a whole."""
    return FetchError(f"{request}: not complete after {TOTAL:g} s (TOTAL)")


def check(request: Request) -> None:
    """Raise FetchError for what is no URL of the web: another scheme, or none, or no host."""
    if not URL.match(request.url):
        raise FetchError(f"{request}: not an http or https URL")


def host(request: Request) -> str:
    """Return the host with its port, such as example.com:8080."""
    return urlsplit(request.url).netloc.rpartition("@")[2]


def decode(body: bytes | bytearray, content_type: str) -> str:
    """Return the text of a body as a browser reads it: UTF-8 unless its type names another."""
    header = email.message.Message()
    header["content-type"] = content_type
    try:
        return body.decode(header.get_content_charset("utf-8"), "replace")
    except LookupError:  # no such charset
        return body.decode("utf-8", "replace")


def _seconds(retry_after: str | None) -> float | None:
    """Return the seconds that a Retry-After asks for, as a number or as a date."""
    if retry_after is None:
        return None
    try:
        wanted = float(retry_after)
    except ValueError:
        try:
            wanted = email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time()
        except ValueError:
            return None
    return min(max(0.0, wanted), LONGEST_PAUSE)
