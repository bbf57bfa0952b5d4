"""A picture, in a page of HTML or by itself, written to the file that the user named."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path

from scaffold.core.errors import ConcgenError
from scaffold.core.texts import shown
from scaffold.terminal import console

# Follows the reader's window and theme: drawings are beside one another where there is room.
STYLE = """
:root { color-scheme: light dark; --ink: #24292f; --paper: #ffffff; --faint: #b4bac1; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --faint: #57606a; }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 75rem; margin: 1.5rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; line-height: 1.3; text-wrap: balance; }
.drawings { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
.drawings svg { flex: 1 1 28rem; min-width: 0; max-width: 46rem; width: 100%; height: auto; }
td, th { text-align: right; padding: .15rem .6rem; white-space: nowrap; }
td:first-child, th:first-child { text-align: left; padding-left: 0; }
@media (max-width: 40rem) {
  h1 { font-size: 1.25rem; }
  table { font-size: .8rem; }
  td, th { padding: .15rem .4rem; }
  td:nth-child(n+5), th:nth-child(n+5) { display: none; }
}
"""


def save(path: Path, text: str) -> None:
    """Write the text, and say so. Raises ConcgenError if it cannot be written."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConcgenError(
            f"cannot write {shown(path)}: {error.strerror}",
            hint="the results above are complete; name another file with --save",
        ) from error
    console.say_text(f"drawn in {path}")


def page(
    title: str,
    drawings: Iterable[str],
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    basis: str = "",
    notes: Iterable[str] = (),
) -> str:
    """Return a page that holds the drawings, and says the same as a table and in words.

    `basis` tells what the page is from, such as function, machine and day.
    """
    figures = "".join(drawing[drawing.index("<svg") :] for drawing in drawings)
    table = "".join(_row("td", row) for row in rows)
    paragraphs = "".join(f"<p>{html.escape(note)}</p>\n" for note in notes)
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n"
        f"<h1>{html.escape(title)}</h1>\n<p>{html.escape(basis)}</p>\n"
        f'<div class="drawings">{figures}</div>\n'
        f"<table>{_row('th', head)}{table}</table>\n{paragraphs}</html>\n"
    )


def _row(tag: str, cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>\n"
