"""A request and its answer, and what goes wrong between them."""

from __future__ import annotations

import codecs
import email.message
import email.utils
import re
import time
from collections.abc import Mapping
from datetime import UTC
from http import HTTPStatus
from typing import NamedTuple

from . import policy
from .runner.task import Overloaded, RetryAfter

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})  # RFC 9110, 9.2.2
STATUSES = frozenset(HTTPStatus)
EXCERPT = 300  # characters of a server's own words in an error

SNIFFED = 1024  # bytes in which HTML has to name its charset
CHARSET = re.compile(rb"<meta[^>]*charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
MARKS = (  # the byte order marks
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Request(NamedTuple):
    """What to ask for."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = {}
    data: str | None = None

    def __str__(self) -> str:
        """Name it in errors."""
        return f"{self.method} {shown(self.url)}"

    @property
    def idempotent(self) -> bool:
        """It may be sent twice."""
        return self.method in IDEMPOTENT or "idempotency-key" in map(str.lower, self.headers)


class Page(NamedTuple):
    """What came back, without the body."""

    status: int
    url: str  # after redirects
    size: int  # bytes, unpacked
    content_type: str


class FetchError(Exception):
    """A request that failed; the text names it and says why."""

    final = True  # for the engine: another try would end the same way
    status: int | None = None


class Unavailable(FetchError):
    """A request that failed, and may succeed in another try."""

    final = False


def refused(request: Request, status: int, headers: Mapping[str, str], body: bytes) -> Exception:
    """Return the error for a status that is no answer: 400 or more, or 101.

    It is Overloaded or RetryAfter where the server only asks to wait: then the engine does so.
    """
    phrase = HTTPStatus(status).phrase if status in STATUSES else ""
    text = f"{request}: {status} {phrase}".rstrip()
    if body.lstrip().startswith(b"{"):  # JSON: what the server has to say
        text += f": {excerpt(request, body)}"
    if request.idempotent or status == 429:  # 429: it was refused, not done
        wait = seconds(headers.get("Retry-After")) if status in policy.BUSY | policy.BROKEN else 0
        if wait > policy.LONGEST_WAIT:
            return FetchError(f"{text}, and asks to wait for {wait:,.0f} s (LONGEST_WAIT)")
        if wait:
            return RetryAfter(wait, text)
        if status in policy.BUSY:
            return Overloaded(text)
        if status in policy.BROKEN:
            return Unavailable(text)
    error = FetchError(text)
    error.status = status
    return error


def shown(url: str) -> str:
    """Return the URL without the user and the password that it may have."""
    return re.sub(r"//[^/?#]*@", "//", url)


def too_large(request: Request) -> FetchError:
    """Return the error for a body that was not read to its end."""
    return FetchError(f"{request}: the body is larger than {policy.MAX_BODY:,} bytes (MAX_BODY)")


def too_slow(request: Request) -> FetchError:
    """Return the error for an answer that takes too long as a whole."""
    return FetchError(f"{request}: not complete after {policy.TOTAL:g} s (TOTAL)")


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
    except (LookupError, ValueError):  # no such charset, or not for text
        return body.decode("utf-8", "replace")


def seconds(retry_after: str | None) -> float:
    """Return the seconds that a Retry-After asks for, as a number or as a date; 0 for neither."""
    text = (retry_after or "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    try:
        date = email.utils.parsedate_to_datetime(text)
        wait = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - time.time()
    except (ValueError, OverflowError):
        return 0.0
    return max(0.0, wait)


def excerpt(request: Request, body: bytes | bytearray) -> str:
    """Return the start of a body as one line, without what the request keeps secret."""
    text = " ".join(body.decode("utf-8", "replace").split())
    for secret in re.findall(r"\S{4,}", " ".join(request.headers.values())):
        text = text.replace(secret, "***")
    return text[:EXCERPT]
