"""What work() returns, as JSON."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import http
import json
import math
import pathlib
import sys
import uuid
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from .conftest import Load


@dataclasses.dataclass
class Point:
    """A dataclass."""

    x: int
    y: Any


class Pair(NamedTuple):
    """A named tuple."""

    a: int
    b: Any


class Colour(enum.Enum):
    """JSON has no word for it."""

    RED = 1


class Name(str):
    """A text of a user's class."""


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (True, True),
        (1.5, 1.5),
        ("ä", "ä"),
        ([1, (2, 3)], [1, [2, 3]]),
        ({1: "a", None: "b", False: "c"}, {"1": "a", "null": "b", "false": "c"}),
        (Point(1, Point(2, None)), {"x": 1, "y": {"x": 2, "y": None}}),
        (Pair(1, [Pair(2, 3)]), {"a": 1, "b": [{"a": 2, "b": 3}]}),
        (datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC), "2026-01-02T03:04:05+00:00"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (datetime.time(3, 4), "03:04:00"),
        (datetime.timedelta(minutes=1), 60.0),
        (decimal.Decimal("1.10"), "1.10"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (pathlib.PurePosixPath("a/b"), "a/b"),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset("ba"), ["a", "b"]),
        (b"\xff\x00", "/wA="),
        (bytearray(b"a"), "YQ=="),
        (http.HTTPStatus.OK, 200),
        (Name("x"), "x"),
        ({datetime.date(2026, 1, 2): {1}}, {"2026-01-02": [1]}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_types_that_are_written(load: Load, value: Any, plain: Any) -> None:
    """A value of a usual type is written as its reader expects it, nested too."""
    json_of = load("values").json_of
    assert json.loads(json_of(value)) == plain
    assert json.loads(json_of({"nested": [value]})) == {"nested": [plain]}


def test_numpy(load: Load) -> None:
    """Scalars and arrays of NumPy are numbers and lists."""
    np = pytest.importorskip("numpy")
    json_of = load("values").json_of
    for value, plain in (
        (np.bool_(True), True),
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.float64(0.5), 0.5),
        (np.str_("a"), "a"),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.array(5), 5),
        (np.array([True]), [True]),
        (np.datetime64("2026-01-02T03:04"), "2026-01-02T03:04"),
        (np.array(["2026-01-02"], dtype="M8[D]"), ["2026-01-02"]),
        (np.timedelta64(1500, "ms"), 1.5),
        (np.array([[90]], dtype="m8[s]"), [[90.0]]),
        (np.bytes_(b"a"), "YQ=="),
        (np.array([(1, "a")], dtype=[("n", "i4"), ("s", "U1")]), [[1, "a"]]),
        (np.ma.array([1, 2], mask=[False, True]), [1, None]),
        ({np.int64(1): np.array([])}, {"1": []}),
    ):
        assert json.loads(json_of(value)) == plain
    for value in (np.float64("nan"), np.array([1.0, np.inf]), np.datetime64("NaT")):
        with pytest.raises(load("values").Unwritable, match="NaN"):
            json_of(value)
    with pytest.raises(load("values").Unwritable, match="complex"):
        json_of(np.complex128(1))


def test_pandas(load: Load) -> None:
    """Times are ISO 8601 and seconds, columns lists, a table a list of its rows."""
    pd = pytest.importorskip("pandas")
    json_of = load("values").json_of
    moment = pd.Timestamp("2026-01-02T03:04:05", tz="UTC")
    frame = pd.DataFrame({"n": [1, 2], "at": [moment, moment]})
    for value, plain in (
        (moment, "2026-01-02T03:04:05+00:00"),
        (pd.Timedelta("1min"), 60.0),
        (pd.Period("2026-01"), "2026-01"),
        (pd.Interval(0, 1), "(0, 1]"),
        (frame["n"].iloc[0], 1),
        (frame["n"], [1, 2]),
        (frame["at"], ["2026-01-02T03:04:05+00:00"] * 2),
        (pd.Series(pd.to_timedelta(["1s", "2s"])), [1.0, 2.0]),
        (pd.Index(["a", "b"]), ["a", "b"]),
        (pd.Series(["a", "b"], dtype="category"), ["a", "b"]),
        (pd.Series([1, 2], dtype="Int64"), [1, 2]),
        (pd.date_range("2026-01-01", periods=1), ["2026-01-01T00:00:00"]),
        (frame, [{"n": n, "at": "2026-01-02T03:04:05+00:00"} for n in (1, 2)]),
        ({pd.Timestamp("2026-01-02"): 1}, {"2026-01-02T00:00:00": 1}),
    ):
        assert json.loads(json_of(value)) == plain, type(value)
    for value in (pd.NaT, pd.NA, pd.Series([1, None]), pd.Series([1, None], dtype="Int64")):
        with pytest.raises(load("values").Unwritable, match="NaN"):
            json_of(value)


@pytest.mark.parametrize("value", [math.nan, [math.inf], {"a": -math.inf}, decimal.Decimal("nan")])
def test_nan_is_named(load: Load, value: Any) -> None:
    """NaN and infinities are an error that says so, and what to do."""
    with pytest.raises(load("values").Unwritable, match=r"NaN and infinities.*encode\(value\)"):
        load("values").json_of(value)


def test_the_error_names_the_type(load: Load) -> None:
    """A type that JSON does not know is told by its module, wherever it is in the value."""
    for value in (Colour.RED, [Colour.RED], {"a": Colour.RED}, {Colour.RED: 1}):
        with pytest.raises(load("values").Unwritable, match=r"test_values\.Colour: return what"):
            load("values").json_of(value)


@pytest.mark.parametrize("value", [{1: "a", "1": "b"}, {None: 0, "null": 1}, [{1.0: 0, "1.0": 1}]])
def test_keys_that_are_one_in_json(load: Load, value: Any) -> None:
    """Two keys of a dict that JSON cannot tell apart lose nothing in silence."""
    with pytest.raises(load("values").Unwritable, match="two keys"):
        load("values").json_of(value)


def test_what_holds_itself(load: Load) -> None:
    """A circle is an error, not a crash."""
    value: list[Any] = []
    value.append(value)
    with pytest.raises(load("values").Unwritable, match="contains itself"):
        load("values").json_of(value)


def test_encode_comes_first(load: Load) -> None:
    """The user's encode() gets the whole value, and then what JSON does not know."""

    def encode(value: Any) -> Any:
        if isinstance(value, float) and math.isnan(value):
            return None
        return value.name if isinstance(value, Colour) else value

    json_of = load("values").json_of
    assert json_of(math.nan, encode) == "null"
    assert json.loads(json_of([{"c": Colour.RED}], encode)) == [{"c": "RED"}]
    assert json.loads(json_of({2, 1}, encode)) == [1, 2]


@pytest.mark.parametrize("name", ["decimal", "uuid"])
def test_a_module_that_another_thread_is_importing(
    load: Load, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """It has no classes yet, so no value can be of one."""
    monkeypatch.setitem(sys.modules, name, ModuleType(name))
    with pytest.raises(load("values").Unwritable, match="complex"):
        load("values").json_of(1j)
