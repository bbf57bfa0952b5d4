"""What the demonstration teaches, on every kind of machine."""

import pytest

from scaffold.commands.demo import MODELS_SHOWN
from scaffold.core.domain import Bound, Machine
from scaffold.core.lessons import LESSONS, lesson, shown_by
from scaffold.core.rules import RULES

MACHINES = [
    Machine(cores, None, "3.13.0", gil, "spawn", None, "win32")
    for cores in (1.0, 2.0, 64.0)
    for gil in (True, False)
]


@pytest.mark.parametrize("machine", MACHINES, ids=str)
def test_there_is_a_lesson_for_every_model_on_every_machine(machine):
    rules = {rule.id for rule in RULES}
    for kind, models in MODELS_SHOWN.items():
        for model in models:
            assert lesson(kind, model, machine).rule in rules


def test_every_lesson_is_taught_somewhere():
    taught = {
        lesson(kind, model, machine)
        for kind, models in MODELS_SHOWN.items()
        for model in models
        for machine in MACHINES
    }
    assert taught == set(LESSONS)


def test_a_rule_is_shown_by_the_first_kind_of_work_that_teaches_it():
    with_gil = Machine(2.0, None, "3.13.0", True, "spawn", None, "win32")
    assert shown_by("R9", with_gil) is Bound.CPU
    assert shown_by("R9", with_gil._replace(gil=False)) is None
    assert shown_by("R19", with_gil) is None
