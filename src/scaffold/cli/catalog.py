"""The commands that tell what there is: rules, starters, models."""

from __future__ import annotations

from typing import Annotated

import typer

from scaffold.cli.app import app
from scaffold.terminal import completion
from scaffold.terminal.usage import Command


@app.command(cls=Command)
def rules(
    rule: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]", help="One rule, such as R4.", autocompletion=completion.rules
        ),
    ] = None,
) -> None:
    """List the decision rules, or explain one.

    With an id: where it comes from, when it fires and when it does not, by example.
    """
    from scaffold.terminal import catalog, console

    lines = catalog.rule(rule, console.width()) if rule else catalog.rules(console.width())
    console.answer_lines(lines)


@app.command(cls=Command)
def starters(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="One starter, such as blank.", autocompletion=completion.starters
        ),
    ] = None,
) -> None:
    """List what a project can start from.

    With a name: the work, the models that it runs on, what it needs.
    """
    from scaffold.terminal import catalog, console

    width = console.width()
    console.answer_lines(catalog.starter(name, width) if name else catalog.starters(width))


@app.command(cls=Command)
def models() -> None:
    """Compare the models.

    Parallelism, memory, start-up, communication, the GIL, and what each is for.
    """
    from scaffold.terminal import catalog, console

    console.answer_lines(catalog.models(console.width()))
