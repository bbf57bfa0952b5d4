"""`recommend`, and the first half of `new`: answers in, advice out."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from scaffold import api
from scaffold.asking.interview import Replies, collect, missing
from scaffold.asking.questions import Ask
from scaffold.core.domain import Model, Recommendation, Workload
from scaffold.core.errors import UsageError
from scaffold.making.inventory import available_models
from scaffold.measuring import machine


class Given(NamedTuple):
    """What is known before the interview: raw answers by question, and answers about the project.

    `models` are the models to choose from; None stands for all that the starter runs on.
    """

    questions: Mapping[str, str | bool]
    project: Mapping[str, str]
    models: tuple[Model, ...] | None = None


class Measured(NamedTuple):
    """A measured workload, the start method of its processes, and how busy the machine was.

    `busy_fraction` is the share of its time that the function waited for a core, or the share of
    the machine that other programs used, whichever is more. `bench` is the command that runs every
    model on the function.
    """

    workload: Workload
    start_method: str
    busy_fraction: float = 0.0
    gil_enabled: bool = False
    bench: str = ""


class Advice(NamedTuple):
    """The answers, and the advice that they led to."""

    replies: Replies
    recommendation: Recommendation

    @property
    def switches_gil_on(self) -> bool:
        """Tell whether the function switches the GIL on in an interpreter that runs without it."""
        return self.recommendation.machine.gil and not machine.gil_enabled()


def gather(
    options: Mapping[str, str | bool | None],
    answers: Path | None,
    wishes: Mapping[str, str | None] | None = None,
) -> Given:
    """Put options and answers file together; an option wins. Raises UsageError for a bad file.

    `options` are about the work, `wishes` (name, starter, model, ci) about the project. An answer
    that follows from the starter need not be given, but may be.
    """
    questions, project = _from_file(answers) if answers else ({}, {})
    for name, value in options.items():
        if value is not None:
            questions[name] = value
    for name, wish in (wishes or {}).items():
        if wish is not None:
            project[name] = wish
    if chosen := project.get("starter"):
        from scaffold.making import starters

        return Given({**starters.find(chosen).answers, **questions}, project)
    return Given(questions, project)


def _from_file(path: Path) -> tuple[dict[str, str | bool], dict[str, str]]:
    from scaffold.asking import answers_file

    return answers_file.load(path)


def advise(
    given: Given,
    ask: Ask | None,
    *,
    yes: bool,
    measured: Measured | None = None,
    earlier: Replies | None = None,
) -> Advice:
    """Complete the answers and recommend. If `ask` is None, no question is asked.

    An `earlier` answer is the default when its question is asked again.

    Raises UsageError for an invalid answer, and for a missing answer that cannot be asked for and
    may not (`yes`) take its default.
    """
    needs_all_answers = ask is None and not yes and measured is None
    if needs_all_answers and (unanswered := missing(given.questions)):
        raise UsageError(
            f"no terminal to ask on, and not answered: {', '.join(unanswered)}",
            hint="give them as options, or take the defaults with --yes",
        )
    replies = collect(given.questions, ask, measured.workload if measured else None, earlier)
    if measured is None:
        facts = machine.inspect()
    else:
        facts = machine.inspect_for(measured.start_method, gil_enabled=measured.gil_enabled)
    advice = api.recommend(replies.workload, facts, models=_models(given))
    if measured is not None and measured.bench:
        advice = advice._replace(bench=measured.bench)
    return Advice(replies, advice)


def _models(given: Given) -> tuple[Model, ...]:
    """Return the models to choose from: those that the starter runs on, if a starter was named."""
    if given.models is not None:
        return given.models
    if chosen := given.project.get("starter"):
        from scaffold.making import starters

        return starters.find(chosen).models
    return available_models()
