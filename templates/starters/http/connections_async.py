"""Connections of aiohttp that all tasks share, and that do nothing by themselves."""

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from . import policy

IDLE = 2.0  # seconds that an unused connection is kept: with many hosts, idle ones pile up


def setup(size: int) -> ClientSession:
    """Return the session for `size` tasks in flight: a connection for each, so that none waits."""
    return ClientSession(
        connector=TCPConnector(limit=size, keepalive_timeout=IDLE),
        timeout=ClientTimeout(None, sock_connect=policy.CONNECT, sock_read=policy.READ),
        skip_auto_headers=("Content-Type",),
        cookie_jar=DummyCookieJar(),  # no task sees the cookies of another
        auto_decompress=False,  # aiohttp takes a body that breaks off for a whole one
        max_line_size=policy.MAX_HEADER,
        max_field_size=policy.MAX_HEADER,
    )
