"""`--help`: as wide as the terminal, whole sentences, and an example that is a command of ours."""

import pytest

from scaffold.cli.app import app, name_of
from scaffold.commands.change import CONFLICTS_LEFT
from scaffold.commands.check import FLIPPED
from scaffold.core.errors import ConcgenError, Interrupted, Refused, UsageError
from scaffold.terminal import usage

COMMANDS = [name_of(command) for command in app.registered_commands]


def test_without_a_word_the_help_is_the_answer(concgen):
    result = concgen()
    assert result.code == 0
    assert result.out.startswith("Usage: concgen")
    assert result.err == ""


@pytest.mark.parametrize("columns", [40, 80, 160])
@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_it_fits_the_terminal(concgen, monkeypatch, command, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    result = concgen(*[command] if command else [], "--help")
    assert result.code == 0
    lines = result.out.splitlines()
    assert max(map(len, lines)) <= columns
    assert not any("..." in line and "ARGS" not in line for line in lines)  # nothing is cut off


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example_of_itself(concgen, command):
    assert f"Example: concgen {usage.EXAMPLES[command]}\n" in concgen(command, "--help").out
    assert usage.EXAMPLES[command].split()[0] == command


def test_no_example_is_left_of_a_command_that_went():
    assert set(usage.EXAMPLES) == set(COMMANDS)


def test_a_narrow_terminal_has_the_text_below_the_option(concgen, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert "  --tasks N\n      How many tasks" in concgen("new", "--help").out
    monkeypatch.setenv("COLUMNS", "80")
    assert "  --tasks N  " in concgen("new", "--help").out


def test_the_options_of_new_stand_in_groups(concgen):
    out = concgen("new", "--help").out
    order = ["Arguments:", "The work:", "--tasks", "Measuring:", "--from", "The project:", "--name"]
    places = [out.index(word) for word in [*order, "Options:", "--yes"]]
    assert places == sorted(places)


def test_the_exit_codes_are_those_of_the_errors(concgen):
    ends = {error.exit_code for error in (ConcgenError, UsageError, Refused, Interrupted)}
    codes = {0, *ends, CONFLICTS_LEFT, FLIPPED}
    assert {int(code) for code, _ in usage.EXIT_CODES} == codes
    out = concgen("--help").out
    assert all(f"  {code:<3}  {meaning}\n" in out for code, meaning in usage.EXIT_CODES)
