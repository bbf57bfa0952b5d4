"""Requests to the child processes: JSON, with pickles for the types that items of Parquet have."""

from __future__ import annotations

import base64
import json
import pickle
import secrets
from typing import Any

# Characters of the mark of a pickled value: a time, a decimal or bytes. Each request has a new mark
# that no item can know: only a value with the mark is unpickled.
MARK = 32


def to_text(request: Any) -> str:
    """Return the request as one line."""
    mark = secrets.token_hex(MARK // 2)

    def packed(value: Any) -> dict[str, str]:
        if hasattr(value, "to_pydatetime"):  # the other Python may be without pandas
            value = value.to_pydatetime()
        return {mark: base64.b64encode(pickle.dumps(value)).decode()}

    return mark + json.dumps(request, default=packed)


def from_text(text: str | bytes) -> Any:
    """Return the request that is in the line."""
    line = text if isinstance(text, str) else text.decode()
    mark = line[:MARK]

    def unpacked(value: dict[str, Any]) -> Any:
        if value.keys() != {mark}:
            return value
        return pickle.loads(base64.b64decode(value[mark]))  # noqa: S301  # our own

    return json.loads(line[MARK:], object_hook=unpacked)
