"""The commands for an existing project: switch, update, diff, check, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from scaffold.cli.app import app
from scaffold.cli.options import Diff, DryRun, Force, ItemsFile, Json, ProjectDir
from scaffold.terminal import completion
from scaffold.terminal.usage import Command

if TYPE_CHECKING:
    from scaffold.commands.change import Prepared


@app.command(cls=Command)
def switch(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="The new model.", autocompletion=completion.models),
    ],
    project: ProjectDir = None,
    dry_run: DryRun = False,
    diff: Diff = False,
    force: Force = False,
    as_json: Json = False,
) -> int:
    """Change the model of a generated project, and keep your edits."""
    from scaffold.commands import switch as command

    prepared = command.prepare(project, command.read_model(model), force=force)
    return _settle(prepared, dry_run=dry_run, diff=diff, as_json=as_json)


@app.command(cls=Command)
def update(
    project: ProjectDir = None,
    dry_run: DryRun = False,
    diff: Diff = False,
    force: Force = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Accepted for scripts; update never asks.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Bring newer templates into a project, and keep your edits.

    The templates are those of this concgen; every answer stays as it was.
    """
    from scaffold.commands import update as command

    prepared = command.prepare(project, force=force)
    return _settle(prepared, dry_run=dry_run, diff=diff, as_json=as_json)


def _settle(prepared: Prepared, *, dry_run: bool, diff: bool, as_json: bool) -> int:
    """Carry out a plan unless it is only to be shown, and report it; return the exit code."""
    from scaffold.terminal import plan_dialogue

    if not (dry_run or diff or prepared.refusal):
        prepared.carry_out()
    with plan_dialogue.telling(prepared, dry_run=dry_run, diff=diff):
        plan_dialogue.show(prepared, dry_run=dry_run, diff=diff, as_json=as_json)
    if prepared.refusal:
        raise prepared.refusal
    return 0 if dry_run or diff else prepared.exit_code


@app.command(name="diff", cls=Command)
def show_diff(
    project: ProjectDir = None,
    stat: Annotated[
        bool, typer.Option("--stat", help="Show only the number of changed lines per file.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what you changed in the generated files."""
    from scaffold.commands import diff as command
    from scaffold.terminal import plan_dialogue

    plan_dialogue.show_edits(command.edits(project), stat=stat, as_json=as_json)


@app.command(cls=Command)
def check(
    project: ProjectDir = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Run the project's work and measure it again first.")
    ] = False,
    items: ItemsFile = None,
    as_json: Json = False,
) -> int:
    """Ask whether the recorded decision is still right here.

    Decides again, for this machine and this Python; exit 5 when the advice flipped.
    """
    from scaffold.commands import check as command
    from scaffold.terminal import check_views, console, documents

    with console.Steps() as steps:
        checked = command.check(
            project, items=items, remeasure=measure or items is not None, progress=steps
        )
    if as_json:
        console.answer_json(documents.check(checked))
    else:
        for text in check_views.check(checked):
            console.answer_text(text)
    return checked.exit_code


@app.command(cls=Command)
def undo(project: ProjectDir = None, as_json: Json = False) -> None:
    """Take back the last switch, update or add.

    Every file is exactly as it was. A command that was cut short is taken back too.
    """
    from scaffold.commands import undo as command
    from scaffold.terminal import plan_dialogue

    plan_dialogue.show_undone(command.undo(project), as_json=as_json)
