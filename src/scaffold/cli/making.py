"""The commands that make something: new, add."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaffold.cli.app import app
from scaffold.cli.options import (
    PROJECT,
    AnswersFile,
    Budget,
    Calls,
    From,
    ItemsFile,
    Json,
    Repeat,
    Work,
    Yes,
    with_questions,
)
from scaffold.terminal import completion
from scaffold.terminal.usage import Command

if TYPE_CHECKING:
    from scaffold.asking.questions import Ask
    from scaffold.commands.advise import Given
    from scaffold.terminal.dialogue import MeasureRequest

ModelWish = Annotated[
    str | None,
    typer.Option(
        metavar="auto|MODEL",
        help="Its model; auto takes the advice.",
        autocompletion=completion.auto_or_model,
        rich_help_panel=PROJECT,
    ),
]
KeyWish = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="FIELD",
        help="The field that identifies an item in results and messages.",
        rich_help_panel=PROJECT,
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")
]


@app.command(cls=Command)
@with_questions
def new(
    dest: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DEST]", help="Directory of the new project; FILE.py makes one script."
        ),
    ] = None,
    *,
    work: Work,
    function: From = None,
    items: ItemsFile = None,
    budget: Budget = None,
    calls: Calls = None,
    repeat: Repeat = False,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The project's name [the name of DEST].", rich_help_panel=PROJECT
        ),
    ] = None,
    starter: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The starter of the project; `concgen starters` lists them.",
            autocompletion=completion.starters,
            rich_help_panel=PROJECT,
        ),
    ] = None,
    model: ModelWish = None,
    key: KeyWish = None,
    ci: Annotated[
        bool | None,
        typer.Option(
            "--ci/--no-ci",
            help="Whether GitHub Actions runs the project's checks [yes].",
            rich_help_panel=PROJECT,
        ),
    ] = None,
    ci_check: Annotated[
        bool,
        typer.Option(
            "--ci-check",
            help="Let GitHub Actions also run `concgen check`.",
            rich_help_panel=PROJECT,
        ),
    ] = False,
    yes: Yes = False,
    answers: AnswersFile = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Ask about the work, recommend a model, generate a project.

    Your function takes one item. The project runs it over all items: python -m NAME run.
    """
    from scaffold.commands import advise, measure, script
    from scaffold.commands import new as command
    from scaffold.core.texts import shown
    from scaffold.making.user_code import gather
    from scaffold.terminal import console, dialogue, documents, summaries

    workflow = None if ci is None else str(ci)
    checked = "yes" if ci_check else None
    wishes = {"name": name, "starter": starter, "model": model, "ci": workflow, "ci_check": checked}
    wishes |= {"key": key}
    given = advise.gather(work, answers, wishes)
    ask = None if yes else console.asker()
    where = dest or dialogue.ask_dest(given.project.get("name"), ask)
    effort = measure.read_effort(budget, calls, repeat)
    to_measure = dialogue.MeasureRequest(function, items, effort)
    if script.is_script(where):
        _new_script(where, given, ask, yes, to_measure, dry_run, as_json)
        return
    wanted = command.read_request(where, given.project)
    advice, user_code, chosen = dialogue.decide(
        given,
        ask,
        yes=yes,
        to_measure=to_measure,
        take=gather,
        model=wanted.model,
        starter=wanted.starter,
        silent=as_json,
    )
    if chosen is None:
        return
    if user_code is not None:
        wanted = wanted.name_items(dialogue.choose_key(wanted.key, user_code.items, ask))
    elif wanted.starter is None:
        bound = advice.recommendation.workload.bound
        wanted = wanted.start_from(dialogue.choose_starter(bound, chosen, ask))
    created = command.create(wanted, advice, chosen, dry_run=dry_run, user_code=user_code)
    done = f"{shown(created.path)} is {'as it was' if dry_run else 'complete'}"
    with console.telling(done, "send it somewhere else"):
        if as_json:
            console.answer_json(documents.new(advice.recommendation, created))
        else:
            summaries.show_created(created, dry_run=dry_run)


@app.command(cls=Command)
@with_questions
def add(
    package: Annotated[
        str,
        typer.Argument(
            metavar="PACKAGE.SUB", help="The package to make, inside a package of yours."
        ),
    ],
    *,
    work: Work,
    function: From = None,
    items: ItemsFile = None,
    budget: Budget = None,
    calls: Calls = None,
    repeat: Repeat = False,
    model: ModelWish = None,
    key: KeyWish = None,
    yes: Yes = False,
    answers: AnswersFile = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Add a concurrent package to your repository.

    The package runs your function where it is. The package and its test are the only files written.
    """
    from dataclasses import replace
    from functools import partial

    from scaffold.commands import add as command
    from scaffold.commands import advise, measure
    from scaffold.making import repository
    from scaffold.making.user_code import importable
    from scaffold.terminal import console, dialogue, documents, summaries

    given = advise.gather(work, answers, {"model": model, "key": key})
    wanted = command.read_request(package, given.project)
    ask = None if yes else console.asker()
    effort = measure.read_effort(budget, calls, repeat)
    to_measure = dialogue.MeasureRequest(function, items, effort)
    advice, user_code, chosen = dialogue.decide(
        given,
        ask,
        yes=yes,
        to_measure=to_measure,
        take=importable,
        locate=partial(repository.settled, root=wanted.root, start=Path.cwd()),
        model=wanted.model,
        starter=None,
        silent=as_json,
    )
    if chosen is None:
        return
    if user_code is not None:
        wanted = replace(wanted, key=dialogue.choose_key(wanted.key, user_code[1], ask))
    added = command.create(wanted, advice, chosen, dry_run=dry_run, user_code=user_code)
    if as_json:
        console.answer_json(documents.add(advice.recommendation, added))
    else:
        summaries.show_added(added, dry_run=dry_run)


def _new_script(
    where: Path,
    given: Given,
    ask: Ask | None,
    yes: bool,
    to_measure: MeasureRequest,
    dry_run: bool,
    as_json: bool,
) -> None:
    from scaffold.commands import script as command
    from scaffold.making.script import scriptable
    from scaffold.making.user_code import importable
    from scaffold.terminal import console, dialogue, documents, summaries

    wanted = command.read_request(where, given.project)
    advice, user_code, chosen = dialogue.decide(
        given._replace(models=scriptable()),
        ask,
        yes=yes,
        to_measure=to_measure,
        take=importable,
        model=wanted.model,
        starter=wanted.starter,
        silent=as_json,
    )
    if chosen is None:
        return
    written = command.create(wanted, advice, chosen, dry_run=dry_run, user_code=user_code)
    if as_json:
        console.answer_json(documents.script(advice.recommendation, written))
    else:
        summaries.show_script(written, dry_run=dry_run)
