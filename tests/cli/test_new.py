"""`concgen new`: from options to a project, and what it refuses."""

import json
import os
import shlex
import subprocess
import sys

import pytest
import yaml

from scaffold.making import inventory

IO = ("--workload", "io", "--tasks", "20", "--task-time", "100ms")


def test_a_project_is_made_and_the_document_describes_it(concgen, tmp_path):
    """`new --json` has the advice, the project and the equivalent command."""
    dest = tmp_path / "crawl"
    result = concgen("new", dest, *IO, "--yes", "--json")
    assert result.code == 0
    document = result.json
    assert document["model"] == "threading"
    assert document["project"]["path"] == str(dest)
    assert document["project"]["package"] == "crawl"
    for file in document["project"]["files"]:
        assert (dest / file).is_file()
    on_disk = {path.relative_to(dest).as_posix() for path in dest.rglob("*") if path.is_file()}
    assert on_disk == set(document["project"]["files"])


def test_the_printed_command_makes_the_same_project(concgen, tmp_path):
    """Every answer that was given is repeated."""
    first = concgen(
        "new", tmp_path / "a", *IO, "--no-async-client", "--max-in-flight", "7", "--payload", "3KB",
        "--model", "sequential", "--name", "crawl", "--yes", "--json",
    )  # fmt: skip
    words = shlex.split(first.json["command"])
    assert words[:2] == ["concgen", "new"]
    words[2] = str(tmp_path / "b")
    assert concgen(*words[1:]).code == 0
    for file in first.json["project"]["files"]:
        if not file.startswith(".concgen/"):
            original, repeated = tmp_path / "a" / file, tmp_path / "b" / file
            assert original.read_bytes() == repeated.read_bytes(), file


def test_every_answer_is_a_question_of_the_template(concgen, tmp_path):
    """Copier passes an unknown key by in silence."""
    assert concgen("new", tmp_path / "crawl", *IO, "--yes").code == 0
    record = json.loads((tmp_path / "crawl" / ".concgen" / "answers.json").read_text("utf-8"))
    questions = yaml.safe_load((inventory.templates_dir() / "copier.yml").read_text("utf-8"))
    assert set(record["answers"]) <= set(questions)


def test_dry_run_lists_the_files_and_writes_nothing(concgen, tmp_path):
    """The tree is shown as it would be."""
    result = concgen("new", tmp_path / "crawl", *IO, "--yes", "--dry-run")
    assert result.code == 0
    assert "Would create" in result.out
    assert "work.py" in result.out
    assert list(tmp_path.iterdir()) == []


def test_a_full_directory_is_refused_with_what_is_in_it(concgen, tmp_path):
    """Exit 3, the names, and nothing touched."""
    (tmp_path / "mine.txt").write_text("precious")
    result = concgen("new", tmp_path, "--name", "crawl", *IO, "--yes")
    assert result.code == 3
    assert "mine.txt" in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_users_readme_stays(concgen, tmp_path):
    """A directory with only a README, a LICENSE or .git is welcome, and the README is kept."""
    (tmp_path / "crawl").mkdir()
    (tmp_path / "crawl" / "README.md").write_text("mine\n")
    result = concgen("new", tmp_path / "crawl", *IO, "--yes")
    assert result.code == 0
    assert "README.md was kept" in result.out
    assert (tmp_path / "crawl" / "README.md").read_text() == "mine\n"


@pytest.mark.parametrize(
    "name", ["a/b", "../x", "", ".", "CON", "a" * 65, "a\nb", "{{ 7*7 }}", "$(id)", "-x", "a;b"]
)
def test_a_name_that_cannot_be_one_is_refused(concgen, tmp_path, name):
    """Exit 2, one line, nothing written."""
    result = concgen("new", tmp_path / "p", f"--name={name}", *IO, "--yes")
    assert result.code == 2
    assert "Traceback" not in result.err
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_hides_a_module_gets_a_safe_package(concgen, tmp_path):
    """`json` as a package would hide the standard library's."""
    result = concgen("new", tmp_path / "json", *IO, "--yes")
    assert result.code == 0
    assert (tmp_path / "json" / "json_app" / "runner" / "engine.py").is_file()
    assert "json_app" in result.out


@pytest.mark.parametrize(
    ("option", "value", "near"),
    [("--model", "treading", "threading"), ("--model", "gpu", ""), ("--starter", "blanc", "blank")],
)
def test_an_unknown_choice_suggests_the_nearest(concgen, tmp_path, option, value, near):
    """A typo does not fall back to a default."""
    result = concgen("new", tmp_path / "p", *IO, option, value, "--yes")
    assert result.code == 2
    assert near in result.err
    assert list(tmp_path.iterdir()) == []


