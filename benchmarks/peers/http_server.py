"""A server that answers every request after DELAY seconds, over kept connections: prints its port.

    python http_server.py DELAY [CAPACITY]

It does nothing else, so that it is never what a client waits for, unless it is to serve CAPACITY
requests at a time: then the others queue. It ends with its stdin, and then prints the seconds of
CPU that it took.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections import deque
from collections.abc import Callable

DELAY = float(sys.argv[1])
CAPACITY = int(sys.argv[2]) if len(sys.argv) > 2 else sys.maxsize
BODY = b"x" * 1000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n"
ANSWER = HEAD % len(BODY) + BODY


class Counter:
    """Where requests are served, CAPACITY at a time, in the order in which they came."""

    def __init__(self) -> None:
        self._free, self._queue = CAPACITY, deque[Callable[[], None]]()

    def serve(self, answer: Callable[[], None]) -> None:
        """Answer after the delay, once there is room."""
        if not self._free:
            self._queue.append(answer)
            return
        self._free -= 1
        asyncio.get_running_loop().call_later(DELAY, self._over, answer)

    def _over(self, answer: Callable[[], None]) -> None:
        answer()
        self._free += 1
        if self._queue:
            self.serve(self._queue.popleft())


COUNTER = Counter()


class Connection(asyncio.Protocol):
    """One request after the other, without a body."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to answer on."""
        self.transport = transport
        self.received = b""

    def data_received(self, data: bytes) -> None:
        """Answer, later, each request that is complete."""
        *requests, self.received = (self.received + data).split(b"\r\n\r\n")
        for _ in requests:
            COUNTER.serve(self.answer)

    def answer(self) -> None:
        """Send the same as always."""
        if isinstance(self.transport, asyncio.Transport) and not self.transport.is_closing():
            self.transport.write(ANSWER)


async def serve() -> None:
    """Until stdin ends."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()

    def wait() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(over.set)

    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    threading.Thread(target=wait, daemon=True).start()
    await over.wait()


asyncio.run(serve())
print(time.process_time())
