"""What people write is read as one of some words, and quoted so that it stays in its line."""

from pathlib import Path

import pytest

from scaffold.core.texts import LISTED, listed, read_bool, read_choice, shown


@pytest.mark.parametrize("text", ["y", "Yes", " true ", "on", "1"])
def test_yes_in_every_spelling(text):
    assert read_bool(text) is True


@pytest.mark.parametrize("text", ["n", "No", "false", " OFF", "0"])
def test_no_in_every_spelling(text):
    assert read_bool(text) is False


def test_what_is_neither_yes_nor_no_is_named():
    with pytest.raises(ValueError, match="'maybe' is not yes or no"):
        read_bool("maybe")


def test_a_choice_is_found_in_any_case():
    assert read_choice(" r4 ", ["R3", "R4"]) == "R4"


def test_a_slip_of_the_finger_is_told_the_nearest():
    with pytest.raises(ValueError, match="did you mean threading"):
        read_choice("threding", ["asyncio", "threading"])


def test_what_is_near_nothing_is_told_the_choices_alone():
    with pytest.raises(ValueError, match=r"not one of asyncio, threading$"):
        read_choice("xyz", ["asyncio", "threading"])


def test_a_path_is_quoted_in_its_line():
    assert shown(Path("a\nb")) == r"'a\nb'"


def test_a_long_middle_is_cut():
    assert len(shown("x" * 1000)) == 79


def test_a_list_in_a_message_has_an_end():
    """As many as fit on a line or two are named, and the others counted."""
    names = list("abcdefg")
    assert listed(names[:LISTED]) == "a, b, c, d, e"
    assert listed(names) == "a, b, c, d, e and 2 more"
    assert listed(names, "; ", "; and ") == "a; b; c; d; e; and 2 more"
