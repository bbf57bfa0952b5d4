"""measure, doctor, bench, check and --from, from the command line."""

import json
import re
import shlex

import pytest
from running import call

from scaffold.core.costs import DEFAULT_COSTS
from scaffold.making import inventory
from scaffold.measuring import calibration, machine


def test_measure_prints_every_key_of_the_contract(concgen, module, items):
    """And says first that it really runs the function."""
    result = concgen("measure", f"{module}:loop", "--items", items, "--budget", "2", "--json")
    assert result.code == 0
    assert "for real" in result.err
    keys = {
        "calls", "wall_seconds", "cpu_fraction", "gil_fraction", "longest_gil_hold_seconds",
        "item_bytes", "result_bytes", "picklable", "peak_memory_bytes", "failures",
        "binding",
    }  # fmt: skip
    assert keys <= result.json["profile"].keys()
    assert result.json["profile"]["binding"] in ("cores", "the GIL", "")  # over at once: nothing


def test_measure_in_words(concgen, module, items):
    """One fact a line."""
    result = concgen("measure", f"{module}:wait", "--items", items, "--budget", "2")
    assert result.code == 0
    assert "time of one call" in result.out
    reason = "it hardly computes" if machine.gil_enabled() else "this interpreter runs without"
    reasons = (reason, "the machine is too busy to tell")
    assert any(f"not measured: {reason}" in result.out for reason in reasons), result.out


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (("measure", "no.py:f"), "no.py"),
        (("measure", "{module}:loop"), "--items"),
        (("measure", "{module}:loop", "--items", "none.jsonl"), "none.jsonl"),
        (("measure", "{module}:nope", "--items", "{items}"), "nope"),
        (("measure", "{module}:loop", "--items", "{items}", "--budget", "soon"), "soon"),
        (("measure", "{module}:loop", "--items", "{items}", "--budget", "1ms"), "1ms"),
        (("bench", "{module}:loop", "--items", "{items}", "--save", "x.gif"), "x.gif"),
        (("bench", "{module}:loop", "--items", "{items}", "--save", "no/x.svg"), "no"),
        (("recommend", "--from", "{module}:fails", "--items", "{items}"), "no good"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_exit_2(concgen, module, items, args, word):
    """What is wrong, with its value."""
    result = concgen(*(arg.format(module=module, items=items) for arg in args))
    assert result.code == 2
    assert word in result.err
    assert "Traceback" not in result.err
    assert result.out == ""


def test_doctor_reports_the_machine(concgen):
    """As text and as a document."""
    text = concgen("doctor")
    assert text.code == 0
    assert text.out.startswith("cores")
    document = concgen("doctor", "--json").json
    assert document["concgen"] == inventory.version()
    assert document["machine"]["cores"] > 0
    assert document["calibration"]["day"] is None
    memory_left = document["machine"]["memory_left_bytes"]
    assert memory_left is None or re.search(r"memory .*, of which \S+ .B are left", text.out)


@pytest.mark.parametrize(
    ("python", "available", "reason"),
    [("3.13.1", False, "none before Python 3.14"), ("3.14.0", True, "NumPy and pyarrow")],
)
def test_doctor_says_why_sub_interpreters_are_no_model(
    concgen, monkeypatch, python, available, reason
):
    """Where a Python has them, and where it does not."""
    facts = machine.inspect()._replace(python=python)
    monkeypatch.setattr(machine, "inspect", lambda: facts)
    assert re.search(f"sub-interpreters +.*{reason}", " ".join(concgen("doctor").out.split()))
    entry = concgen("doctor", "--json").json["sub_interpreters"]
    assert (entry["available"], entry["offered"]) == (available, False)


def test_calibrated_costs_are_kept_and_used(concgen):
    """They go into the cache directory, and recommend says so."""
    assert concgen("doctor", "--calibrate").code == 0
    kept = calibration.load(machine.inspect())
    assert kept.day is not None
    assert 0 < kept.costs.thread_start < 1
    assert "this machine's costs" in concgen("recommend", "--yes").out


@pytest.mark.parametrize(("busy", "word"), [(None, ""), (0.02, ""), (0.5, "busy")])
def test_costs_know_how_busy_the_machine_was(concgen, busy, word):
    """They are kept in any case, and the advice says what they are worth."""
    calibration.save(DEFAULT_COSTS, machine.inspect(), busy)
    note = concgen("recommend", "--yes").out
    assert "this machine's costs" in note
    assert ("busy" in note) == bool(word)


def test_old_costs_are_called_old(concgen):
    """A kernel and a Python change meanwhile."""
    path = calibration.save(DEFAULT_COSTS, machine.inspect())
    path.write_text(re.sub(r'"day": "[^"]*"', '"day": "2020-01-01"', path.read_text()))
    assert "days ago" in concgen("recommend", "--yes").out


@pytest.mark.parametrize(
    "content",
    ["", "{", '{"schema": 1}', '{"schema": 1, "costs": {}}', '{"schema": 9, "costs": {}}', "[]"],
)
def test_a_damaged_cache_is_as_none(content):
    """It can be measured again; it never gets in the way."""
    path = calibration.save(DEFAULT_COSTS, machine.inspect())
    path.write_text(content)
    assert calibration.load(machine.inspect()).day is None


def test_recommend_from_a_function(concgen, module, items):
    """Measurement takes the place of the questions."""
    document = concgen(
        "recommend", "--from", f"{module}:wait", "--items", items, "--budget", "2", "--json"
    ).json
    assert document["workload"]["tasks"] == 30
    assert document["workload"]["bound"] == "io"
    assert document["workload"]["sources"]["task_seconds"] == "measured"
    assert document["model"] == "threading"


def test_an_option_wins_over_the_measurement(concgen, module, items):
    """A user may know more than a sample shows."""
    document = concgen(
        "recommend", "--from", f"{module}:wait", "--items", items, "--budget", "2",
        "--tasks", "50k", "--json",
    ).json  # fmt: skip
    assert document["workload"]["tasks"] == 50_000
    assert document["workload"]["sources"]["tasks"] == "asked"


def test_new_from_a_function_makes_a_project_that_runs_it(concgen, module, items, tmp_path):
    """The user's module is behind work.py, and the items are there."""
    dest = tmp_path / "mine"
    made = concgen(
        "new", dest, "--from", f"{module}:wait_async", "--items", items, "--budget", "2", "--yes"
    )
    assert made.code == 0, made.err
    ran = call(dest, "mine", "run")
    assert ran.returncode == 0, ran.stderr
    lines = (dest / "results.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["value"] for line in lines) == list(range(30))
    own = call(dest, "pytest", "-q", "-p", "no:cacheprovider")
    assert own.returncode == 0, own.stdout


@pytest.mark.parametrize("where", ["near.py:f", "pkg/near.py:f", "pkg.near:f"])
@pytest.mark.parametrize("model", ["threading", "multiprocessing"])
def test_a_function_with_neighbours_stays_where_it_is(concgen, tmp_path, monkeypatch, where, model):
    """It is imported there; relative paths among the items are found from the project, too."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / ("pkg" if "pkg" in where else ".")
    folder.mkdir(exist_ok=True)
    if "pkg" in where:
        (folder / "__init__.py").touch()
    helper = "pkg.helper" if "pkg" in where else "helper"
    (folder / "helper.py").write_text("def read(path): return open(path).read()\n")
    (folder / "near.py").write_text(f"from {helper} import read\ndef f(item): return read(item)\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "one.txt").write_text("one")
    (tmp_path / "items.txt").write_text("data/one.txt\n" * 3)
    dest = tmp_path / "deep" / "near"
    words = ["--from", where, "--items", "items.txt", "--model", model]
    result = concgen("new", dest, *words, "--yes")
    assert result.code == 0, result.err
    assert "imported from where it is" in result.out
    assert "made absolute" in result.out
    package = "near" if "pkg" in where else "near_app"
    for command in ([package, "run"], ["pytest", "-q"], ["ruff", "check"]):
        done = call(dest, *command)
        assert done.returncode == 0, done.stdout + done.stderr
    lines = (dest / "results.jsonl").read_text().splitlines()
    assert [json.loads(line)["value"] for line in lines] == ["one"] * 3


def test_advice_names_the_line_that_benches_the_function(concgen, module, items):
    """As it can be typed."""
    asked = ("--from", f"{module}:tiny", "--items", items, "--budget", "1")
    result = concgen("recommend", *asked, "--yes", "--json")
    words = ["concgen", "bench", f"{module}:tiny", "--items", str(items)]
    assert shlex.split(result.json["bench"]) == words


def test_bench_holds_predictions_against_measurements(concgen, module, items, tmp_path):
    """Every model that applies, the fastest, and a picture."""
    picture = tmp_path / "bench.svg"
    result = concgen(
        "bench", f"{module}:wait", "--items", items, "--budget", "5", "--json", "--save", picture
    )
    assert result.code == 0, result.err
    document = result.json
    models = {row["model"] for row in document["results"]}
    assert {"sequential", "threading", "multiprocessing"} <= models
    for row in document["results"]:
        assert row["predicted_seconds"] > 0
        assert row["measured_seconds"] > 0
        assert row["items"] == 30 or row["extrapolated"]
    assert document["fastest"] in models
    assert "<svg" in picture.read_text()


def test_bench_of_a_project_and_its_page(concgen, tmp_path, monkeypatch):
    """Without arguments it takes the project around it."""
    made = concgen("new", tmp_path / "p", "--tasks", "20", "--task-time", "100ms", "--yes")
    assert made.code == 0
    monkeypatch.chdir(tmp_path / "p")
    result = concgen("bench", "--budget", "4", "--save", tmp_path / "bench.html")
    assert result.code == 0, result.err
    assert "fastest: " in result.out
    assert "recorded in CONCURRENCY.md and .concgen/answers.json" in result.err
    assert "Fastest: **" in (tmp_path / "p/CONCURRENCY.md").read_text()
    assert (tmp_path / "bench.html").read_text().startswith("<!doctype html>")


def test_bench_outside_a_project_is_refused(concgen, tmp_path, monkeypatch):
    """It says what is missing."""
    monkeypatch.chdir(tmp_path)
    result = concgen("bench")
    assert result.code == 2
    assert "no project" in result.err


@pytest.mark.usefixtures("with_gil")
def test_check_holds_and_flips(concgen, tmp_path, monkeypatch):
    """Exit 0 while the advice stands, 5 and the reason when it does not."""
    cpu = ("--workload", "cpu", "--tasks", "2000", "--task-time", "50ms")
    monkeypatch.setattr("scaffold.measuring.machine.runner.allowed_cores", lambda: 2)
    assert concgen("new", tmp_path / "p", *cpu, "--yes").code == 0
    held = concgen("check", "--project", tmp_path / "p")
    assert held.code == 0
    assert "multiprocessing is still right" in held.out
    monkeypatch.setattr("scaffold.measuring.machine.runner.allowed_cores", lambda: 1)
    flipped = concgen("check", "--project", tmp_path / "p")
    assert flipped.code == 5
    assert "sequential, no longer multiprocessing" in flipped.out
    assert concgen("check", "--project", tmp_path / "p", "--json").json["flipped"] is True


def test_check_respects_a_users_own_choice(concgen, tmp_path, monkeypatch):
    """Who overruled the advice is not told so at every check."""
    monkeypatch.setattr("scaffold.measuring.machine.runner.allowed_cores", lambda: 2)
    made = concgen("new", tmp_path / "p", "--tasks", "20", "--model", "sequential", "--yes")
    assert made.code == 0
    result = concgen("check", "--project", tmp_path / "p")
    assert result.code == 0
    assert "as you chose" in result.out


def test_check_measures_again(concgen, tmp_path):
    """The project's own work, for real."""
    made = concgen("new", tmp_path / "p", "--tasks", "20", "--task-time", "100ms", "--yes")
    assert made.code == 0
    result = concgen("check", "--project", tmp_path / "p", "--measure", "--json")
    assert result.code in (0, 5)
    assert result.json["measured"] is True
    assert "for real" in result.err
