"""Starters as a user meets them: listed, offered, taken, refused."""

import json

import pytest
import yaml

from scaffold.asking.questions import BY_NAME
from scaffold.core.domain import Model
from scaffold.making import inventory, starters
from scaffold.terminal import console

NAMED = starters.names()[1:]
UNFIT = [(name, model) for name in NAMED for model in starters.load(name).unfit]


def test_the_list_has_every_starter_with_its_models(concgen):
    """`starters` lists each by name, and `starters NAME` tells what it needs."""
    result = concgen("starters")
    assert result.code == 0
    for starter in map(starters.load, starters.names()):
        assert starter.summary.split()[0] in result.out
        described = concgen("starters", starter.name)
        assert described.code == 0
        text = " ".join(described.out.split())
        assert all(model in text for model in starter.models)
        assert all(name in text for needed in starter.forms.values() for name in needed)


def test_an_unknown_starter_names_the_nearest(concgen):
    """A typo is exit 2 with what was meant."""
    result = concgen("starters", "blanc")
    assert result.code == 2
    assert "did you mean blank?" in result.err


def test_the_template_offers_the_same_starters():
    """copier.yml and the folders agree."""
    questions = yaml.safe_load((inventory.templates_dir() / "copier.yml").read_text("utf-8"))
    choices = set(questions["starter"]["choices"].values())
    assert choices == {*starters.names(), starters.YOURS}


@pytest.mark.parametrize("name", starters.names())
def test_a_starter_describes_itself_rightly(name):
    """Its forms are files, its answers are questions, and it runs on a model that it fits."""
    starter = starters.load(name)
    folder = inventory.templates_dir() / "starters" / name
    for form in starter.forms:
        assert (folder / ("work.py" if form == "sync" else f"work_{form}.py")).is_file()
    assert set(starter.answers) <= set(BY_NAME)
    assert Model.SEQUENTIAL in starter.models


@pytest.mark.parametrize("name", NAMED)
def test_choosing_one_answers_the_questions_that_follow(concgen, tmp_path, name):
    """With `--yes` nothing else is needed, and the model is one that the starter runs on."""
    result = concgen("new", tmp_path / "p", "--starter", name, "--yes", "--dry-run", "--json")
    assert result.code == 0
    starter = starters.load(name)
    assert result.json["model"] in starter.models
    for key in starter.answers:
        assert result.json["workload"]["sources"][BY_NAME[key].field] == "asked"
    assert f"--starter {name}" in result.json["command"]


def test_the_command_repeats_an_answer_that_overrules_the_starter(concgen, tmp_path):
    """Without it the starter's own answer would hold, and the project would be another."""
    overruled = ["new", tmp_path / "p", "--starter", "numeric", "--holds-gil"]
    result = concgen(*overruled, "--yes", "--dry-run", "--json")
    assert "--holds-gil" in result.json["command"]


@pytest.mark.parametrize(("name", "model"), UNFIT)
def test_a_model_that_cannot_run_it_is_refused_with_the_reason(concgen, tmp_path, name, model):
    """Exit 2 for `--model`, and for a later switch, and nothing is written."""
    reason = starters.load(name).unfit[model]
    result = concgen("new", tmp_path / "p", "--starter", name, "--model", model, "--yes")
    assert result.code == 2
    assert reason in result.err
    assert list(tmp_path.iterdir()) == []
    assert concgen("new", tmp_path / "p", "--starter", name, "--yes").code == 0
    record = (tmp_path / "p/.concgen/answers.json").read_bytes()
    result = concgen("switch", model, "--project", tmp_path / "p")
    assert result.code == 2
    assert reason in result.err
    assert (tmp_path / "p/.concgen/answers.json").read_bytes() == record


def test_the_interview_offers_those_that_fit(concgen, tmp_path, monkeypatch):
    """After the model the starters are numbered lines, and the one that is chosen is made."""
    starter = next(fitting for fitting in map(starters.load, NAMED) if "io" in fitting.fits)
    monkeypatch.setattr(console, "can_ask", lambda: True)
    answers = ["1", "20", "100ms", "n", "none", "none", "threading", starter.name]
    result = concgen("new", tmp_path / "p", typed="".join(f"{line}\n" for line in answers))
    assert result.code == 0, result.err
    assert "What does the project start from?" in result.err
    answers = json.loads((tmp_path / "p/.concgen/answers.json").read_text())["answers"]
    assert answers["starter"] == starter.name
