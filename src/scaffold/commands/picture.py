"""Checks whether a picture can be drawn, before anything is measured."""

from __future__ import annotations

import os
from pathlib import Path

from scaffold.core.errors import UsageError
from scaffold.core.texts import shown


def check_file(save: Path) -> None:
    """Raise UsageError when `save` is no file for a picture."""
    if save.suffix not in (".svg", ".html"):
        raise UsageError(
            f"--save: {shown(save)} is neither .svg nor .html",
            hint=f"such as --save {shown(save.stem + '.svg')}",
        )
    if not os.path.isdir(save.absolute().parent):  # noqa: PTH112  # never raises
        raise UsageError(
            f"--save: there is no directory {shown(save.parent)}", hint="create it first"
        )


def check_chart(save: Path) -> None:
    """Raise UsageError when a chart cannot be drawn to `save`."""
    from importlib.util import find_spec

    check_file(save)
    if find_spec("matplotlib") is None:
        raise UsageError(
            "--save needs matplotlib, which is not installed",
            hint="pip install 'concgen[plot]'",
        )
