"""`concgen rules` and `concgen models`: what there is, in words."""

import pytest

from scaffold.core.rules import RULES
from scaffold.making.inventory import available_models


def test_rules_lists_every_rule_with_its_source(concgen):
    """Each id and title, and the article's name."""
    result = concgen("rules")
    assert result.code == 0
    for rule in RULES:
        assert f"{rule.id:<4} {rule.title}" in result.out
    assert "Akshay Kaushik" in result.out


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_one_rule_is_explained_with_source_and_examples(concgen, rule):
    """What it says, where from, when it fires and when not; the id in any case."""
    result = concgen("rules", rule.id.lower())
    assert result.code == 0
    for word in ("Says", "Source", "Fires", "Silent"):
        assert f"\n{word}" in result.out


def test_an_unknown_rule_is_refused(concgen):
    """Exit 2, and how to list them."""
    result = concgen("rules", "R99")
    assert result.code == 2
    assert "concgen rules" in result.err


def test_models_compares_every_model_in_every_aspect(concgen):
    """The comparison that the article promises."""
    result = concgen("models")
    assert result.code == 0
    for model in available_models():
        assert result.out.count(f"  {model} ") >= 9


def test_help_and_version(concgen):
    """Both exit 0 and print to stdout."""
    assert "recommend" in concgen("--help").out
    assert concgen("--version").out.startswith("concgen ")


@pytest.mark.parametrize("reason", ["E1", "E2"])
def test_the_reasons_that_are_no_rule_are_explained_too(concgen, reason):
    assert "the choice" in concgen("rules", reason).out
