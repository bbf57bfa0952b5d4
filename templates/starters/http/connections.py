"""Connections of urllib3 that send what they are told, and wait no longer than they may.

By itself urllib3 rewrites paths, takes `103 Early Hints` for the answer, and waits for ever on
headers that come drop by drop.
"""

from __future__ import annotations

import io
import socket
import time
from functools import partial
from http.client import HTTPResponse
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

HOSTS = 4  # hosts that a worker keeps a connection to: the latest ones
TARGET, DEADLINE = ":target", ":deadline"  # passed on as headers, and not sent


def setup() -> PoolManager:
    """Return the connections of one worker: it sends one request at a time."""
    pool = PoolManager(num_pools=HOSTS, maxsize=1)
    pool.pool_classes_by_scheme = {"http": Pool, "https": SecurePool}
    return pool


class Told:
    """A connection that takes the target and the deadline from the headers."""

    response_class: Any

    def request(
        self, method: str, url: str, body: Any = None, headers: Any = None, **options: Any
    ) -> None:
        """Send a request."""
        sent = dict(headers)
        target, deadline = sent.pop(TARGET), float(sent.pop(DEADLINE))
        self.response_class = partial(Answer, deadline=deadline)
        super().request(method, target, body, sent, **options)  # type: ignore[misc]


class Connection(Told, HTTPConnection):
    """A connection to an http URL."""


class SecureConnection(Told, HTTPSConnection):
    """A connection to an https URL."""


class Pool(HTTPConnectionPool):
    """The connections to one host."""

    ConnectionCls = Connection


class SecurePool(HTTPSConnectionPool):
    """The same with TLS."""

    ConnectionCls = SecureConnection


class Answer(HTTPResponse):
    """The final answer, headers and body, which has to be there by the deadline."""

    def __init__(
        self, sock: socket.socket, *arguments: Any, deadline: float, **options: Any
    ) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp = io.BufferedReader(Incoming(self.fp.detach(), sock, deadline))

    def begin(self) -> None:
        """Read the headers, those of informational answers before it as well."""
        super().begin()
        while 100 <= self.status < 200 and self.status != 101:
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()


class Incoming(io.RawIOBase):
    """What a socket brings until the deadline."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float) -> None:
        self._raw, self._socket, self._deadline = raw, sock, deadline
        self._pause = sock.gettimeout()  # between two pieces, at most

    def readable(self) -> bool:
        """Return True: the buffer around it asks."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Fill the buffer as far as there is something; raise TimeoutError after the deadline."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left if self._pause is None else min(self._pause, left))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Close the socket's file."""
        self._raw.close()
        super().close()
