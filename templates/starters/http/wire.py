"""What goes over the wire: the same bytes whatever client sends them, and a body that is whole."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import quote, unquote, urljoin

from . import policy
from .request import FetchError, Request, shown, too_large

# The client checks the host. A fragment is never sent.
URL = re.compile(
    r"(https?)://(?:([^/?#\\]*)@)?([^/?#\\@\s]+)([^#]*)(?:#.*)?", re.IGNORECASE | re.DOTALL
)
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a method or a header's name, RFC 9110, 5.6.2
LINE = re.compile(r"[\t -~]*")
VISIBLE = "".join(map(chr, range(0x21, 0x7F)))  # what may stand in a request line as it is
REDIRECTS = frozenset({301, 302, 303, 307, 308})
# The headers that follow a redirect to another origin: they are no secret.
FOLLOWS = frozenset({"accept", "accept-encoding", "content-type", "range", "user-agent"})
PIECE = 1 << 16  # bytes unpacked at once, at most: a small piece may hold a thousand times as much


class Hop(NamedTuple):
    """A request as it is sent: the one that was asked for, or where a redirect leads."""

    method: str
    scheme: str
    host: str  # with its port, as in example.com:8080
    target: str  # path and query as they were given, for a signature may cover them
    headers: dict[str, str]
    data: bytes | None

    @property
    def url(self) -> str:
        """The URL, without user, password and fragment."""
        return f"{self.scheme}://{self.host}{self.target}"


def first_hop(request: Request) -> Hop:
    """Return what to send; raise FetchError for what cannot be sent, or not by every client."""
    data = None if request.data is None else request.data.encode()
    try:
        if not TOKEN.fullmatch(request.method):
            raise ValueError("not a method")
        for name, text in request.headers.items():
            if not TOKEN.fullmatch(name) or not isinstance(text, str) or not LINE.fullmatch(text):
                raise ValueError(f"header {name!r}: not one line of ASCII text")
        return _hop(request.url, request.method, merged(request.headers), data)
    except ValueError as error:
        raise FetchError(f"{request}: {error}") from error


def next_hop(request: Request, hop: Hop, status: int, location: bytes) -> Hop:
    """Return what a redirect asks for, as browsers do it; another origin learns no secrets."""
    method, data = hop.method, hop.data
    if (status == 303 and method != "HEAD") or (status < 303 and method == "POST"):
        method, data = "GET", None
    url = quote(location.strip(), safe=VISIBLE)
    try:
        following = _hop(urljoin(hop.url, url), method, {}, data)
    except ValueError as error:
        raise FetchError(f"{request}: redirected to {shown(url)}: {error}") from error
    same = (following.scheme, following.host) == (hop.scheme, hop.host)
    kept = {name: text for name, text in hop.headers.items() if same or name.lower() in FOLLOWS}
    return following._replace(headers=kept | following.headers)


def merged(own: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of HEADERS and `own`, which win, whatever the case of their names."""
    names = {name.lower() for name in own}
    return {
        name: text for name, text in policy.HEADERS.items() if name.lower() not in names
    } | dict(own)


def _hop(url: str, method: str, headers: dict[str, str], data: bytes | None) -> Hop:
    parts = URL.fullmatch(url.strip())
    if parts is None:
        raise ValueError("not an http or https URL")
    scheme, login, host, target = parts.groups()
    name, colon, port = host.lower().partition(":")
    if not name.isascii():
        import idna  # few names need it

        name = idna.encode(name, uts46=True).decode()
    if login is not None and "authorization" not in map(str.lower, headers):
        basic = base64.b64encode(unquote(login).encode()).decode()
        headers = headers | {"Authorization": f"Basic {basic}"}
    path = quote(target if target.startswith("/") else f"/{target}", safe=VISIBLE)
    return Hop(method, scheme.lower(), f"{name}{colon}{port}", path, headers, data)


class Body:
    """A body as it comes: unpacked, no larger than MAX_BODY, and handed to `sink`."""

    def __init__(
        self, request: Request, encoding: str | None, sink: Callable[[bytes], object]
    ) -> None:
        self._request, self._sink = request, sink
        self._encoding = (encoding or "identity").strip().lower().removeprefix("x-")
        self._unpacker: zlib._Decompress | None = None
        self._size = 0  # bytes, unpacked

    def add(self, piece: bytes) -> None:
        """Take the next piece, as it was sent."""
        if self._encoding == "identity":
            self._give(piece)
        elif self._encoding in ("gzip", "deflate"):
            try:
                self._unpack(piece)
            except zlib.error as error:
                raise FetchError(f"{self._request}: {self._encoding}: {error}") from error
        else:
            raise FetchError(f"{self._request}: the body is packed as {self._encoding!r}, unasked")

    def end(self) -> int:
        """Return its size; raise FetchError when packed bytes break off."""
        if self._unpacker is not None and not self._unpacker.eof:
            raise FetchError(f"{self._request}: the {self._encoding} body breaks off")
        return self._size

    def _unpack(self, piece: bytes) -> None:
        while piece:
            if self._unpacker is None or (self._unpacker.eof and piece[0] == 0x1F):
                self._unpacker = zlib.decompressobj(self._window(piece[0]))
            elif self._unpacker.eof:
                return  # padding after the last part
            while unpacked := self._unpacker.decompress(piece, PIECE):
                self._give(unpacked)
                piece = self._unpacker.unconsumed_tail
            piece = self._unpacker.unused_data

    def _window(self, first: int) -> int:
        """Return what zlib takes for gzip, for zlib, or for the bare deflate that some send."""
        return 31 if self._encoding == "gzip" else 15 if first & 15 == 8 else -15

    def _give(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > policy.MAX_BODY:
            raise too_large(self._request)
        self._sink(piece)
