"""The options that several commands share, each described once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from scaffold.asking.questions import QUESTIONS
from scaffold.terminal import completion

# The headings of the options in `--help`.
WORK, MEASURING, PROJECT = "The work", "Measuring", "The project"

# The answers to the questions as they were typed, by the question's name.
Work = Mapping[str, str | bool | None]

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
        help="The function's items: .jsonl, .csv, .tsv, .txt, .parquet, or - for a pipe.",
        rich_help_panel=MEASURING,
    ),
]
Budget = Annotated[
    str | None,
    typer.Option(
        "--budget",
        metavar="SECONDS",
        help="How long measuring may take [3].",
        rich_help_panel=MEASURING,
    ),
]
Calls = Annotated[
    str | None,
    typer.Option(
        metavar="N", help="Most calls of a function that waits [30].", rich_help_panel=MEASURING
    ),
]
Repeat = Annotated[
    bool,
    typer.Option("--repeat", help="Items may be run more than once.", rich_help_panel=MEASURING),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing; use defaults for the rest.")]
Save = Annotated[
    Path | None,
    typer.Option("--save", metavar="FILE", help="Also draw the result, as .html or .svg."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

ProjectDir = Annotated[
    Path | None,
    typer.Option(
        "--project",
        metavar="DIR",
        help="The project's directory; by default this one, or one above.",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would change, and write nothing.")
]
Diff = Annotated[
    bool, typer.Option("--diff", help="Show the change as a unified diff, and write nothing.")
]
Force = Annotated[
    bool,
    typer.Option(
        "--force", help="Replace concgen's files even if edited; your versions stay beside them."
    ),
]


def with_questions(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command an option for each question, in place of its parameter `work`.

    `work` then holds the answers as they were typed, by the question's name.
    """

    @wraps(command)
    def with_work(**values: Any) -> Any:
        work = {question.name: values.pop(question.parameter) for question in QUESTIONS}
        return command(**values, work=work)

    signature = inspect.signature(command, eval_str=True)
    parameters = []
    for parameter in signature.parameters.values():
        parameters += _options() if parameter.name == "work" else [parameter]
    with_work.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return with_work


def _options() -> list[inspect.Parameter]:
    return [
        inspect.Parameter(
            question.parameter,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                (bool if question.flags else str) | None,
                typer.Option(
                    "/".join(question.flags) if question.flags else f"--{question.name}",
                    metavar=question.kind.metavar or None,
                    help=question.help,
                    autocompletion=completion.choices(question),
                    rich_help_panel=WORK,
                ),
            ],
        )
        for question in QUESTIONS
    ]
