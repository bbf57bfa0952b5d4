"""The talk of `demo`: each model as it runs, then the table or the document, and the picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from scaffold.commands import demo
from scaffold.commands.demo import Demo, Plan
from scaffold.terminal import console, demo_views, documents, layout

Answer = Callable[[Iterable[str]], None]


def show(plan: Plan, save: Path | None, *, as_json: bool) -> None:
    """Run the demonstration, print it as it goes, and draw it when asked to."""
    for line in demo_views.announcement(plan, console.width()):
        console.say(line)
    console.say()
    shown = _perform(plan, _nowhere if as_json else console.answer_lines)
    if as_json:
        console.answer_json(documents.demo(shown))
    else:
        console.answer_lines(demo_views.summary(shown, console.width()))
    if save is not None:
        from scaffold.terminal import demo_picture, saving

        saving.save(save, demo_picture.drawn(shown, save.suffix))


def _nowhere(lines: Iterable[str]) -> None:
    """Drop what a document does not show."""


def _perform(plan: Plan, answer: Answer) -> Demo:
    """Run the article's example, then the heavier tasks, model by model."""
    width = console.width()
    with demo.stage(plan) as stage:
        example = tuple(stage.example(model) for model in plan.models)
        answer([*_bold(demo_views.EXAMPLE), "", *demo_views.example(example, width), ""])
        answer([*_bold(f"Heavier: {demo_views.tasks(plan)}"), *demo_views.legend(plan, width)])
        runs = []
        for model in plan.models:
            answer(["", *_bold(demo_views.title(plan, model))])
            with console.Steps("  ") as steps:
                runs.append(stage.heavier(model, steps))
            answer(demo_views.run(runs[-1], plan.scale(runs[0]), width))
        answer([""])
    return Demo(plan, example, tuple(runs))


def _bold(title: str) -> list[str]:
    return [console.style(line, "bold") for line in layout.wrap(title, console.width())]
