"""Text on a terminal of any width."""

from hypothesis import given
from hypothesis import strategies as st

from scaffold.terminal import layout
from scaffold.terminal.layout import Column

widths = st.integers(40, 200)
words = st.lists(st.text("abcdefgh-", min_size=1, max_size=12), min_size=1, max_size=30)
texts = words.map(" ".join)
pairs = st.lists(st.tuples(st.text("abc", max_size=10), texts), min_size=1, max_size=5)


@given(pairs, widths)
def test_nothing_is_wider_than_the_terminal_and_no_word_is_lost(listed, width):
    """Entries and facts break between words only."""
    for lines in (layout.entries("Why", listed, width), layout.facts(listed, width)):
        assert all(len(line) <= width for line in lines)
        shown = " ".join(lines).split()
        for _, text in listed:
            assert set(text.split()) <= {word.rstrip(":") for word in shown} | set(shown)


def test_a_word_too_long_stays_whole():
    """A path that is broken could not be copied."""
    path = "/very/long/" * 10
    assert path in layout.wrap(f"see {path}", 40)


def columns():
    """A table like that of the advice."""
    return [
        Column("", ["asyncio", "sequential"], left=True),
        Column("time", ["4 s", "67 min"]),
        Column("speedup", ["1,000x", "1x"], dropped=2),
        Column("", ["#", "############"], left=True, dropped=1),
        Column("", ["recommended", ""], left=True),
    ]


def test_a_table_drops_the_least_important_columns_first():
    """What is never dropped is there at every width, and the mark is on its row."""
    wide = layout.table(columns(), 80, marked=0)
    assert wide[1] == "> asyncio        4 s   1,000x  #             recommended"
    assert wide[2] == "  sequential  67 min       1x  ############"
    middle = layout.table(columns(), 50, marked=0)
    assert "speedup" in middle[0]
    assert "#" not in middle[1]
    narrow = layout.table(columns(), 40, marked=0)
    assert narrow[1] == "> asyncio        4 s  recommended"


def test_a_column_without_words_takes_no_room():
    """An empty column is left out."""
    assert layout.table([*columns()[:2], Column("", ["", ""])], 80)[1] == "  asyncio        4 s"


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_a_bar_has_a_mark_at_least_and_the_longest_all(first, second):
    """Whatever the times are."""
    shorter, longer = sorted((first, second))
    assert 1 <= len(layout.bar(shorter, longer)) <= layout.BAR
    assert layout.bar(longer, longer) == "#" * layout.BAR


def test_a_bar_is_as_long_as_its_time():
    """From zero; what is too short for a mark of the bar is a line."""
    assert layout.bar(1.1, 1.2) == "#" * 11
    assert layout.bar(0.5, 1.0) == "#" * 6
    assert layout.bar(0.052, 21.0) == "|"
