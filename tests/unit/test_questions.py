"""The rows of the questions: they are read as they are written, and agree with the template."""

import ast
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scaffold.asking.interview import collect
from scaffold.asking.kinds import number
from scaffold.asking.questions import QUESTIONS
from scaffold.core.domain import CPU_FRACTION, Workload
from scaffold.core.reasons import RELEASES_GIL
from scaffold.making.inventory import templates_dir

TEMPLATE = yaml.safe_load((templates_dir() / "copier.yml").read_text("utf-8"))
by_name = pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)


@by_name
def test_a_default_is_read_as_it_is_written(question):
    assert question.read(question.write(question.default)) == question.default


@by_name
def test_a_default_is_that_of_the_workload(question):
    assert question.from_field(getattr(Workload(), question.field)) == question.default


@by_name
def test_a_default_may_stand_in_a_record(question):
    assert question.kind.recorded(question.fields(question.default)[question.field])


@by_name
def test_the_template_asks_for_the_same_field_and_tells_of_it(question):
    assert question.field in TEMPLATE
    assert f'"{question.field}": {question.field},' in TEMPLATE["workload"]["default"]


@by_name
def test_the_template_has_the_same_default(question):
    default = TEMPLATE[question.field]["default"]
    assert default in (getattr(Workload(), question.field), "null")
    field = question.fields(question.default)[question.field]
    assert (default == "null") is (field is None)


@given(st.data())
def test_an_answer_is_read_as_it_is_written(data):
    """The command that makes the same project gives the same answers."""
    counts, seconds = st.integers(1, 10**12), st.floats(1e-6, 1e6)
    drawn = {
        "tasks": data.draw(counts),
        "task-time": data.draw(seconds),
        "async-client": data.draw(st.booleans()),
        "releases-gil": data.draw(st.booleans()),
        "max-in-flight": data.draw(st.none() | counts | st.just("unknown")),
        "rate": data.draw(st.none() | st.floats(1e-6, 1e9)),
        "task-memory": data.draw(st.integers(0, 10**12)),
        "payload": data.draw(st.integers(0, 10**12)),
        "deadline": data.draw(st.none() | seconds),
    }
    for question in QUESTIONS:
        value = drawn.get(question.name, question.default)
        read = question.read(question.write(value))
        assert read == (pytest.approx(value, rel=1e-9) if isinstance(value, float) else value)


def test_nothing_else_than_a_number_in_range_is_one():
    fits = number(1, 5)
    assert fits(1)
    assert fits(5.0)
    assert not any(fits(value) for value in (0, 6, True, "3", None, float("nan")))


def test_all_defaults_make_the_default_workload():
    assert collect({}, None).workload == Workload()


def test_the_template_knows_the_same_shares():
    """What a kind of work computes, and which code is native, stand in copier.yml once more."""
    written = re.search(r"\{'.*?\}", TEMPLATE["cpu_fraction"]["default"])
    assert written
    assert ast.literal_eval(written[0]) == CPU_FRACTION
    assert f"gil_fraction <= {RELEASES_GIL}" in TEMPLATE["form"]["default"]
