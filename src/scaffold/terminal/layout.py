"""How text is laid out on a terminal of any width: the one visual language of every command.

    entries   a title in the margin, then lines with a head and a text
    facts     a name and a value a line
    table     columns, of which the least important are dropped where it is narrow

Words say everything: marks and bars only repeat them for a quick look. Pure: nothing is printed.
"""

import textwrap
from collections.abc import Iterable, Sequence
from typing import NamedTuple

# Below this width a head or a name is part of its text, and has no column.
NARROW = 60
# Columns of a bar: enough to tell a third from a half.
BAR = 12
MARGIN = 6
# The mark before the row that a table is about, and what the other rows have there.
MARK, NO_MARK = "> ", "  "


class Column(NamedTuple):
    """One column of a table: its title, its cells, and how early it is dropped (0: never)."""

    title: str
    cells: Sequence[str]
    left: bool = False
    dropped: int = 0

    @property
    def width(self) -> int:
        """The longest of the title and the cells."""
        return max(map(len, (self.title, *self.cells)))

    def lines(self) -> list[str]:
        """Return title and cells, all of one width."""
        width = self.width
        return [f"{cell:<{width}}" if self.left else f"{cell:>{width}}" for cell in self._all()]

    def _all(self) -> Iterable[str]:
        return (self.title, *self.cells)


def wrap(text: str, width: int, first: str = "", further: str = "") -> list[str]:
    """Break `text` into lines of at most `width`, between words only: a path stays whole."""
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )


def table(columns: Sequence[Column], width: int, marked: int | None = None) -> list[str]:
    """Return a line of titles and one per row, with a mark before the row `marked`.

    The columns that are dropped earliest go first, until the rest fits into `width`.
    """
    shown = [column for column in columns if any(column.cells)]
    while len(MARK) + sum(column.width + 2 for column in shown) - 2 > width:
        droppable = [column for column in shown if column.dropped]
        if not droppable:
            break
        shown.remove(min(droppable, key=lambda column: column.dropped))
    lines = []
    for number, cells in enumerate(zip(*(column.lines() for column in shown), strict=True)):
        mark = MARK if marked is not None and number == marked + 1 else NO_MARK
        lines.append(f"{mark}{'  '.join(cells)}".rstrip())
    return lines


def entries(title: str, pairs: Sequence[tuple[str, str]], width: int) -> list[str]:
    """Lay out a titled list: title, head and text in three columns, or as text where narrow."""
    lines: list[str] = []
    head_width = max((len(head) for head, _ in pairs), default=0)
    in_columns = width >= NARROW and head_width <= width // 3
    for number, (head, text) in enumerate(pairs):
        margin = f"{title if number == 0 else '':<{MARGIN}}"
        if not in_columns:
            entry = f"{head}: {text}" if head else text
            lines += wrap(entry, width, margin, " " * (MARGIN + 2))
        else:
            first = f"{margin}{head:<{head_width}}  " if head_width else margin
            lines += wrap(text, width, first, " " * len(first))
    return lines


def facts(pairs: Iterable[tuple[str, str]], width: int) -> list[str]:
    """Lay out names and values, the values in a column, or behind their names where narrow."""
    rows = list(pairs)
    column = max((len(name) for name, _ in rows), default=0) + 2
    lines: list[str] = []
    for name, value in rows:
        if width < NARROW:
            lines += wrap(f"{name}: {value}", width, "", "  ")
        else:
            lines += wrap(value, width, f"{name:<{column}}", " " * column)
    return lines


def bar(value: float, longest: float) -> str:
    """Draw a duration from zero: twice the time is twice the bar. A very short time is a line."""
    return "#" * (round(BAR * value / longest) if longest else 0) or "|"
