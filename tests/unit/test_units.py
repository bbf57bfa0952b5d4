"""Numbers are read as people write them, and printed so that they can be read again."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scaffold.core import units


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("500", 500),
        ("20k", 20_000),
        ("1e6", 10**6),
        ("1,000", 1000),
        ("1.5k", 1500),
        (" 2M ", 2 * 10**6),
    ],
)
def test_counts_in_every_usual_spelling(text, value):
    """A count may carry k or M, an exponent, or separators."""
    assert units.parse_count(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("50ms", 0.05),
        ("2s", 2.0),
        ("1.5 min", 90.0),
        ("0.2", 0.2),
        ("350us", 0.00035),
        ("1h", 3600.0),
    ],
)
def test_durations_in_every_usual_spelling(text, value):
    """A duration may carry a unit; a bare number is seconds."""
    assert units.parse_seconds(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("10KB", 10_000), ("64KiB", 65_536), ("1MB", 10**6), ("5", 5), ("2 g", 2 * 10**9)],
)
def test_sizes_in_every_usual_spelling(text, value):
    """KB counts in thousands, KiB in 1,024s."""
    assert units.parse_bytes(text) == value


@pytest.mark.parametrize(
    "text", ["", "x", "-5", "1,5", "1.5", "20 apples", "0x10", "1e99", "nan", "inf", "१२", "1__000"]
)
def test_what_is_no_count_is_refused_with_its_text(text):
    """An invalid count is named in the message, never rounded or guessed."""
    with pytest.raises(ValueError, match="is (not|too)") as caught:
        units.parse_count(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("text", ["", "fast", "-1s", "5 parsecs", "31d", "1,5s"])
def test_what_is_no_duration_is_refused(text):
    """A decimal comma is refused rather than read as fifteen."""
    with pytest.raises(ValueError, match="is (not|too)"):
        units.parse_seconds(text)


def test_zero_tasks_are_too_few():
    """There is no workload without a task."""
    with pytest.raises(ValueError, match="1 is the least"):
        units.parse_positive("0")


@given(st.integers(1, 10**12))
@example(20_000)
@example(3_000_000)
@example(1500)
def test_a_written_count_reads_back(value):
    """The one-line command repeats exactly what was answered."""
    assert units.parse_count(units.write_count(value)) == value


@given(st.floats(1e-7, units.MAX_SECONDS))
@example(3600.0)
@example(0.2)
@example(5e-7)
def test_a_written_duration_reads_back(value):
    """The one-line command repeats a duration to nine digits at least."""
    assert units.parse_seconds(units.write_seconds(value)) == pytest.approx(value, rel=1e-9)


@given(st.integers(0, 10**12))
@example(20_000)
@example(1500)
def test_a_written_size_reads_back(value):
    """The one-line command repeats exactly what was answered."""
    assert units.parse_bytes(units.write_bytes(value)) == value


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.00035, "350 us"),
        (0.9999, "1 s"),
        (4.63, "4.6 s"),
        (100, "1.7 min"),
        (4000, "67 min"),
    ],
)
def test_durations_are_shown_in_two_figures(seconds, text):
    """An estimate is not known better than that."""
    assert units.show_seconds(seconds) == text


@given(st.floats(1e-9, 1e12))
def test_a_shown_duration_is_short(seconds):
    """It fits its column in the table."""
    assert len(units.show_seconds(seconds)) <= len("99,000,000 days")


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "1 KB"), (40_000_000, "40 MB"), (25e9, "25 GB")]
)
def test_sizes_are_shown_in_two_figures(size, text):
    """Memory too is only estimated."""
    assert units.show_bytes(size) == text


@pytest.mark.parametrize(("ratio", "text"), [(1.94, "1.9x"), (866, "870x"), (1.0, "1x")])
def test_ratios_are_shown_in_two_figures(ratio, text):
    """A speedup is as little known as the times it comes from."""
    assert units.show_ratio(ratio) == text
