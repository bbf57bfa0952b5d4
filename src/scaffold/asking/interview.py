"""The interview: answers from options, from a file or by asking, and the workload they make.

An answer given as an option wins over the answers file; a question that neither answers is asked,
or takes its default.
"""

from collections.abc import Container, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from scaffold.asking.kinds import MEASURE, UNKNOWN
from scaffold.asking.questions import (
    BY_NAME,
    QUESTIONS,
    SPELLINGS,
    Answers,
    Ask,
    Back,
    Question,
    Unsure,
)
from scaffold.core.domain import Source, Workload
from scaffold.core.errors import UsageError
from scaffold.core.texts import shown


class Replies(NamedTuple):
    """The answer to every question, the questions that the user answered, and what was measured.

    `asked` are the questions that the user was asked, whether or not they knew the answer.
    """

    values: Mapping[str, Any]
    given: frozenset[str]
    measured: Workload | None = None
    asked: frozenset[str] = frozenset()

    @property
    def workload(self) -> Workload:
        """The workload that the answers describe."""
        base = self.measured or Workload()
        names = self.given if self.measured else self.values.keys()
        fields: dict[str, Any] = {}
        for name in names:
            fields |= BY_NAME[name].fields(self.values[name])
        sources = {BY_NAME[name].field: Source.ASKED for name in sorted(self.given)}
        return replace(base, **fields, sources={**base.sources, **sources})

    def options(self, implied: Container[str] = ()) -> list[str]:
        """Return the options that give the same answers, without most that equal their default.

        `implied` names the questions that the starter answers: those are included in any case.
        """
        words = []
        for question in QUESTIONS:
            value = self.values[question.name]
            if self.measured is not None and question.name not in self.given:
                continue
            usual = question.usual(dict(self.values))
            if not question.repeated and value == usual and question.name not in implied:
                continue
            words += question.option(value)
        return words


def collect(
    given: Mapping[str, str | bool | None],
    ask: Ask | None,
    measured: Workload | None = None,
    earlier: Replies | None = None,
) -> Replies:
    """Answer every question: from `given` (raw texts by name), by asking, or by its default.

    If `ask` is None, a question that `given` leaves open takes its default. With `measured` no
    question is asked, and a given answer wins over the measured value. An `earlier` answer is the
    default when its question is asked again. What is assumed for "don't know" does not count as an
    answer. Raises UsageError for an invalid answer, and Unsure when the first question is answered
    "not sure".
    """
    values: Answers = dict(earlier.values) if earlier else {}
    known: set[str] = set(earlier.given) if earlier else set()
    asked: list[int] = []  # places of the questions, to go back to
    place = 0
    while place < len(QUESTIONS):
        question = QUESTIONS[place]
        raw, answered = given.get(question.name), False
        if raw is not None:
            value, answered = read(question, raw), True
        elif measured is None and ask is not None and question.asked_if(values):
            before = values[question.name] if question.name in known else question.default
            try:
                value, answered = ask(question._replace(default=before)), True
            except Back:
                place = asked.pop() if asked else place
                continue
            asked.append(place)
        if answered and not question.is_unknown(value):
            values[question.name] = value
            known.add(question.name)
        else:
            values[question.name] = _assumed(question, values, measured, answered)
            known.discard(question.name)  # from before the user went back
        if values["workload"] == MEASURE:
            raise Unsure
        place += 1
    names = frozenset(QUESTIONS[place].name for place in asked)
    return Replies(values, frozenset(known), measured, names)


def _assumed(question: Question, values: Answers, measured: Workload | None, answered: bool) -> Any:
    """Return what stands in for an answer: what was measured, or a default."""
    if measured is not None:
        return question.from_field(getattr(measured, question.field))
    return question.assumed if answered else question.usual(values)


def read(question: Question, raw: str | bool) -> Any:
    """Read one raw answer; raise UsageError, naming the option, when it is not valid."""
    if isinstance(raw, bool):
        if not isinstance(question.default, bool):
            raise UsageError(
                f"--{question.name}: {str(raw).lower()} is not an answer", hint=question.text
            )
        return raw
    try:
        return question.read(raw)
    except ValueError as error:
        raise UsageError(f"--{question.name}: {error}") from error


def missing(given: Mapping[str, str | bool | None]) -> list[str]:
    """Return the options that would be asked for, given what is already known."""
    kind_of_work = QUESTIONS[0]  # it decides what else is asked
    raw = given.get(kind_of_work.name)
    answered = kind_of_work.default if raw is None else read(kind_of_work, raw)
    values: Answers = {kind_of_work.name: answered}
    return [
        f"--{question.name}"
        for question in QUESTIONS
        if given.get(question.name) is None and question.asked_if(values)
    ]


def from_mapping(answers: Mapping[str, Any], where: str) -> dict[str, str | bool]:
    """Turn the contents of an answers file into raw texts by question name.

    Numbers are in the units of the workload (seconds, bytes). Raises UsageError for a key that is
    no question, and names the nearest question.
    """
    raw: dict[str, str | bool] = {}
    for key, value in answers.items():
        name = SPELLINGS.get(key)
        if name is None:
            from difflib import get_close_matches

            near = get_close_matches(key, SPELLINGS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(BY_NAME)}"
            raise UsageError(f"{where}: no question is called {key!r}", hint=hint)
        question = BY_NAME[name]
        if key == question.field and question.flags and isinstance(value, int | float):
            raw[name] = question.from_field(value)
        elif value is None:
            raw[name] = UNKNOWN
        elif isinstance(value, bool | str):
            raw[name] = value
        elif isinstance(value, int | float):
            raw[name] = repr(value) + (question.kind.unit if key == question.field else "")
        else:
            raise UsageError(
                f"{where}: {key} is {shown(value)}, not a text, a number or true or false",
                hint='such as "20k"',
            )
    return raw


def is_question(key: str) -> bool:
    """Tell whether `key` spells a question, as an option or as a field of the workload."""
    return key in SPELLINGS
