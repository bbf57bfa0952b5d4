"""The talk of `new` that is not about the work: where to, which model, what from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from scaffold.asking.interview import Replies, read
from scaffold.asking.kinds import NONE, Choice, is_unsure, read_numbered
from scaffold.asking.questions import BY_NAME, QUESTIONS, Ask, Back, Unsure
from scaffold.asking.target import Target, parse_target
from scaffold.commands import measure
from scaffold.commands.advise import Advice, Given, advise
from scaffold.commands.new import AUTO, DEFAULT_DEST, read_model
from scaffold.commands.script import is_script
from scaffold.core.domain import Bound, Model
from scaffold.core.errors import ConcgenError, Interrupted, UsageError
from scaffold.core.texts import read_bool
from scaffold.making import starters
from scaffold.making.items import Items, read_items
from scaffold.making.names import name_for
from scaffold.making.script import check_destination as check_script
from scaffold.making.staging import check_destination
from scaffold.making.starters import Starter
from scaffold.terminal import console, layout, progress_views, views

T = TypeVar("T")

# Fields that usually name an item, and how many a prompt offers: more would hide the question.
USUAL_KEYS = ("id", "key", "name", "url", "path", "uuid", "sku", "code")
FIELDS_NAMED = 5

_FUNCTION = "It takes one item and returns its result, such as work.py:fetch."
_ITEMS = "One item a line, or a table's rows: what the function is called with, one at a time."
_RUN = "It is called with some of your items, and does with them what it always does."


@dataclass(frozen=True)
class MeasureRequest:
    """What to measure: a function, if any, its items, and how far measuring goes."""

    function: str | None
    items: Path | None
    effort: measure.Effort


def ask_dest(name: str | None, ask: Ask | None) -> Path:
    """Return where the project goes when no DEST was given: by its name, or by asking."""
    if name is not None:
        return Path(name)
    if ask is None:
        return DEFAULT_DEST
    default = str(DEFAULT_DEST)
    more = "A new directory, made here; its name is that of the project. FILE.py makes one script."
    while True:
        with suppress(Back):  # there is no question before this
            return console.ask_line(f"Where does the project go? [{default}]", default, _free, more)


def _free(text: str) -> Path:
    dest = Path(text)
    try:
        if is_script(dest):
            check_script(dest)
        else:
            check_destination(dest)
            name_for(dest)
    except ConcgenError as error:
        raise ValueError(f"{error.message}: {error.hint}") from error
    return dest


def _as_named(target: Target) -> Target:
    return target


def counsel(
    given: Given,
    ask: Ask | None,
    earlier: Replies | None = None,
    *,
    yes: bool,
    to_measure: MeasureRequest,
    take: Callable[[Target, Items], T],
    locate: Callable[[Target], Target] = _as_named,
) -> tuple[Advice, T | None]:
    """Give advice by asking or by measuring, whichever the user wants.

    `locate` returns the function as the user's own code imports it. `take` is called with function
    and items before they are measured; its result comes with the advice, or None if nothing was
    measured. An `earlier` answer is the default when its question is asked again.
    """
    is_asked = False
    while to_measure.function is None:
        try:
            return advise(given, ask, yes=yes, earlier=earlier), None
        except Unsure:
            if ask is None:
                raise
        with suppress(Back):
            to_measure, is_asked = _ask_function(to_measure), True
    target, items = measure.prepare(to_measure.function or "", to_measure.items)
    target = locate(target)
    preparation = take(target, items)
    if is_asked and not _may_run(target, items, to_measure.effort):
        raise Interrupted("nothing was run, and nothing written")
    with console.Steps() as steps:
        effort = to_measure.effort.within(_number(given, "rate"), _number(given, "max-in-flight"))
        measured = measure.measured(target, items, effort, steps)
    return advise(given, ask, yes=yes, measured=measured), preparation


def _number(given: Given, name: str) -> Any:
    """Return an answer if it is a number, else None."""
    raw = given.questions.get(name)
    answer = None if raw is None else read(BY_NAME[name], raw)
    return answer if isinstance(answer, int | float) else None


def _ask_function(to_measure: MeasureRequest) -> MeasureRequest:
    function = console.ask_line("Which function? (FILE.py:FUNC)", "", _function, _FUNCTION)
    default = "items.jsonl"
    prompt = f"Which items? (a .jsonl, .csv, .tsv, .txt or .parquet) [{default}]"
    items = console.ask_line(prompt, default, _items, _ITEMS)
    return replace(to_measure, function=function, items=items)


def _may_run(target: Target, items: Items, effort: measure.Effort) -> bool:
    """Ask for consent to run the function: what it does to others is not known here."""
    console.say_text(progress_views.consent(measure.announcement(target, items, effort)))
    try:
        return console.ask_line("Run it? [Y/n]", "y", read_bool, _RUN)
    except Back:
        return False


def _items(text: str) -> Path:
    try:
        return read_items(Path(text)).given or Path(text)
    except UsageError as error:
        raise ValueError(error.message) from error


def _function(text: str) -> str:
    try:
        parse_target(text)
    except UsageError as error:
        raise ValueError(f"{error.message}: {error.hint}") from error
    return text


def decide(
    given: Given,
    ask: Ask | None,
    *,
    yes: bool,
    to_measure: MeasureRequest,
    take: Callable[[Target, Items], T],
    locate: Callable[[Target], Target] = _as_named,
    model: Model | None,
    starter: Starter | None,
    silent: bool,
) -> tuple[Advice, T | None, Model | None]:
    """Show the advice of `counsel`, and ask whether to take it, until the user does or stops.

    `model` is the user's choice whatever the advice, `starter` the chosen starter: not every model
    can run it. Returns what `counsel` does, and the model, or None to stop.
    """
    earlier = None
    while True:
        advice, preparation = counsel(
            given, ask, earlier, yes=yes, to_measure=to_measure, take=take, locate=locate
        )
        if ask is not None:
            console.say()
        if not silent:
            recommended = advice.recommendation
            console.answer_headed(views.recommendation(recommended, console.width(), model))
        if model is not None:
            return advice, preparation, model
        try:
            chosen = _settle(advice, starter, ask)
        except Back:
            earlier = advice.replies
            continue
        if chosen is None:
            console.say("Nothing was written.")
        return advice, preparation, chosen


def _settle(advice: Advice, starter: Starter | None, ask: Ask | None) -> Model | None:
    """Ask whether to take the advice; raise Back for no, if there are answers to go back to."""
    recommended = advice.recommendation.model
    if ask is None:
        return recommended
    has_answers = advice.replies.asked

    def read(text: str) -> Model | None:
        word = text.lower()
        if word in ("y", "yes") or is_unsure(word):
            return recommended
        if word in ("n", "no") and has_answers:
            raise Back
        if word in ("n", "no", "q", "quit"):
            return None
        try:
            return read_model(text, starter) or recommended
        except UsageError as error:
            message = error.message.removeprefix("--model: ").replace(f" {AUTO},", " y, n, q,")
            raise ValueError(message) from error

    console.say()
    console.say(_summary(advice.replies))
    back = "n goes back to your answers" if has_answers else "n stops"
    more = f"y takes the advice, {back}, q stops, and the name of a model takes that one."
    try:
        return console.ask_line(f"Use {recommended}? [Y/n/q, or another model]", "y", read, more)
    except Back:
        if not has_answers:
            return None
        raise


def _summary(replies: Replies) -> str:
    """Return what was answered, and what is assumed for "don't know", for a last look."""
    answers = {
        question.name: question.show(replies.values[question.name]) for question in QUESTIONS
    }
    labels = {row.name: row.label[0].lower() + row.label[1:] for row in QUESTIONS}
    lines = []
    for head, names in (
        ("You said: ", replies.given),
        ("Assumed: ", replies.asked - replies.given),
    ):
        if names:
            listed = "; ".join(
                f"{labels[name]}: {answers[name]}" for name in answers if name in names
            )
            lines += layout.wrap(listed, console.width(), head, " " * len(head))
    return "\n".join(lines)


def choose_starter(bound: Bound, model: Model, ask: Ask | None) -> Starter | None:
    """Ask which of the starters that fit to start from; None if nothing can be asked."""
    fitting = starters.offered(bound, model)
    if ask is None or len(fitting) == 1:
        return None
    names = [starter.name for starter in fitting]
    first = names[0]
    more = (
        f"It gives the first work.py, which is yours to replace: {first} does for any work."
        " `concgen starters` tells more."
    )

    def read(text: str) -> str:
        return first if is_unsure(text) else read_numbered(text, names)

    choices = [Choice(starter.name, starter.name, starter.summary) for starter in fitting]
    while True:
        with suppress(Back):  # the model is settled
            return starters.find(
                console.ask_choice("What does the project start from?", choices, first, read, more)
            )


def choose_key(key: str | None, items: Items, ask: Ask | None) -> str | None:
    """Return the field that names an item: as given, or by asking, or None.

    Raises UsageError for a field that items do not have.
    """
    if key is not None or ask is None or not (fields := items.naming_fields()):
        return None if key is None else items.check_field(key)
    default = next((field for field in fields if field.lower() in USUAL_KEYS), NONE[0])
    more = "Results and messages have it beside the position, and by it a result finds its item."

    def read(text: str) -> str | None:
        try:
            return None if text in NONE or is_unsure(text) else items.check_field(text)
        except UsageError as error:
            raise ValueError(error.message) from error

    words = ", ".join([*fields[:FIELDS_NAMED], NONE[0]])
    prompt = f"Which field names an item in the results? ({words}) [{default}]"
    while True:
        with suppress(Back):  # the model is settled
            return console.ask_line(prompt, default, read, more)
