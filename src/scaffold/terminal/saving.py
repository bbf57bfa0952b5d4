"""A picture, in a page of HTML or by itself, written to the file that the user named."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path

from scaffold.core.errors import ConcgenError
from scaffold.core.texts import shown
from scaffold.terminal import console


def save(path: Path, text: str) -> None:
    """Write it, and say so. Raises ConcgenError where that cannot be."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConcgenError(
            f"cannot write {shown(path)}: {error.strerror}",
            hint="the results above are complete; name another file with --save",
        ) from error
    console.say(f"drawn in {path}")


def page(title: str, drawing: str, rows: Iterable[Sequence[str]]) -> str:
    """Return a page that holds the drawing, and the figures of every model as a table."""
    cells = "".join(f"<tr>{''.join(f'<td>{cell}' for cell in row)}" for row in rows)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>concgen</title>'
        '<meta name="viewport" content="width=device-width">'
        "<style>:root{color-scheme:light dark}"
        "body{font:16px/1.5 system-ui;max-width:75rem;margin:2rem auto;padding:0 1rem}"
        "svg{max-width:100%;height:auto}td,th{text-align:right;padding:.1rem .5rem}</style>"
        f"<h1>{html.escape(title)}</h1>{drawing[drawing.index('<svg') :]}"
        f"<table><tr><th>model<th>at once<th>predicted<th>measured<th>error{cells}</table></html>\n"
    )
