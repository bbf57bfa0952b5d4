"""The rows of the models: complete, in order, and what follows from them."""

import json
from dataclasses import fields, replace

import pytest

from scaffold.core.advice import recommend
from scaffold.core.domain import SIMPLEST_FIRST, Bound, Machine, Model, Workload
from scaffold.core.models import MODELS
from scaffold.making.inventory import templates_dir
from scaffold.terminal.charts import STYLES

TWO_CORES = Machine(2.0, 8 * 10**9, "3.13.0", True, "forkserver", 1024, "linux")


def test_every_model_has_a_row_in_order_of_simplicity():
    assert tuple(MODELS) == SIMPLEST_FIRST


def test_every_portrait_is_complete():
    for spec in MODELS.values():
        for field in fields(spec.portrait):
            assert getattr(spec.portrait, field.name), (spec.model, field.name)


def test_every_model_is_drawn_in_a_colour_of_its_own():
    assert set(STYLES) == set(MODELS)
    assert len({style.colour for style in STYLES.values()}) == len(MODELS)


def test_a_model_is_not_offered_where_python_is_too_old_for_it(monkeypatch: pytest.MonkeyPatch):
    newer = replace(MODELS[Model.ASYNCIO], oldest_python=(3, 14))
    monkeypatch.setitem(MODELS, Model.ASYNCIO, newer)
    work = Workload(tasks=10_000, task_seconds=0.2)
    assert recommend(work, TWO_CORES._replace(python="3.14.0a1")).model is Model.ASYNCIO
    assert recommend(work, TWO_CORES).estimate(Model.ASYNCIO) is None


def test_sequential_is_left_on_the_oldest_python():
    work = Workload(tasks=10_000, task_seconds=0.2)
    assert recommend(work, TWO_CORES._replace(python="3.9.1")).model is Model.SEQUENTIAL


@pytest.mark.parametrize("model", MODELS)
def test_a_row_agrees_with_the_models_folder(model: Model):
    """Copier reads the folder without concgen."""
    facts = json.loads((templates_dir() / "engines" / model / "model.json").read_text("utf-8"))
    spec = MODELS[model]
    assert spec.awaits == facts["awaits"]
    assert list(spec.needs) == facts["needs"]
    assert spec.per_core is (facts["max_workers"] is None)


def test_workers_are_counted_in_the_models_own_words():
    assert MODELS[Model.SEQUENTIAL].counted(1) == ""
    assert MODELS[Model.THREADING].counted(1) == "1 thread"
    assert MODELS[Model.MULTIPROCESSING].counted(8) == "8 processes"


def test_an_advice_says_in_a_word_how_each_model_fared():
    advice = recommend(Workload(tasks=20, task_seconds=0.1), TWO_CORES)
    assert advice.standing(advice.model) == "recommended"
    assert advice.standing(Model.ASYNCIO) == "avoided"
    computing = recommend(Workload(Bound.CPU, tasks=2000, task_seconds=0.05), TWO_CORES)
    assert computing.standing(Model.THREADING) == "ruled out"
    assert computing.standing(Model.SEQUENTIAL) == ""
