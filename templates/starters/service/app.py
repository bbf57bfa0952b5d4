"""The web application: POST /work answers one item, GET /health tells how busy it is."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from .bridge import Bridge
from .runner import engine
from .runner.failures import ErrorText, describe
from .runner.task import EngineError, Outcome
from .runner.values import Encode, json_of, to_json

MAX_BODY = 1 << 20  # bytes of one item: more than a large document, and 1,000 of them fit in memory
RECEIVE = 10.0  # seconds in which a body has to come
RETRY_AFTER = "1"  # seconds: what is in flight is mostly done by then

logger = logging.getLogger(__name__)


def create(bridge: Bridge, bodies: Bodies, encode: Encode | None) -> Starlette:
    """Return the application in front of `bridge`, which it opens and closes."""

    async def answer(request: Request) -> Response:
        """One item in, one answer out."""
        try:
            item = json.loads(await bodies.read(request))
        except TooLarge:
            return _error(413, f"the body is larger than {MAX_BODY:,} bytes")
        except TimeoutError:
            return _error(408, "the body did not come in time")
        except ClientDisconnect:
            return Response(status_code=400)  # that nobody reads
        except (ValueError, RecursionError) as exc:
            return _error(400, f"not JSON: {describe(exc)}")
        if bridge.full:
            text = f"busy: {bridge.in_flight:,} in flight, try again in {RETRY_AFTER} s"
            return _error(503, text, {"Retry-After": RETRY_AFTER})
        try:
            outcome = await bridge.answer(item)
        except EngineError as exc:
            return _error(500, str(exc))
        if outcome.error is not None:
            _log(outcome)
            return _error(422, outcome.error, seconds=outcome.seconds)
        return answered(outcome.value, outcome.seconds, encode)

    async def health(_: Request) -> Response:
        """For a load balancer: whether to send more."""
        status = "full" if bridge.full else "ok"
        facts = {"in_flight": bridge.in_flight, "capacity": bridge.capacity, "model": engine.MODEL}
        if bridge.failure is not None:
            return _reply(503, {"status": bridge.failure, **facts})
        return _reply(200, {"status": status, **facts})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        bridge.open()
        yield
        bridge.close()

    routes = [
        Route("/work", answer, methods=["POST"]),
        Route("/health", health, methods=["GET"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


class TooLarge(Exception):
    """A body of more than MAX_BODY bytes."""


class Bodies:
    """The bodies that come in, each of them bounded in bytes and in seconds."""

    def __init__(self) -> None:
        self._coming: set[asyncio.Timeout] = set()

    async def read(self, request: Request) -> bytes:
        """Return the body; raise TooLarge, TimeoutError, or ClientDisconnect."""
        body = bytearray()
        async with asyncio.timeout(RECEIVE) as limit:
            self._coming.add(limit)
            try:
                async for piece in request.stream():
                    body += piece
                    if len(body) > MAX_BODY:
                        raise TooLarge
            finally:
                self._coming.discard(limit)
        return bytes(body)

    def cut_off(self) -> None:
        """Stop waiting for bodies that are not complete: the service ends."""
        for limit in self._coming:
            limit.reschedule(asyncio.get_running_loop().time())


def answered(value: Any, seconds: float, encode: Encode | None) -> Response:
    """Return the answer with this value, of any type that a result may have."""
    try:
        text = json_of(value, encode)
    except Exception as exc:  # encode() is the user's
        return _error(500, f"result is not JSON: {describe(exc)}")
    body = '{"ok": true, "value": ' + text + ', "seconds": ' + to_json(seconds) + "}"
    return Response(body, media_type="application/json")


def _log(outcome: Outcome[Any, Any]) -> None:
    """Log where and how a task failed: the client does not get that."""
    text = outcome.error
    if isinstance(text, ErrorText) and text.traceback:
        place = f" at {text.where}" if text.where else ""
        text = f"{text}{place}\n{text.traceback.rstrip()}"
    logger.error("%s", text, extra={"item": outcome.id})


def _reply(
    status: int, document: dict[str, Any], headers: dict[str, str] | None = None
) -> Response:
    return Response(to_json(document), status, headers, media_type="application/json")


def _error(
    status: int, text: str, headers: dict[str, str] | None = None, **more: float
) -> Response:
    return _reply(status, {"ok": False, "error": text, **more}, headers)
