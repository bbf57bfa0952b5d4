"""The interview can be walked back, and explains itself."""

from __future__ import annotations

from typing import Any

import pytest

from scaffold.asking.interview import collect
from scaffold.asking.questions import QUESTIONS, Back, Question
from scaffold.core.domain import Source, Workload


def asking(script: list[Any], order: list[str]) -> Any:
    """Answer from a script; Back goes back, None takes the default."""
    answers = iter(script)

    def ask(question: Question) -> Any:
        order.append(question.name)
        answer = next(answers, None)
        if answer is Back:
            raise Back
        return question.default if answer is None else answer

    return ask


def test_back_asks_the_last_question_again() -> None:
    """What was answered in between is forgotten; the new answer holds."""
    order: list[str] = []
    replies = collect({}, asking(["io", 7, Back, 8], order), None)
    assert order[:4] == ["workload", "tasks", "task-time", "tasks"]
    assert replies.values["tasks"] == 8


def test_back_at_the_first_question_stays_there() -> None:
    """There is nothing before it."""
    order: list[str] = []
    collect({}, asking([Back, "cpu"], order), None)
    assert order[:3] == ["workload", "workload", "tasks"]


def test_back_drops_answers_that_are_asked_no_more() -> None:
    """A question of the first way is not among the given ones of the second."""
    order: list[str] = []
    script = ["io", None, None, True, Back, Back, Back, Back, "cpu"]
    replies = collect({}, asking(script, order), None)
    assert replies.values["workload"] == "cpu"
    assert "async-client" not in replies.given


def test_earlier_answers_are_the_defaults_when_it_is_asked_again() -> None:
    """Those that were given, that is: Enter keeps them."""
    earlier = collect({}, asking(["io", 7], []), None)
    replies = collect({}, asking([], []), None, earlier)
    assert replies.values["tasks"] == 7
    assert replies.given == earlier.given


@pytest.mark.parametrize("name", ["tasks", "task-time", "payload", "task-memory", "releases-gil"])
def test_who_does_not_know_has_answered_and_nothing_is_given(name: str) -> None:
    """What is taken in its place counts as assumed, in the interview and as an option."""
    question = next(question for question in QUESTIONS if question.name == name)
    for words in ("don't know", "unknown", "Don\u2019t know"):
        replies = collect({"workload": "cpu", name: words}, None)
        assert name not in replies.given
        assert replies.values[name] == question.default
        assert replies.workload.source(question.field) is Source.DEFAULT


def test_who_does_not_know_whether_it_is_async_gets_no_asyncio() -> None:
    """The cautious answer is assumed: code that is awaited and is not async blocks it all."""
    replies = collect({"async-client": "unknown"}, None)
    assert replies.values["async-client"] is False
    assert replies.workload.source("async_client") is Source.DEFAULT


def test_what_nobody_knows_is_measured_where_it_can_be() -> None:
    """A default would be worse."""
    replies = collect({"tasks": "unknown"}, None, Workload(tasks=77))
    assert replies.values["tasks"] == 77


@pytest.mark.parametrize(
    "question",
    [question for question in QUESTIONS if question.is_asked],
    ids=lambda question: question.name,
)
def test_every_question_that_is_asked_explains_itself(question: Question) -> None:
    """In a few lines, for whoever answers `?`."""
    assert 60 < len(question.more) < 240


def test_a_question_mark_explains_and_asks_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And a time without a unit is asked again."""
    import io
    import sys

    from scaffold.terminal import console

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal("?\n50\n0.5\n50ms\n"))
    time = next(question for question in QUESTIONS if question.name == "task-time")
    assert console.ask(time) == 0.05
    messages = capsys.readouterr().err
    assert "with nothing else running" in messages
    assert "50 what?" in messages
    assert "0.5 what?" in messages


def test_a_wrong_choice_is_told_the_words_of_the_menu(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And not those of the option."""
    import io
    import sys

    from scaffold.terminal import console

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal("wait\nwaits\n"))
    assert console.ask(QUESTIONS[0]) == "io"
    messages = capsys.readouterr().err
    assert "'wait' is not one of waits, computes, both, not sure; did you mean waits?" in messages
