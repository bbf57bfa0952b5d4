"""A server with a limit, for benchmarks/limits.py: python limited.py KIND PORT.

`GET /` is work, `GET /state` what it has seen as JSON. It counts by its own clock, and answers a
refusal at once.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque

SERVICE = 0.05  # seconds that one request takes
RATE = 10  # requests a second that `rate` accepts, in any second
SLOTS = 20  # that `slots` serves at a time; the others wait
CROWD = 30  # in flight, above which `refuse` says 503
CORES = 4  # that the requests in flight at `sharing` share
CAPACITY = ((30.0, 50), (60.0, 10), (1e9, 50))  # of `changing`: until when, how many at a time
CHANGING = 0.1  # seconds that one request takes there


class Server:
    """What it has seen, and how it answers."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.began: float | None = None
        self.stamps: deque[float] = deque()
        self.requests = self.refused = self.in_flight = self.peak = 0
        self.latencies: list[float] = []
        self.taken: list[float] = []  # when each request came that was not refused
        self.turn = asyncio.Condition()
        self.work = 0.0  # that every request in flight was given so far, under `sharing`
        self.looked = 0.0

    async def answer(self) -> tuple[int, str]:
        """A status, and the seconds to wait if it is a refusal that names them."""
        now = time.monotonic()
        self.began = self.began or now
        self.requests += 1
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            status, after = await getattr(self, self.kind)(now)
            if status == 200:
                self.taken.append(now)
            return status, after
        finally:
            self.in_flight -= 1
            self.latencies.append(time.monotonic() - now)

    async def stamp(self, _now: float) -> tuple[int, str]:
        """Nothing but the time."""
        return 200, ""

    async def rate(self, now: float) -> tuple[int, str]:
        """So many in any second."""
        while self.stamps and self.stamps[0] <= now - 1:
            self.stamps.popleft()
        if len(self.stamps) >= RATE:
            self.refused += 1
            return 429, "1"
        self.stamps.append(now)
        await asyncio.sleep(SERVICE)
        return 200, ""

    async def refuse(self, _now: float) -> tuple[int, str]:
        """No more than so many in flight."""
        if self.in_flight > CROWD:
            self.refused += 1
            return 503, ""
        await asyncio.sleep(SERVICE)
        return 200, ""

    async def slots(self, _now: float) -> tuple[int, str]:
        """So many at a time."""
        return await self._queue(lambda: SLOTS, SERVICE)

    async def changing(self, _now: float) -> tuple[int, str]:
        """So many at a time, and at times fewer."""

        def capacity() -> int:
            since = time.monotonic() - (self.began or 0.0)
            return next(slots for until, slots in CAPACITY if since < until)

        return await self._queue(capacity, CHANGING)

    async def _queue(self, capacity: object, service: float) -> tuple[int, str]:
        async with self.turn:
            while self.served >= capacity():  # type: ignore[operator]
                await self.turn.wait()
            self.served += 1
        await asyncio.sleep(service)
        async with self.turn:
            self.served -= 1
            self.turn.notify()
        return 200, ""

    served = 0

    async def sharing(self, _now: float) -> tuple[int, str]:
        """Each gets its part of the cores."""
        self._share(1)
        goal = self.work + SERVICE
        try:
            while (remaining := goal - self.work) > 1e-6:
                await asyncio.sleep(remaining * max(1.0, self.in_flight / CORES))
                self._share(0)
        finally:
            self._share(-1)
        return 200, ""

    def _share(self, more: int) -> None:
        now = time.monotonic()
        before = max(1, self.in_flight - max(0, more))
        self.work += (now - self.looked) * min(1.0, CORES / before)
        self.looked = now

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection until it ends."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                status, after, body = 200, "", b""
                if head.startswith(b"GET /state "):
                    body = json.dumps(self.state()).encode()
                else:
                    status, after = await self.answer()
                wait = f"Retry-After: {after}\r\n" if after else ""
                start = f"HTTP/1.1 {status} -\r\n{wait}Content-Length: {len(body)}\r\n\r\n"
                writer.write(start.encode() + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def state(self) -> dict[str, object]:
        """All that it has seen."""
        latencies = sorted(self.latencies) or [0.0]
        return {
            "taken": sorted(self.taken),
            "requests": self.requests,
            "refused": self.refused,
            "peak": self.peak,
            "latency": latencies[len(latencies) // 2],
            "in_flight": self.in_flight,
        }


async def main(kind: str, port: int) -> None:
    """Serve until killed."""
    server = Server(kind)
    async with await asyncio.start_server(
        server.connected, "127.0.0.1", port, backlog=2048
    ) as listening:
        print(listening.sockets[0].getsockname()[1], flush=True)
        await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
