"""The options that several commands share, each described once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from scaffold.terminal import completion

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

ProjectDir = Annotated[
    Path | None,
    typer.Option("--project", metavar="DIR", help="The project; by default here or above."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change; write nothing.")]
Diff = Annotated[bool, typer.Option("--diff", help="Show it as a unified diff, and write nothing.")]
Force = Annotated[
    bool, typer.Option("--force", help="Replace edited files of ours; yours stay beside them.")
]


def about_the_work(
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
