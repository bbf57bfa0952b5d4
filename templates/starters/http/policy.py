"""How requests behave: what they may take, what is tried again, what counts as failed.

The constants are here to be tuned. `fetch.py` keeps to them.
"""

from __future__ import annotations

import codecs
import email.message
import email.utils
import re
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from stamina import Attempt

CONNECT = 5.0  # seconds to connect: a host that is there answers within one or two round trips
READ = 15.0  # seconds without a byte from the server, before its answer or in the middle of it
TOTAL = 60.0  # seconds that one try may take, redirects and body included
MAX_BODY = 10 << 20  # bytes, unpacked: 10 MB is far more than a page, and 100 at once fit in memory
MAX_HEADER = 1 << 16  # bytes of a line of an answer's headers: urllib3 has that limit too
REDIRECTS = 5  # more is a loop, or near enough
PER_HOST: int | None = None  # requests at once to one host, in one process; None: no limit

RETRIES = 3  # tries after the first, for what another try may mend
PAUSE = 0.5  # seconds before the second try, doubled for each further one, and up to as much again
LONGEST_PAUSE = 30.0  # seconds: a longer Retry-After is cut, for the task holds its slot meanwhile
RETRY_STATUS = frozenset({429, 502, 503, 504})  # the server or a proxy says: not now
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})  # RFC 9110, 9.2.2

# What is sent unless the item says otherwise. Many servers turn away a library's own name.
HEADERS = {
    "User-Agent": __package__ or "python",
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate",
}

SNIFFED = 1024  # bytes in which HTML has to name its charset
CHARSET = re.compile(rb"<meta[^>]*charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
MARKS = (  # the byte order marks
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_STATUSES = frozenset(HTTPStatus)


class Request(NamedTuple):
    """What to ask for."""

    url: str
    method: str = "GET"
    headers: dict[str, str] | None = None
    data: str | None = None

    def __str__(self) -> str:
        """Name it in errors."""
        return f"{self.method} {shown(self.url)}"

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


def refused(request: Request, status: int, retry_after: str | None) -> FetchError:
    """Return the error for a status that is no answer: 400 or more, or 101."""
    phrase = HTTPStatus(status).phrase if status in _STATUSES else ""
    text = f"{request}: {status} {phrase}".rstrip()
    if status not in RETRY_STATUS or not request.idempotent:
        return FetchError(text)
    error = Unavailable(text)
    error.after = _seconds(retry_after)
    return error


def shown(url: str) -> str:
    """Return the URL without the user and the password that it may have."""
    return re.sub(r"//[^/?#]*@", "//", url)


def too_large(request: Request) -> FetchError:
    """Return the error for a body that was not read to its end."""
    return FetchError(f"{request}: the body is larger than {MAX_BODY:,} bytes (MAX_BODY)")


def too_slow(request: Request) -> FetchError:
    """Return the error for an answer that takes too long as a whole."""
    return FetchError(f"{request}: not complete after {TOTAL:g} s (TOTAL)")


def decode(body: bytes | bytearray, content_type: str) -> str:
    """Return the text of a body as a browser reads it.

    A byte order mark counts most, then the charset of the type, then what HTML says of itself;
    without any of them it is UTF-8.
    """
    header = email.message.Message()
    header["content-type"] = content_type
    inside = CHARSET.search(body, 0, SNIFFED) if "html" in content_type.lower() else None
    charset = header.get_content_charset(inside[1].decode() if inside else "utf-8")
    marks = [name for mark, name in MARKS if body.startswith(mark)]
    try:
        return body.decode(marks[0] if marks else charset, "replace")
    except (LookupError, ValueError):  # no such charset, or none of text
        return body.decode("utf-8", "replace")


def _seconds(retry_after: str | None) -> float | None:
    """Return the seconds that a Retry-After asks for, as a number or as a date."""
    try:
        wanted = float(retry_after or "nan")
    except ValueError:
        try:
            date = email.utils.parsedate_to_datetime(retry_after or "")
        except (ValueError, OverflowError):
            return None
        wanted = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - time.time()
    return min(max(0.0, wanted), LONGEST_PAUSE) if wanted == wanted else None
