"""The commands that advise, and what advice rests on: recommend, measure, bench, demo, doctor."""

from __future__ import annotations

from typing import Annotated

import typer

from scaffold.asking.questions import BY_NAME
from scaffold.cli.app import app
from scaffold.cli.options import (
    MEASURING,
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
    """Ask about the work, and give only the advice."""
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

        effort = measure.read_effort(budget, calls, repeat)
        to_measure = dialogue.MeasureRequest(function, items, effort)
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
    console.say_text(progress_views.running(command.announcement(function, sample, effort)))
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
    finally:  # even if the picture cannot be written
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
