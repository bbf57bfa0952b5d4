"""The API: where it is, what an item asks of it, and what its answer says.

`API_URL`, `API_MODEL` and `API_KEY` in the environment say which. The key is never written.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from . import policy
from .ledger import Usage, ledger
from .limits import limits
from .request import FetchError, Request, excerpt
from .runner.task import StopRun

LETTERS = 3  # bytes of text in a token, at least: tokens are guessed before a call
PATHS = {"prompt": "/chat/completions", "input": "/embeddings"}


class Call(NamedTuple):
    """What an item asks for, and what that takes at most."""

    kind: str  # prompt, input, or path
    request: Request
    most: Usage


class Endpoint:
    """The API that the environment names."""

    def __init__(self) -> None:
        missing = [name for name in ("API_URL", "API_KEY") if not os.environ.get(name)]
        if missing:
            raise LookupError(f"set {' and '.join(missing)} in the environment")
        self._url = os.environ["API_URL"].rstrip("/")
        self._key = os.environ["API_KEY"]
        self._model = os.environ.get("API_MODEL")

    def call(self, item: Any) -> Call:
        """Return what to send; raise ValueError for an item that asks for nothing."""
        if isinstance(item, str):
            item = {"prompt": item}
        kind = next((kind for kind in (*PATHS, "path") if kind in item), None)
        if kind is None:
            raise ValueError("an item has a prompt, an input, or a path with its json")
        body = item["json"] if kind == "path" else self._body(kind, item)
        data = json.dumps(body, allow_nan=False)
        url = self._url + (item["path"] if kind == "path" else PATHS[kind])
        # The same for every try, also after a crash: a server that knows it charges once.
        key = item.get("key") or hashlib.sha256(f"{url} {data}".encode()).hexdigest()
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        return Call(kind, Request(url, "POST", headers, data), tokens(item))

    def _body(self, kind: str, item: dict[str, Any]) -> dict[str, Any]:
        if not self._model:
            raise ValueError("set API_MODEL in the environment")
        own = {"model": self._model, **item.get("options", {})}
        if kind == "input":
            return own | {"input": item["input"]}
        system = [{"role": "system", "content": item["system"]}] if "system" in item else []
        prompt = {"role": "user", "content": item["prompt"]}
        return {policy.MAX_TOKENS_FIELD: policy.MAX_TOKENS, "messages": [*system, prompt]} | own


def tokens(item: Any) -> Usage:
    """Return about how many tokens an item sends, and how many it gets back at most."""
    sent = len(json.dumps(item, ensure_ascii=False).encode()) // LETTERS + 1
    if isinstance(item, str) or "prompt" not in item:
        return Usage(sent, policy.MAX_TOKENS if isinstance(item, str) else 0)
    return Usage(sent, item.get("options", {}).get(policy.MAX_TOKENS_FIELD, policy.MAX_TOKENS))


class Answer:
    """What comes back for a call: its bytes, and the headers that tell of the limits."""

    def __init__(self, call: Call) -> None:
        self._call, self._body = call, bytearray()
        self.learn = limits.take(sum(call.most))
        self.add = self._body.extend

    def value(self) -> dict[str, Any]:
        """Return the result of the item, with its usage and cost."""
        kind, request, most = self._call
        try:
            document = json.loads(self._body)
            usage = _usage(document) or most  # without it, the most that it can be
            ledger.add(usage)
            value = _content(kind, document)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            text = excerpt(request, self._body)
            raise FetchError(f"{request}: not an answer to {kind}: {text}") from error
        return value | {"usage": usage._asdict(), "cost": round(usage.cost, 9)}


@contextmanager
def asked(call: Call) -> Iterator[Answer]:
    """Hold what a call may take of the limits and of MAX_COST while it is in flight."""
    with ledger.reserved(call.most):
        try:
            yield Answer(call)
        except FetchError as error:
            if error.status == 401:  # as for every other item
                raise StopRun(f"{error}: is API_KEY right?") from error
            raise


def _usage(document: Any) -> Usage | None:
    facts = document.get("usage") if isinstance(document, dict) else None
    if not isinstance(facts, dict):
        return None
    sent = facts.get("prompt_tokens", facts.get("input_tokens"))
    received = facts.get("completion_tokens", facts.get("output_tokens", 0))
    return Usage(sent, received) if isinstance(sent, int) and isinstance(received, int) else None


def _content(kind: str, document: Any) -> dict[str, Any]:
    if kind == "prompt":
        choice = document["choices"][0]
        return {"text": choice["message"]["content"], "finish": choice.get("finish_reason")}
    if kind == "input":
        return {"embedding": document["data"][0]["embedding"]}
    return {"json": document}
