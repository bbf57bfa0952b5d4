"""`--key`: the field of the items that names them, as an option, an answer, or a question."""

import json
import subprocess
import sys

import pytest

WORK = "def price(item):\n    return len(item['part'])\n"
TABLE = "group,part,id\n" + "".join(f"{n % 2},p{n},{n}\n" for n in range(20))


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The options that name a function and its table."""
    (tmp_path / "prices.py").write_text(WORK)
    (tmp_path / "parts.csv").write_text(TABLE)
    monkeypatch.chdir(tmp_path)
    return ["--from", "prices.py:price", "--items", "parts.csv", "--budget", "1"]


def answered(words, folder, text):
    """What `concgen new shop` says to these lines on its input."""
    command = [sys.executable, "-m", "scaffold", "new", "shop", *words]
    return subprocess.run(
        command, cwd=folder, input=text, capture_output=True, text=True, check=False
    )


def settled(tmp_path, name="shop"):
    """The line of the settings."""
    text = (tmp_path / name / name / "settings.py").read_text()
    return next(line for line in text.splitlines() if line.startswith("KEY"))


def test_an_option(concgen, own, tmp_path):
    """It is in the settings, in the record, and in the command for the same project."""
    made = concgen("new", "shop", *own, "--key", "part", "--yes", "--json")
    assert (made.code, settled(tmp_path)) == (0, 'KEY: str | None = "part"')
    assert "--key part" in made.json["command"]
    record = tmp_path / "shop" / ".concgen" / "answers.json"
    assert json.loads(record.read_text())["answers"]["key"] == "part"


@pytest.mark.parametrize(("typed", "key"), [("", '"id"'), ("part", '"part"'), ("none", "None")])
def test_a_question(own, tmp_path, typed, key):
    """What names the items is offered, the usual name first; `group` names none of them."""
    made = answered(own, tmp_path, f"\n{typed}\n")
    assert made.returncode == 0
    assert "Which field names an item in the results? (part, id, none) [id]" in made.stderr
    assert settled(tmp_path) == f"KEY: str | None = {key}"


def test_an_answers_file(concgen, own, tmp_path):
    """A record of before has none."""
    (tmp_path / "answers.json").write_text('{"key": "part"}')
    assert concgen("new", "shop", *own, "--answers", "answers.json", "--yes").code == 0
    assert settled(tmp_path) == 'KEY: str | None = "part"'
    (tmp_path / "answers.json").write_text('{"key": ""}')
    assert concgen("new", "other", *own, "--answers", "answers.json", "--yes").code == 0
    assert settled(tmp_path, "other") == "KEY: str | None = None"


def test_nobody_is_asked_about_items_that_are_no_objects(own, tmp_path):
    """Plain lines have no fields."""
    (tmp_path / "prices.py").write_text("def price(item):\n    return len(item)\n")
    (tmp_path / "lines.txt").write_text("a\nb\nc\n" * 5)
    lines = [*own[:2], "--items", "lines.txt", "--budget", "1"]
    made = answered(lines, tmp_path, "\n")
    assert (made.returncode, "Which field" in made.stderr) == (0, False)


@pytest.mark.parametrize("field", ["sku", "gro\nup", ""])
def test_a_field_that_there_is_not(concgen, own, tmp_path, field):
    """Those that would do are named, and nothing is written."""
    result = concgen("new", "shop", *own, "--key", field, "--yes")
    assert result.code == 2
    assert "fields that name them: part, id" in result.err
    assert not (tmp_path / "shop").exists()


@pytest.mark.parametrize("dest", ["shop", "shop.py"])
def test_without_items_of_the_users_own(concgen, tmp_path, monkeypatch, dest):
    """There is nothing that it could name."""
    monkeypatch.chdir(tmp_path)
    result = concgen("new", dest, "--key", "id", "--workload", "io", "--yes")
    assert (result.code, "key" in result.err) == (2, True)
    assert list(tmp_path.iterdir()) == []
