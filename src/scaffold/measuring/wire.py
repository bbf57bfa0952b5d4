"""Requests to the child processes: JSON, and in it the types that items out of Parquet have."""

from __future__ import annotations

import base64
import json
import pickle
from typing import Any

# The only field of what stands for a time, a decimal or bytes.
PICKLED = "\0pickled"


def to_text(request: Any) -> str:
    """Return the request as one line."""
    return json.dumps(request, default=_packed)


def from_text(text: str | bytes) -> Any:
    """Return the request that is in the line."""
    return json.loads(text, object_hook=_unpacked)


def _packed(value: Any) -> dict[str, str]:
    return {PICKLED: base64.b64encode(pickle.dumps(value)).decode()}


def _unpacked(found: dict[str, Any]) -> Any:
    if found.keys() != {PICKLED}:
        return found
    return pickle.loads(base64.b64decode(found[PICKLED]))  # noqa: S301  # our own
