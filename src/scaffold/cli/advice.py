"""The commands that advise: new, recommend, measure, bench, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaffold.asking.questions import BY_NAME
from scaffold.cli.app import app
from scaffold.cli.options import (
    MEASURING,
    PROJECT,
    AnswersFile,
    Budget,
    Calls,
    From,
    ItemsFile,
    Json,
    Repeat,
    Save,
    Target,
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
    model: Annotated[
        str | None,
        typer.Option(
            metavar="auto|MODEL",
            help="Its model; auto takes the advice.",
            autocompletion=completion.auto_or_model,
            rich_help_panel=PROJECT,
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD",
            help="The field that identifies an item in results and messages.",
            rich_help_panel=PROJECT,
        ),
    ] = None,
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
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Ask about the work, recommend a model, generate a project.

    Your function takes one item. The project runs it over all items: python -m NAME run.
    """
    from functools import partial

    from scaffold.commands import advise, measure, script
    from scaffold.commands import new as command
    from scaffold.core.texts import shown
    from scaffold.making.yours import gather
    from scaffold.terminal import console, dialogue, documents

    workflow = None if ci is None else str(ci)
    checked = "yes" if ci_check else None
    wishes = {"name": name, "starter": starter, "model": model, "ci": workflow, "ci_check": checked}
    wishes |= {"key": key}
    given = advise.gather(work, answers, wishes)
    ask = None if yes else console.asker()
    where = dest or dialogue.ask_dest(given.project.get("name"), ask)
    if script.is_script(where):
        to_measure = dialogue.MeasureRequest(
            function, items, measure.read_effort(budget, calls, repeat)
        )
        _new_script(where, given, ask, yes, to_measure, dry_run, as_json)
        return
    wanted = command.read_request(where, given.project)
    to_measure = dialogue.MeasureRequest(
        function, items, measure.read_effort(budget, calls, repeat)
    )
    consult = partial(dialogue.counsel, given, ask, yes=yes, to_measure=to_measure, take=gather)
    advice, yours, chosen = dialogue.decide(
        consult,
        ask,
        model=wanted.model,
        starter=wanted.starter,
        silent=as_json,
    )
    if chosen is None:
        console.say("Nothing was written.")
        return
    if yours is not None:
        wanted = wanted.name_items(dialogue.choose_key(wanted.key, yours.items, ask))
    elif wanted.starter is None:
        bound = advice.recommendation.workload.bound
        wanted = wanted.start_from(dialogue.choose_starter(bound, chosen, ask))
    created = command.create(wanted, advice, chosen, dry_run=dry_run, yours=yours)
    done = f"{shown(created.path)} is {'as it was' if dry_run else 'complete'}"
    with console.telling(done, "send it somewhere else"):
        if as_json:
            console.answer_json(documents.new(advice.recommendation, created))
        else:
            dialogue.show_created(created, dry_run=dry_run)


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
    model: Annotated[
        str | None,
        typer.Option(
            metavar="auto|MODEL",
            help="Its model; auto takes the advice.",
            autocompletion=completion.auto_or_model,
            rich_help_panel=PROJECT,
        ),
    ] = None,
    yes: Yes = False,
    answers: AnswersFile = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add a concurrent package to your repository.

    The package runs your function where it is. The package and its test are the only files written.
    """
    from functools import partial

    from scaffold.commands import add as command
    from scaffold.commands import advise, measure
    from scaffold.making import repository
    from scaffold.terminal import console, dialogue, documents

    given = advise.gather(work, answers, {"model": model})
    wanted = command.read_request(package, given.project)
    ask = None if yes else console.asker()
    to_measure = dialogue.MeasureRequest(
        function, items, measure.read_effort(budget, calls, repeat)
    )
    locate = partial(repository.settled, root=wanted.root, start=Path.cwd())
    consult = partial(
        dialogue.counsel,
        given,
        ask,
        yes=yes,
        to_measure=to_measure,
        take=command.take,
        locate=locate,
    )
    advice, yours, chosen = dialogue.decide(
        consult,
        ask,
        model=wanted.model,
        starter=None,
        silent=as_json,
    )
    if chosen is None:
        console.say("Nothing was written.")
        return
    added = command.create(wanted, advice, chosen, dry_run=dry_run, yours=yours)
    if as_json:
        console.answer_json(documents.add(advice.recommendation, added))
    else:
        dialogue.show_added(added, dry_run=dry_run)


def _new_script(
    where: Path,
    given: Given,
    ask: Ask | None,
    yes: bool,
    to_measure: MeasureRequest,
    dry_run: bool,
    as_json: bool,
) -> None:
    from functools import partial

    from scaffold.commands import script as command
    from scaffold.making.script import scriptable
    from scaffold.terminal import console, dialogue, documents

    wanted = command.read_request(where, given.project)
    given = given._replace(models=scriptable())
    consult = partial(
        dialogue.counsel, given, ask, yes=yes, to_measure=to_measure, take=command.take
    )
    advice, yours, chosen = dialogue.decide(
        consult,
        ask,
        model=wanted.model,
        starter=wanted.starter,
        silent=as_json,
    )
    if chosen is None:
        console.say("Nothing was written.")
        return
    written = command.create(wanted, advice, chosen, dry_run=dry_run, yours=yours)
    if as_json:
        console.answer_json(documents.script(advice.recommendation, written))
    else:
        dialogue.show_script(written, dry_run=dry_run)


@app.command(cls=Command)
@with_questions
def recommend(
    *,
    work: Work,
    function: From = None,
    items: ItemsFile = None,
    budget: Budget = None,
    calls: Calls = None,
    repeat: Repeat = False,
    yes: Yes = False,
    answers: AnswersFile = None,
    save: Save = None,
    as_json: Json = False,
) -> None:
    """Ask the same questions, and give only the advice."""
    from scaffold.commands import advise
    from scaffold.terminal import console

    if save is not None:
        from scaffold.commands.picture import check_chart

        check_chart(save)
    given = advise.gather(work, answers)
    ask = None if yes else console.asker()
    if function is None and ask is None:  # the fast way: nothing to import for a dialogue
        advice = advise.advise(given, None, yes=yes)
    else:
        from scaffold.commands import measure
        from scaffold.terminal import dialogue

        to_measure = dialogue.MeasureRequest(
            function, items, measure.read_effort(budget, calls, repeat)
        )
        advice, _ = dialogue.counsel(
            given, ask, yes=yes, to_measure=to_measure, take=lambda *_: None
        )
    if ask is not None:
        console.say()
    if as_json:
        from scaffold.terminal import documents

        console.answer_json(documents.recommendation(advice.recommendation))
    else:
        from scaffold.terminal import views

        console.answer_headed(views.recommendation(advice.recommendation, console.width()))
    if save is not None:
        from scaffold.terminal import pictures, saving

        saving.save(save, pictures.of_advice(advice.recommendation, function, save.suffix))


@app.command(name="measure", cls=Command)
def show_profile(
    target: Target,
    items: ItemsFile = None,
    budget: Budget = None,
    calls: Calls = None,
    repeat: Repeat = False,
    as_json: Json = False,
) -> None:
    """Measure your function on a sample of your items.

    The function really runs, in a separate process. The report says how long a call takes, how much
    of that computes and holds the GIL, and how much data goes in and out.
    """
    from scaffold.commands import measure as command
    from scaffold.terminal import console, documents, profile_views, progress_views

    effort = command.read_effort(budget, calls, repeat)
    function, sample = command.prepare(target, items)
    console.say(progress_views.running(command.announcement(function, sample, effort)))
    with console.Steps() as steps:
        profile = command.profile(function, sample, effort, steps)
    binds = command.binding(profile, sample)
    if as_json:
        console.answer_json(documents.measure(profile, function, sample, binds))
    else:
        console.answer_lines(profile_views.profile(profile, binds, console.width()))


@app.command(cls=Command)
def bench(
    target: Annotated[
        str | None,
        typer.Argument(metavar="[FILE.py:FUNC]", help="Your function [the work of this project]."),
    ] = None,
    items: ItemsFile = None,
    budget: Annotated[
        str | None,
        typer.Option(
            metavar="SECONDS", help="How long the bench may take [20].", rich_help_panel=MEASURING
        ),
    ] = None,
    save: Save = None,
    as_json: Json = False,
) -> int:
    """Run every model that applies, and compare predicted and measured times.

    All models run the same function on the same items, with the engines that projects get. Without
    FUNC, the bench runs the work of the current project, and the project's record keeps the times.
    """
    from scaffold.commands import bench as command
    from scaffold.terminal import bench_dialogue

    request = command.read_request(target, items, budget, save)
    results, code = bench_dialogue.watch(request)
    try:
        bench_dialogue.show(results, save, as_json=as_json)
    finally:  # also where the picture cannot be written
        bench_dialogue.record(results, request)
    return code


@app.command(cls=Command)
def demo(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="[io|cpu|mixed]",
            help="Tasks that wait [io], compute, or do both.",
            autocompletion=completion.choices(BY_NAME["workload"]),
        ),
    ] = None,
    save: Save = None,
    as_json: Json = False,
) -> None:
    """Show the models at work on sample tasks: which worker runs when, and why.

    The demo runs the article's example and a heavier one on this machine, usually in less than half
    a minute. It shows what was predicted, what happened, and the rule that explains it.
    """
    from scaffold.commands import demo as command
    from scaffold.terminal import demo_dialogue

    bound = command.read_request(kind, save)
    demo_dialogue.show(command.plan(bound), save, as_json=as_json)


@app.command(cls=Command)
def doctor(
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate", help="Measure the costs of threads and processes here, in some seconds."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what this machine has and what limits it.

    The report covers cores, memory, Python, the GIL, open files, git and uv, and says what to do.
    """
    from scaffold.commands import doctor as command
    from scaffold.terminal import console, doctor_views, documents

    if calibrate:
        command.calibrate(lambda step: console.say(f"measuring {step} ..."))
    checkup = command.examine()
    if as_json:
        console.answer_json(documents.doctor(checkup))
    else:
        console.answer_lines(doctor_views.doctor(checkup, console.width()))
