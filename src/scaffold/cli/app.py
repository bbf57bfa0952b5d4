"""The application: what all commands share, and building only the command that is called."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.main import get_command

from scaffold.terminal.usage import Group

if TYPE_CHECKING:
    from typer.models import CommandInfo

app = typer.Typer(
    name="concgen",
    cls=Group,
    help="Choose a concurrency model for a slow loop, and get a project that runs it.",
    invoke_without_command=True,
    rich_markup_mode=None,  # rich would cost more start-up time than all the rest
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from scaffold.making import inventory
        from scaffold.terminal import console

        console.answer(f"concgen {inventory.version()}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Choose a concurrency model for a slow loop, and get a project that runs it."""
    if context.invoked_subcommand is None:
        from scaffold.terminal import console

        console.answer(context.get_help())


def build() -> Callable[..., Any]:
    """Build the command line: only the command that is called, if the first word names it.

    Building all of them takes as long as the advice itself.
    """
    commands = app.registered_commands
    named = [command for command in commands if name_of(command) in sys.argv[1:2]]
    app.registered_commands = named or commands
    try:
        return get_command(app)
    finally:
        app.registered_commands = commands


def name_of(info: CommandInfo) -> str:
    """Return the word by which a command is called."""
    return info.name or str(getattr(info.callback, "__name__", ""))
