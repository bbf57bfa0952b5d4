"""The command line: Typer signatures, and the one place where errors become exit codes.

Start-up counts here: a command imports what it needs when it runs, not before.
"""

from __future__ import annotations

import gc

gc.disable()  # a command is over in a moment; looking for garbage would take it 7 ms longer

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.main import get_command

from scaffold.terminal import completion
from scaffold.terminal.usage import Command, Group

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.models import CommandInfo

    from scaffold.core.errors import ConcgenError

app = typer.Typer(
    name="concgen",
    cls=Group,
    help="Choose a concurrency model for a slow loop, and get a project that runs it.",
    no_args_is_help=True,
    rich_markup_mode=None,  # rich would cost more start-up time than all the rest
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# Typer keeps the root of its usage errors private; the public BadParameter is one of them.
TyperUsageError: type[Exception] = typer.BadParameter.__bases__[0]

# Under these headings the options stand in `--help`.
WORK, MEASURING, PROJECT = "The work", "Measuring", "The project"

Workload = Annotated[
    str | None,
    typer.Option(
        metavar="io|cpu|mixed",
        help="What one task mostly does: waits, computes, or both.",
        autocompletion=completion.workloads,
        rich_help_panel=WORK,
    ),
]
Tasks = Annotated[
    str | None,
    typer.Option(metavar="N", help="How many tasks, such as 20k.", rich_help_panel=WORK),
]
TaskTime = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="How long one takes alone, such as 50ms.", rich_help_panel=WORK
    ),
]
AsyncClient = Annotated[
    bool | None,
    typer.Option(
        "--async-client/--no-async-client",
        help="Whether the client has an async API.",
        rich_help_panel=WORK,
    ),
]
ReleasesGil = Annotated[
    bool | None,
    typer.Option(
        "--releases-gil/--holds-gil",
        help="Whether the computing releases the GIL.",
        rich_help_panel=WORK,
    ),
]
MaxInFlight = Annotated[
    str | None,
    typer.Option(
        metavar="N",
        help="The most that may be in flight at once, or none.",
        rich_help_panel=WORK,
    ),
]
Payload = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE", help="Data in and out per task, such as 10KB.", rich_help_panel=WORK
    ),
]
Deadline = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="What all of it may take, such as 1h; else a cluster.",
        rich_help_panel=WORK,
    ),
]
AnswersFile = Annotated[
    Path | None,
    typer.Option("--answers", metavar="FILE", help="Take answers from this JSON or TOML file."),
]
Target = Annotated[
    str, typer.Argument(metavar="FILE.py:FUNC", help="Your function; or package.module:FUNC.")
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FILE.py:FUNC",
        help="Measure this function instead of asking.",
        rich_help_panel=MEASURING,
    ),
]
ItemsFile = Annotated[
    Path | None,
    typer.Option(
        "--items",
        metavar="FILE",
        help="Its items: JSON Lines, or a .txt.",
        rich_help_panel=MEASURING,
    ),
]
Budget = Annotated[
    str | None,
    typer.Option(
        "--budget", metavar="SECONDS", help="What it may take [3].", rich_help_panel=MEASURING
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing; take defaults for the rest.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command(
    cls=Command,
    epilog="Example: concgen new crawl --workload io --tasks 20k --task-time 200ms --yes",
)
def new(
    dest: Annotated[
        Path | None, typer.Argument(metavar="[DEST]", help="Where the project goes.")
    ] = None,
    workload: Workload = None,
    tasks: Tasks = None,
    task_time: TaskTime = None,
    async_client: AsyncClient = None,
    releases_gil: ReleasesGil = None,
    max_in_flight: MaxInFlight = None,
    payload: Payload = None,
    deadline: Deadline = None,
    function: From = None,
    items: ItemsFile = None,
    budget: Budget = None,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Its name; by default that of DEST.", rich_help_panel=PROJECT
        ),
    ] = None,
    starter: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What it starts from; `concgen starters` lists them.",
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
    ci: Annotated[
        bool | None,
        typer.Option(
            "--ci/--no-ci",
            help="Whether GitHub Actions is to run its checks [yes].",
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
    """Ask about the work, recommend a model, generate a project."""
    from scaffold.commands import advise
    from scaffold.commands import new as command
    from scaffold.making.yours import gather
    from scaffold.terminal import console, dialogue, views

    options = _options(
        workload, tasks, task_time, async_client, releases_gil, max_in_flight, payload, deadline
    )
    workflow = None if ci is None else str(ci)
    wishes = {"name": name, "starter": starter, "model": model, "ci": workflow}
    given = advise.gather(options, answers, wishes)
    ask = None if yes else console.asker()
    where = dest or dialogue.ask_dest(given.project.get("name"), ask)
    wanted = command.order(where, given.project)
    source = dialogue.Source(function, items, budget)
    advice, yours = dialogue.counsel(given, ask, yes=yes, source=source, take=gather)
    if ask is not None:
        console.say()
    if not as_json:
        console.answer_headed(views.recommendation(advice.recommendation, console.width()))
    chosen = wanted.model or dialogue.settle(advice, wanted.starter, ask)
    if chosen is None:
        console.say("Nothing was written.")
        return
    if wanted.starter is None and yours is None:
        bound = advice.recommendation.workload.bound
        wanted = wanted.start_from(dialogue.choose_starter(bound, chosen, ask))
    created = command.create(wanted, advice, chosen, dry_run=dry_run, yours=yours)
    if as_json:
        console.answer_json(command.document(advice, created))
    else:
        dialogue.show_created(created, dry_run=dry_run)


@app.command(
    cls=Command,
    epilog="Example: concgen recommend --workload cpu --tasks 5k --task-time 50ms --yes",
)
def recommend(
    workload: Workload = None,
    tasks: Tasks = None,
    task_time: TaskTime = None,
    async_client: AsyncClient = None,
    releases_gil: ReleasesGil = None,
    max_in_flight: MaxInFlight = None,
    payload: Payload = None,
    deadline: Deadline = None,
    function: From = None,
    items: ItemsFile = None,
    budget: Budget = None,
    yes: Yes = False,
    answers: AnswersFile = None,
    as_json: Json = False,
) -> None:
    """Ask the same questions and give the advice alone."""
    from scaffold.commands import advise
    from scaffold.terminal import console

    options = _options(
        workload, tasks, task_time, async_client, releases_gil, max_in_flight, payload, deadline
    )
    given = advise.gather(options, answers)
    ask = None if yes else console.asker()
    if function is None and ask is None:  # the fast way: nothing to import for a dialogue
        advice = advise.advise(given, None, yes=yes)
    else:
        from scaffold.terminal import dialogue

        source = dialogue.Source(function, items, budget)
        advice, _ = dialogue.counsel(given, ask, yes=yes, source=source, take=lambda *_: None)
    if ask is not None:
        console.say()
    if as_json:
        from scaffold.terminal import documents

        console.answer_json(documents.recommendation(advice.recommendation))
    else:
        from scaffold.terminal import views

        console.answer_headed(views.recommendation(advice.recommendation, console.width()))


@app.command(
    name="measure",
    cls=Command,
    epilog="Example: concgen measure work.py:digest --items items.jsonl",
)
def show_profile(
    target: Target,
    items: ItemsFile = None,
    budget: Budget = None,
    as_json: Json = False,
) -> None:
    """Measure your function on a sample of your items.

    It is run for real, in a process of its own: what a call takes, how much of it computes and
    holds the GIL, and what goes in and out.
    """
    from scaffold.commands import measure as command
    from scaffold.terminal import console, profile_views

    seconds = command.read_budget(budget)
    found, sample = command.prepare(target, items)
    console.say(command.announcement(found, sample, seconds))
    with console.Steps() as steps:
        profile = command.profile(found, sample, seconds, steps)
    if as_json:
        console.answer_json(command.document(profile, found, sample))
    else:
        console.answer_lines(profile_views.profile(profile, console.width()))


@app.command(
    cls=Command, epilog="Example: concgen bench work.py:digest --items items.jsonl --save bench.svg"
)
def bench(
    target: Annotated[
        str | None,
        typer.Argument(metavar="[FILE.py:FUNC]", help="Your function; none: this project's work."),
    ] = None,
    items: ItemsFile = None,
    budget: Annotated[
        str | None,
        typer.Option(
            metavar="SECONDS", help="What all of it may take [20].", rich_help_panel=MEASURING
        ),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw it too, as .html or .svg.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Run every model that applies, predicted beside measured.

    All of them run the same function on the same items, by the engines that projects get.
    Without a function it is the work of the project here.
    """
    from scaffold.commands import bench as command
    from scaffold.terminal import bench_dialogue

    request = command.order(target, items, budget, save)
    found, code = bench_dialogue.watch(request)
    bench_dialogue.show(found, save, as_json=as_json)
    return code


@app.command(cls=Command)
def doctor(
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Measure this machine's costs, in some seconds.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what this machine has and what limits it.

    Cores, memory, Python, the GIL, open files, git and uv, and what to do about them.
    """
    from scaffold.commands import doctor as command
    from scaffold.terminal import console

    if calibrate:
        command.calibrate(lambda step: console.say(f"measuring {step} ..."))
    found = command.examine()
    if as_json:
        console.answer_json(command.document(found))
    else:
        console.answer_lines(command.report(found, console.width()))


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
    from scaffold.commands import catalog
    from scaffold.terminal import console

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
    from scaffold.commands import catalog
    from scaffold.terminal import console

    width = console.width()
    console.answer_lines(catalog.starter(name, width) if name else catalog.starters(width))


@app.command(cls=Command)
def models() -> None:
    """Compare the models.

    Parallelism, memory, start-up, communication, the GIL, and what each is for.
    """
    from scaffold.commands import catalog
    from scaffold.terminal import console

    console.answer_lines(catalog.models(console.width()))


ProjectDir = Annotated[
    Path | None,
    typer.Option("--project", metavar="DIR", help="The project; by default here or above."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change; write nothing.")]
Diff = Annotated[bool, typer.Option("--diff", help="Show it as a unified diff, and write nothing.")]
Force = Annotated[
    bool, typer.Option("--force", help="Replace edited files of ours; yours stay beside them.")
]


@app.command(cls=Command)
def switch(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="The model to run with.", autocompletion=completion.models
        ),
    ],
    project: ProjectDir = None,
    dry_run: DryRun = False,
    diff: Diff = False,
    force: Force = False,
    as_json: Json = False,
) -> int:
    """Change the model of a generated project, and keep your edits."""
    from scaffold.commands import switch as command
    from scaffold.terminal import plan_dialogue

    prepared = command.prepare(project, command.read_model(model), force=force)
    return plan_dialogue.settle(prepared, dry_run=dry_run, diff=diff, as_json=as_json)


@app.command(cls=Command)
def update(
    project: ProjectDir = None,
    dry_run: DryRun = False,
    diff: Diff = False,
    force: Force = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="New questions take their defaults, as always.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Bring newer templates into a project, and keep your edits.

    The templates are those of this concgen; every answer stays as it was.
    """
    from scaffold.commands import update as command
    from scaffold.terminal import plan_dialogue

    prepared = command.prepare(project, force=force)
    return plan_dialogue.settle(prepared, dry_run=dry_run, diff=diff, as_json=as_json)


@app.command(name="diff", cls=Command)
def show_diff(
    project: ProjectDir = None,
    stat: Annotated[
        bool, typer.Option("--stat", help="Only how many lines, file by file.")
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
        bool, typer.Option("--measure", help="Measure the project's work again, for real.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Ask whether the recorded decision is still right here.

    Decides again, for this machine and this Python; exit 5 when the advice flipped.
    """
    from scaffold.commands import check as command
    from scaffold.terminal import console

    with console.Steps() as steps:
        verdict = command.check(project, remeasure=measure, progress=steps)
    if as_json:
        console.answer_json(command.document(verdict))
    else:
        console.answer_lines(command.report(verdict))
    return verdict.exit_code


@app.command(cls=Command)
def undo(project: ProjectDir = None, as_json: Json = False) -> None:
    """Take back the last switch or update.

    Exactly, and also one that was cut short.
    """
    from scaffold.commands import undo as command
    from scaffold.terminal import plan_dialogue

    plan_dialogue.show_undone(command.undo(project), as_json=as_json)


def _version(wanted: bool) -> None:
    if wanted:
        from scaffold.terminal import console, documents

        console.answer(f"concgen {documents.version()}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Choose a concurrency model for a slow loop, and get a project that runs it."""


def _options(
    workload: str | None,
    tasks: str | None,
    task_time: str | None,
    async_client: bool | None,
    releases_gil: bool | None,
    max_in_flight: str | None,
    payload: str | None,
    deadline: str | None,
) -> dict[str, Any]:
    """Name the options about the work as the interview names its questions."""
    return {
        "workload": workload,
        "tasks": tasks,
        "task-time": task_time,
        "async-client": async_client,
        "releases-gil": releases_gil,
        "max-in-flight": max_in_flight,
        "payload": payload,
        "deadline": deadline,
    }


def main() -> None:
    """Run the command line and leave with its exit code.

    At once: all is done and closed, and taking apart what was imported would take 10 ms.
    """
    from scaffold.core.errors import Interrupted
    from scaffold.terminal import streams

    try:
        if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:  # as scaffold.__main__ leaves it
            signal.signal(signal.SIGINT, signal.default_int_handler)
        streams.settle()
        code = run()
    except KeyboardInterrupt:  # one more, while the first was being told
        code = Interrupted.exit_code
    os._exit(code)


def run() -> int:
    """Run the command line; whatever goes wrong ends in one line and an exit code."""
    from scaffold.core.errors import ConcgenError, Interrupted, UsageError
    from scaffold.terminal import streams

    try:
        code = _command()(standalone_mode=False) or 0
        if code == Interrupted.exit_code:  # Typer turns Ctrl-C into this code
            raise KeyboardInterrupt
        streams.flush()
    except KeyboardInterrupt:
        code = _report(Interrupted("interrupted; nothing half-made is left"))
    except ConcgenError as problem:
        code = _report(problem)
    except TyperUsageError as problem:
        message = getattr(problem, "format_message", problem.__str__)()
        context = getattr(problem, "ctx", None)
        command = context.command_path if context else "concgen"
        code = _report(UsageError(message, hint=f"see {command} --help"))
    except Exception as problem:
        from scaffold.terminal import faults

        code = _report(faults.kept(problem))
    finally:
        gc.enable()
    return int(code)


def _command() -> Callable[..., Any]:
    """Build the command line: only the command that is called, where the first word names one.

    Building all of them takes as long as the advice itself.
    """
    every = app.registered_commands
    named = [one for one in every if _name(one) in sys.argv[1:2]]
    app.registered_commands = named or every
    try:
        return get_command(app)
    finally:
        app.registered_commands = every


def _name(info: CommandInfo) -> str:
    return info.name or str(getattr(info.callback, "__name__", ""))


def _report(problem: ConcgenError) -> int:
    from contextlib import suppress

    from scaffold.core.errors import ConcgenError
    from scaffold.terminal import console, streams

    console.error(problem)
    with suppress(ConcgenError):  # one problem is enough
        streams.flush()
    return problem.exit_code
