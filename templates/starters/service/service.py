"""Command line of the web service: python -m PACKAGE.service. The parts are app.py and bridge.py.

The first SIGTERM or Ctrl-C lets running tasks finish, the second ends the service at once.
"""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING

from . import settings
from .runner import engine, limits
from .runner.lifecycle import INTERRUPTED, begin, leave
from .runner.machine import NotReady
from .runner.prints import say, show_records, whole_lines

if TYPE_CHECKING:
    from .bridge import Bridge
    from .runner.values import Encode

OK, FAILED, USAGE = 0, 1, 2
PATIENCE = 30  # seconds that running tasks get to finish, as long as Kubernetes gives
BACKLOG = 1024  # connections that may wait to be accepted, so that a crowd gets its 503 in words


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until a signal; exit code 0 stopped, 1 the engine failed, 2 usage, 130 at once."""
    parser = _parser()
    args = parser.parse_args(argv)
    begin()
    whole_lines()
    if args.timeout is not None and not args.timeout > 0:
        parser.error("--timeout has to be above 0")
    try:
        ready = limits.prepare(args.max_workers, args.rate, {})
        listener = _listen(args.host, args.port)
    except NotReady as exc:
        say(f"error: {exc}")
        leave(USAGE)
    from .bridge import Bridge

    show_records()
    bridge = Bridge(ready, args.timeout, settings.RETRIES)
    leave(_serve(bridge, listener, getattr(ready.work, "encode", None)))


def _serve(bridge: Bridge, listener: socket.socket, encode: Encode | None) -> int:
    import uvicorn  # not at the top: a worker may import this module

    from .app import Bodies, create

    bodies = Bodies()

    class Server(uvicorn.Server):
        """A server that ends with the engine, and at once at the second signal."""

        async def on_tick(self, counter: int) -> bool:
            ends = bridge.failure is not None or await super().on_tick(counter)
            if ends:
                bodies.cut_off()
            return ends

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            if self.should_exit:
                os._exit(INTERRUPTED)  # worker processes end with their parent
            self.should_exit = True
            busy = bridge.in_flight
            say(f"stopping: {busy:,} in flight are finished; interrupt again to stop at once")

    config = uvicorn.Config(
        create(bridge, bodies, encode),
        lifespan="on",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=PATIENCE,
    )
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    say(f"listening on http://{shown}:{port}, {engine.MODEL}, up to {bridge.capacity:,} in flight")
    Server(config).run(sockets=[listener])
    if bridge.failure is not None:
        say(f"error: {bridge.failure}")
        return FAILED
    return OK


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens at the address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as exc:
        raise NotReady(f"cannot listen on {host}:{port}: {exc}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}.service")
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on [%(default)s]")
    add("--port", type=int, default=8000, help="0 takes a free one [%(default)s]")
    add(
        "--max-workers",
        type=limits.workers,
        default=settings.MAX_WORKERS,
        metavar="N",
        help="tasks at once; auto finds how many [%(default)s; None is one per core]",
    )
    add(
        "--rate",
        type=limits.rate,
        metavar="R",
        help=f"how fast tasks may begin, such as 10/s or 600/min [{settings.RATE}]",
    )
    add(
        "--timeout",
        type=float,
        default=settings.TIMEOUT,
        metavar="SECONDS",
        help="how long one task may take [%(default)s]",
    )
    return parser


if __name__ == "__main__":
    main()
