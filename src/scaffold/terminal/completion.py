"""What the shell offers for a value: words, each with what it means. Imports nothing early."""

from __future__ import annotations

from collections.abc import Callable

from scaffold.asking.kinds import MEASURE
from scaffold.asking.questions import Question

Offers = list[tuple[str, str]]


def choices(question: Question) -> Callable[[], Offers] | None:
    """Return what offers the choices of a question, or None for a question without choices."""
    if not question.choices:
        return None
    return lambda: [
        (choice.value, f"{choice.word}: {choice.consequence}")
        for choice in question.choices
        if choice.value != MEASURE
    ]


def models() -> Offers:
    """Offer the models, simplest first."""
    from scaffold.core.models import MODELS
    from scaffold.making.inventory import available_models

    return [(str(model), MODELS[model].portrait.best_for) for model in available_models()]


def auto_or_model() -> Offers:
    """Offer the models, and taking the advice."""
    return [("auto", "the model that is advised"), *models()]


def starters() -> Offers:
    """Offer what a project can start from."""
    from scaffold.making import starters

    return [(name, starters.load(name).summary) for name in starters.names()]


def rules() -> Offers:
    """Offer the ids of the decision rules."""
    from scaffold.core.rules import RULES

    return [(rule.id, rule.title) for rule in RULES]
