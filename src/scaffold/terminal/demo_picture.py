"""The picture of a demonstration: which worker ran when, on every model, as SVG.

It is as wide as a phone can show, and follows the reader's light or dark page.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from itertools import groupby

from scaffold.commands.demo import Demo, Run
from scaffold.core.units import show_count, show_seconds
from scaffold.terminal import demo_views, saving, timeline
from scaffold.terminal.charts import PALETTE
from scaffold.terminal.layout import wrap

# In units of the drawing: the text is 14 units high, so that a phone still shows it well.
WIDTH, MARGIN, LINE = 480, 12, 19
SHOWN = 720  # pixels across, where there is room
NAMES = 96  # for the names of the lanes
LETTERS = {"strong": 56, "faint": 70}  # that a line of text holds
LANE, PITCH = 13, 16  # how high a lane is, and from one to the next
CELLS = 180  # of a lane, two units each
SIGN, NUMBER = 20, 10  # widths of a sign in the legend, and of a task's number
# What is told apart by colour is told apart by height, too.
DRAWN = {
    timeline.COMPUTES: ("computes", LANE),
    timeline.WAITS: ("waits", 7),
    timeline.READY: ("ready", 3),
}
HEAD = ("model", "at once", "predicted", "measured", "error")
STYLE = (
    "text{font-family:system-ui,sans-serif;font-size:14px;fill:#24292f}.strong{font-weight:bold}"
    "text.faint{font-size:12px;fill:#57606a}text.number{font-size:10px;fill:#fff}"
    ".page{fill:#fff}.lane{fill:#f6f8fa}.number{fill:#24292f}"
    f".computes{{fill:{PALETTE[1].colour}}}.waits{{fill:#8c959f}}.ready{{fill:{PALETTE[3].colour}}}"
    "@media(prefers-color-scheme:dark){text,.number{fill:#e6edf3}text.faint{fill:#9198a1}"
    "text.number,.page{fill:#0d1117}.lane{fill:#161b22}.computes{fill:#2f81c7}}"
)


def drawn(demo: Demo, suffix: str) -> str:
    """Return the picture as SVG, or inside a page of HTML."""
    drawing = svg(demo)
    if suffix != ".html":
        return drawing
    rows = [
        (
            str(run.model),
            show_count(run.max_workers),
            show_seconds(run.predicted_seconds),
            show_seconds(run.measured_seconds),
            f"{run.error_share:+.0%}",
        )
        for run in demo.works
    ]
    return saving.page(demo_views.tasks(demo.plan), [drawing], HEAD, rows)


def svg(demo: Demo) -> str:
    """Return the drawing: a legend, then model under model, all on one scale of time."""
    seconds = max((task.ended for run in demo.works for task in run.tasks), default=1.0)
    sheet = Sheet()
    heading = demo_views.tasks(demo.plan)
    sheet.write(heading, "strong")
    sheet.legend(demo_views.signs(demo.plan))
    sheet.write(f"Every line is a worker, and {show_seconds(seconds)} long.", "faint")
    for run in demo.works:
        sheet.skip()
        sheet.write(demo_views.measured(run), "strong")
        sheet.lanes(run, seconds)
        if run.lesson:
            sheet.write(f"{run.lesson.text} ({run.lesson.rule})", "faint")
    return sheet.drawing(heading)


class Sheet:
    """A drawing that grows downwards."""

    def __init__(self) -> None:
        self._bottom = MARGIN
        self._parts: list[str] = []

    def skip(self) -> None:
        """Leave some room."""
        self._bottom += LINE // 2

    def write(self, text: str, kind: str) -> None:
        """Write lines of text."""
        for line in wrap(text, LETTERS[kind]):
            self._bottom += LINE
            self._text(MARGIN, self._bottom - 5, line, kind)

    def legend(self, signs: list[tuple[str, str]]) -> None:
        """Draw what each sign means, side by side, in as many lines as it takes."""
        left = WIDTH
        for sign, word in [("", demo_views.BEGINS), *signs]:
            needed = SIGN + 4 + 6 * len(word) + MARGIN
            if left + needed > WIDTH:
                left = MARGIN
                self._bottom += LINE
            top = self._bottom - LINE + 3
            if sign:
                self._cell(sign, left, SIGN, top)
            else:
                self._number(1, left, top)
            self._text(left + SIGN + 4, self._bottom - 5, word, "faint")
            left += needed

    def lanes(self, run: Run, seconds: float) -> None:
        """Draw what each worker did, and where each task begins."""
        lanes = timeline.lanes(run.tasks)
        names = demo_views.lane_names(run.model, lanes)
        scale = (WIDTH - 2 * MARGIN - NAMES) / CELLS
        rows = timeline.cells(lanes, CELLS, seconds)
        for name, lane, cells in zip(names, lanes, rows, strict=True):
            top, start = self._bottom + 2, MARGIN + NAMES
            self._text(MARGIN, top + LANE - 2, name, "faint")
            self._parts.append(
                f'<rect class="lane" x="{start}" y="{top}" width="{scale * CELLS:g}"'
                f' height="{LANE}"/>'
            )
            for sign, place, length in _stretches(cells):
                self._cell(sign, start + place * scale, length * scale, top)
            for task in lane.tasks:
                left = start + task.began / seconds * CELLS * scale
                self._number(task.number, left, top)
            self._bottom += PITCH
        self._bottom += 4

    def drawing(self, title: str) -> str:
        """Return the whole drawing."""
        height = self._bottom + MARGIN
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
            f' width="{SHOWN}" role="img">\n'
            f"<title>{html.escape(title)}</title><style>{STYLE}</style>\n"
            f'<rect class="page" width="{WIDTH}" height="{height}"/>\n'
            + "\n".join(self._parts)
            + "\n</svg>\n"
        )

    def _text(self, left: float, bottom: float, text: str, kind: str) -> None:
        self._parts.append(
            f'<text class="{kind}" x="{left:.4g}" y="{bottom}">{html.escape(text)}</text>'
        )

    def _number(self, number: int, left: float, top: int) -> None:
        self._parts.append(
            f'<rect class="number" x="{left:.4g}" y="{top}" width="{NUMBER}" height="{LANE}"/>'
        )
        self._text(left + 2, top + LANE - 3, str(number), "number")

    def _cell(self, sign: str, left: float, width: float, top: int) -> None:
        kind, height = DRAWN[sign]
        top += (LANE - height) // 2
        self._parts.append(
            f'<rect class="{kind}" x="{left:.4g}" y="{top}" width="{width:.4g}" height="{height}"/>'
        )


def _stretches(cells: str) -> Iterator[tuple[str, int, int]]:
    """Yield what neighbouring cells show, where it begins, and how long it is; no empty cells."""
    place = 0
    for sign, group in groupby(cells):
        length = len(list(group))
        if sign != timeline.NOBODY:
            yield sign, place, length
        place += length
