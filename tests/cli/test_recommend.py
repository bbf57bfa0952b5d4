"""`concgen recommend`: advice by options, as text and as JSON."""

import json

import pytest

IO_MANY = ("--workload", "io", "--tasks", "10k", "--task-time", "200ms", "--async-client")
CPU = ("--workload", "cpu", "--tasks", "2000", "--task-time", "50ms", "--holds-gil")


@pytest.mark.parametrize(
    ("options", "model"),
    [
        (("--workload", "io", "--tasks", "20", "--task-time", "100ms"), "threading"),
        (IO_MANY, "asyncio"),
        (CPU, "multiprocessing"),
        (("--tasks", "1"), "sequential"),
    ],
)
@pytest.mark.usefixtures("with_gil")
def test_the_advice_of_the_contract(concgen, monkeypatch, options, model):
    """The four textbook cases, on two cores."""
    monkeypatch.setattr("scaffold.measuring.machine.runner.allowed_cores", lambda: 2)
    result = concgen("recommend", *options, "--yes", "--json")
    assert result.code == 0
    assert result.json["model"] == model


def test_json_has_every_key_of_the_contract(concgen):
    """Scripts rely on these."""
    document = concgen("recommend", *IO_MANY, "--yes", "--json").json
    assert document["schema"] == 1
    assert document["workload"]["sources"]["tasks"] == "asked"
    assert document["workload"]["sources"]["payload_bytes"] == "default"
    assert document["settings"]["max_workers"] == 1000
    assert {"cores", "gil", "python"} <= document["machine"].keys()
    for finding in document["findings"]:
        assert {"rule", "article", "model", "verdict", "reason"} <= finding.keys()
    for estimate in document["estimates"]:
        keys = {"model", "seconds", "low", "high", "speedup", "peak_memory_bytes"}
        assert keys <= estimate.keys()
    assert document["flips"]


@pytest.mark.usefixtures("with_gil")
def test_stdout_is_the_answer_and_nothing_else(concgen):
    """With --yes nothing is said beside it."""
    result = concgen("recommend", *CPU, "--yes")
    assert result.err == ""
    assert result.out.startswith("multiprocessing, ")
    assert "Why" in result.out
    assert "Flips" in result.out


def test_without_a_terminal_missing_answers_are_named(concgen):
    """Nothing is guessed and nothing hangs: exit 2, and how to go on."""
    result = concgen("recommend", "--workload", "io", "--tasks", "20")
    assert result.code == 2
    assert result.out == ""
    assert "--task-time" in result.err
    assert "--tasks," not in result.err
    assert "--yes" in result.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--tasks", "many"), ("--tasks", "'many'", "20k")),
        (("--tasks", "0"), ("'0'", "1 is the least")),
        (("--task-time", "-3s"), ("--task-time", "'-3s'")),
        (("--workload", "cpuu"), ("'cpuu'", "did you mean cpu?")),
        (("--payload", "10 stones"), ("--payload", "10KB")),
        (("--max-in-flight", "lots"), ("--max-in-flight", "'lots'")),
        (("--workload", "measure"), ("--from",)),
        (("--no-such",), ("--no-such",)),
    ],
)
def test_an_invalid_value_is_named_with_what_would_be_right(concgen, options, words):
    """One line, exit 2, no traceback."""
    result = concgen("recommend", *options, "--yes")
    assert result.code == 2
    assert result.out == ""
    assert "Traceback" not in result.err
    for word in words:
        assert word in result.err


@pytest.mark.parametrize(
    "answers",
    [
        {"workload": "cpu", "tasks": 2000, "task_time": "50ms", "holds-gil": True},
        {"workload": "cpu", "taskz": 5},
        ["cpu"],
        {"tasks": {"a": 1}},
        {"tasks": True},
        {"name": 5},
    ],
)
def test_an_answers_file_with_a_wrong_answer_is_refused(concgen, tmp_path, answers):
    """A misspelt key is not silently a default."""
    file = tmp_path / "answers.json"
    file.write_text(json.dumps(answers))
    result = concgen("recommend", "--answers", file, "--yes")
    assert result.code == 2
    assert "Traceback" not in result.err


def test_answers_come_from_json_or_toml_and_options_win(concgen, tmp_path):
    """The same answers in either format, in the spelling of the option or of the field."""
    as_json = tmp_path / "answers.json"
    as_json.write_text(
        '{"bound": "cpu", "tasks": "2k", "task_seconds": 0.05, "releases_gil": false}'
    )
    as_toml = tmp_path / "answers.toml"
    as_toml.write_text('workload = "cpu"\ntasks = 2000\ntask-time = "50ms"\n')
    from_json = concgen("recommend", "--answers", as_json, "--yes", "--json").json["workload"]
    from_toml = concgen("recommend", "--answers", as_toml, "--yes", "--json").json["workload"]
    assert (
        (from_json["tasks"], from_json["task_seconds"])
        == (from_toml["tasks"], from_toml["task_seconds"])
        == (2000, 0.05)
    )
    other = concgen("recommend", "--answers", as_toml, "--tasks", "7", "--yes", "--json").json
    assert other["workload"]["tasks"] == 7


@pytest.mark.parametrize("text", ["", "{", "\0", "[" * 100_000])
def test_a_broken_answers_file_is_named(concgen, tmp_path, text):
    """Not valid JSON: the file and the reason, exit 2."""
    file = tmp_path / "answers.json"
    file.write_text(text)
    result = concgen("recommend", "--answers", file, "--yes")
    assert result.code == 2
    assert "answers.json" in result.err
    assert "Traceback" not in result.err


def test_a_missing_answers_file_is_named(concgen, tmp_path):
    """No such file: exit 2."""
    result = concgen("recommend", "--answers", tmp_path / "none.json", "--yes")
    assert result.code == 2
    assert "none.json" in result.err


def test_a_deadline_brings_in_a_cluster(concgen):
    """With how many cores it takes; one that is kept here changes nothing."""
    options = ("--workload", "cpu", "--tasks", "200k", "--task-time", "700ms", "--yes", "--json")
    hurried = concgen("recommend", *options, "--deadline", "30min").json
    assert hurried["model"] == "dask"
    assert hurried["workload"]["deadline_seconds"] == 1800
    assert hurried["cores_needed"] == hurried["settings"]["max_workers"] > 70
    relaxed = concgen("recommend", *options, "--deadline", "29d").json
    assert (relaxed["model"] == "dask", relaxed["cores_needed"]) == (False, None)


@pytest.mark.parametrize("deadline", ["soon", "0s", "-1h"])
def test_a_deadline_that_is_none_is_refused(concgen, deadline):
    result = concgen("recommend", *CPU, "--yes", "--deadline", deadline)
    assert result.code == 2
    assert f"--deadline: '{deadline}'" in result.err
