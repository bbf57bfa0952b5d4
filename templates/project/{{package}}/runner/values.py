"""What work() returns, as JSON: also types that Python's own encoder does not know.

A dataclass or a named tuple becomes an object; datetimes are ISO 8601, a timedelta is seconds;
Decimal, UUID and Path are text; a set is a list; bytes are base64; scalars and arrays of NumPy and
pandas are numbers and lists. An `encode(value)` in work.py comes before all of these: it gets the
whole value, and then each part of it that JSON does not know.
"""

from __future__ import annotations

import json
import sys
from binascii import b2a_base64
from collections.abc import Callable, Iterable
from datetime import date, time, timedelta
from json.encoder import encode_basestring_ascii
from typing import Any

Encode = Callable[[Any], Any]

ATOMS = frozenset((str, int, bool, float, type(None)))
QUICK: dict[type, Callable[[Any], str]] = {int: repr, str: encode_basestring_ascii}  # 1 us less
# A value of these types exists only if their module is imported: it need not be imported here.
TEXTS = (("decimal", "Decimal"), ("uuid", "UUID"), ("pathlib", "PurePath"))
BASES: tuple[Any, ...] = (int, float, dict, list)  # of the user's own classes
WAY_OUT = "return what JSON can hold, or write an encode(value) in work.py"
to_json = json.JSONEncoder(allow_nan=False).encode  # NaN is not JSON: other tools stumble over it


class Unwritable(Exception):
    """The value has no JSON: why, and what to do."""


def json_of(value: Any, encode: Encode | None = None) -> str:
    """The JSON of a value. Raises Unwritable, or what encode() raises."""
    if encode is not None:
        value = encode(value)
    if quick := QUICK.get(type(value)):
        return quick(value)
    try:
        return to_json(_plain(value, encode))
    except ValueError as exc:
        why = str(exc) if "digits" in str(exc) else "NaN and infinities are not JSON"
        raise Unwritable(f"{why}: {WAY_OUT}") from None
    except RecursionError:
        raise Unwritable(f"it contains itself, or is nested too deeply: {WAY_OUT}") from None


def type_name(value: Any) -> str:
    """Return the name with its module, as in numpy.bool, to tell it from Python's own."""
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}"


def _plain(value: Any, encode: Encode | None) -> Any:
    """The value in the types of JSON."""
    kind = type(value)
    if kind in ATOMS:
        return value
    if kind is list or kind is tuple:
        return [part if type(part) in ATOMS else _plain(part, encode) for part in value]
    if kind is dict:
        return _object(value.items(), encode)
    if encode is not None and (encoded := encode(value)) is not value:
        return _plain(encoded, encode)
    return _plain(_known(value), encode)


def _object(pairs: Iterable[tuple[Any, Any]], encode: Encode | None) -> dict[str, Any]:
    """A dict with keys of text; two that JSON cannot tell apart are an error."""
    members: dict[str, Any] = {}
    for key, part in pairs:
        name = key if type(key) is str else _name(key, encode)
        if name in members:
            raise Unwritable(f"two keys of a dict are {name!r} in JSON: {WAY_OUT}")
        members[name] = part if type(part) in ATOMS else _plain(part, encode)
    return members


def _name(key: Any, encode: Encode | None) -> str:
    """A key as JSON writes it: text, a number, true, null."""
    plain = _plain(key, encode)
    if isinstance(plain, str):
        return plain
    if type(plain) in ATOMS:
        return to_json(plain)
    raise Unwritable(f"a key of a dict is {type_name(key)}: {WAY_OUT}")


def _known(value: Any) -> Any:
    """Take a value of a known type one step towards JSON. Raises Unwritable for others."""
    kind = type(value)
    if kind.__name__ in ("NaTType", "NAType"):  # of pandas
        raise ValueError(value)
    if fields := getattr(kind, "__dataclass_fields__", None):
        return {name: getattr(value, name) for name in fields if hasattr(value, name)}
    if isinstance(value, tuple):
        return value._asdict() if hasattr(value, "_asdict") else list(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, set | frozenset):
        try:
            return sorted(value)  # so that the same set is the same text
        except TypeError:
            return sorted(value, key=repr)
    if isinstance(value, bytes | bytearray | memoryview):
        return b2a_base64(value, newline=False).decode()
    if isinstance(value, str):  # an enumeration prints something else
        return str.__str__(value)
    for plain in BASES:
        if isinstance(value, plain):
            return plain(value)
    for module, name in TEXTS:
        # Another thread may be importing the module: then it has no such class yet.
        loaded: Any = getattr(sys.modules.get(module), name, ())
        if isinstance(value, loaded):
            if name == "Decimal" and not value.is_finite():
                raise ValueError(value)
            return str(value)
    if kind.__module__.partition(".")[0] in ("numpy", "pandas"):
        return _of_arrays(value)
    raise Unwritable(f"JSON has no {type_name(value)}: {WAY_OUT}")


def _of_arrays(value: Any) -> Any:
    """A scalar, an array or a table of NumPy or pandas, in Python's own types."""
    kind = type(value).__name__
    if kind == "DataFrame":
        return value.to_dict("records")
    if kind in ("Period", "Interval"):
        return str(value)
    if type(value).__module__ == "numpy" and value.dtype.kind in "mM":  # times, as NumPy has them
        if (value != value).any():
            raise ValueError("NaT")
        return value.astype(str if value.dtype.kind == "M" else "timedelta64[us]").tolist()
    for method in ("tolist", "item", "to_list"):
        if hasattr(value, method) and type(plain := getattr(value, method)()) is not type(value):
            return plain
    raise Unwritable(f"JSON has no {type_name(value)}: {WAY_OUT}")