def test_a_projects_own_answers_make_it_again(concgen, tmp_path):
    """`.concgen/answers.json` is an answers file."""
    assert concgen("new", tmp_path / "a", *IO, "--name", "crawl", "--yes").code == 0
    record = tmp_path / "a" / ".concgen" / "answers.json"
    assert concgen("new", tmp_path / "b", "--answers", record, "--yes").code == 0
    engine = "crawl/runner/engine.py"
    assert (tmp_path / "a" / engine).read_bytes() == (tmp_path / "b" / engine).read_bytes()


def run_process(*args, cwd, **options):
    command = [sys.executable, "-m", "scaffold", *args]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False, **options
    )


def test_answers_from_a_pipe(tmp_path):
    """Lines on stdin answer the questions in order; empty ones take the advice and `blank`."""
    result = run_process("new", "crawl", cwd=tmp_path, input="1\n20\n100ms\ny\nnone\n\n\n\n")
    assert result.returncode == 0, result.stderr
    assert "threading, 20 in flight" in result.stdout
    assert (tmp_path / "crawl").is_dir()


@pytest.mark.parametrize("text", ["", "1\n20\n", "1\nmany\n"])
def test_a_pipe_that_ends_early_or_errs_writes_nothing(tmp_path, text):
    """Exit 2 and a reason."""
    result = run_process("new", "crawl", cwd=tmp_path, input=text)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_that_nobody_writes_to_does_not_hang(tmp_path):
    """An idle pipe counts as nobody to ask."""
    read, write = os.pipe()
    try:
        result = run_process("new", "crawl", cwd=tmp_path, stdin=read)
    finally:
        os.close(read)
        os.close(write)
    assert result.returncode == 2
    assert "--yes" in result.stderr


def test_a_closed_stdin_is_nobody_to_ask(tmp_path):
    """Exit 2, no traceback."""
    command = f"exec {shlex.quote(sys.executable)} -m scaffold new crawl <&-"
    result = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_a_reader_that_leaves_early_is_no_error(tmp_path):
    """`concgen rules | head -1` ends quietly."""
    command = f"{shlex.quote(sys.executable)} -m scaffold rules | head -1"
    result = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.stderr == ""


WORKFLOW = ".github/workflows/checks.yml"


def test_the_workflow_can_be_left_out(concgen, tmp_path):
    """By an option, which the equivalent command repeats and the record keeps."""
    assert WORKFLOW in concgen("new", tmp_path / "a", "--yes", "--json").json["project"]["files"]
    result = concgen("new", tmp_path / "b", "--no-ci", "--yes", "--json")
    assert WORKFLOW not in result.json["project"]["files"]
    assert result.json["command"].endswith("--no-ci --yes")
    again = concgen(
        "new", tmp_path / "c", "--answers", tmp_path / "b/.concgen/answers.json", "--yes"
    )
    assert again.code == 0
    assert not (tmp_path / "c" / WORKFLOW).exists()


@pytest.mark.parametrize(
    ("text", "is_written"), [("false", False), ('"no"', False), ('"yes"', True)]
)
def test_the_workflow_in_an_answers_file(concgen, tmp_path, text, is_written):
    (tmp_path / "answers.json").write_text(f'{{"ci": {text}}}')
    command = ["new", tmp_path / "a", "--answers", tmp_path / "answers.json", "--yes", "--dry-run"]
    assert (WORKFLOW in concgen(*command, "--json").json["project"]["files"]) == is_written


def test_a_workflow_that_is_neither_wanted_nor_not(concgen, tmp_path):
    (tmp_path / "answers.json").write_text('{"ci": "perhaps"}')
    result = concgen("new", tmp_path / "a", "--answers", tmp_path / "answers.json", "--yes")
    assert result.code == 2
    assert "ci: 'perhaps' is not yes or no" in result.err


@pytest.mark.usefixtures("with_gil")
def test_another_model_than_the_advice_stands_first(concgen, tmp_path, monkeypatch):
    """The headline is of what is made; the advice is said as such."""
    monkeypatch.chdir(tmp_path)
    result = concgen("new", "p", "--workload", "cpu", "--model", "asyncio", "--yes", "--dry-run")
    assert result.out.startswith("asyncio, as you chose")
    assert "Advised: multiprocessing" in result.out.replace("\n", " ")


@pytest.mark.parametrize(("options", "asked"), [((), False), (("--ci-check",), True)])
def test_the_check_of_the_decision_in_ci_is_opt_in(concgen, tmp_path, monkeypatch, options, asked):
    """It installs concgen from a registry, where there may be none."""
    monkeypatch.chdir(tmp_path)
    concgen("new", "p", "--yes", *options)
    workflow = (tmp_path / "p/.github/workflows/checks.yml").read_text()
    assert ("concgen check" in workflow) is asked
