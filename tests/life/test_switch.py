"""`concgen switch`: what happens to each kind of file, and what the user is told."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import answers, edit, make, needs_git, render, snapshot, write

WORK = "def work(item):\n    return item\n"


def test_an_edit_is_merged_into_the_new_rendering(crawl, concgen):
    """The user's retries and the new model's settings are both in the file."""
    edit(crawl / "crawl/settings.py", "RETRIES: int = 0", "RETRIES: int = 3")
    result = concgen("switch", "threading")
    assert result.code == 0
    assert "merge     crawl/settings.py" in result.out
    text = (crawl / "crawl/settings.py").read_text()
    assert "RETRIES: int = 3" in text
    assert "one thread for each" in text


def test_edited_work_stays_with_its_tests(crawl, concgen):
    """Neither `work.py` nor the unedited tests that call it as a coroutine change."""
    edit(crawl / "crawl/work.py", '"cube": cube}', '"cube": cube, "same": abs}')
    kept = [(crawl / name).read_bytes() for name in ("crawl/work.py", "tests/test_work.py")]
    result = concgen("switch", "multiprocessing", "--json")
    assert result.actions["crawl/work.py"] == "keep"
    assert "tests/test_work.py" not in result.actions
    assert kept == [(crawl / name).read_bytes() for name in ("crawl/work.py", "tests/test_work.py")]


def test_unedited_work_becomes_the_variant_of_the_new_model(crawl, concgen):
    """`async def work` becomes `def work`, and its tests follow."""
    concgen("switch", "threading")
    assert "\ndef work(" in (crawl / "crawl/work.py").read_text()
    assert "asyncio" not in (crawl / "tests/test_work.py").read_text()


@pytest.mark.parametrize(
    ("start", "source", "target", "explained"),
    [
        ("threading", WORK, "asyncio", "in a thread of its own"),
        ("asyncio", f"async {WORK}", "threading", "in an event loop per worker"),
        ("asyncio", f"async {WORK}", "multiprocessing", "in an event loop per worker"),
        ("threading", WORK, "multiprocessing", None),
        ("threading", "work = print\n", "asyncio", None),
        ("threading", "def work(:\n", "asyncio", None),
    ],
)
def test_work_of_the_other_kind_is_explained(
    tmp_path, monkeypatch, concgen, start, source, target, explained
):
    root = make(tmp_path / "crawl", start)
    monkeypatch.chdir(root)
    (root / "crawl/work.py").write_text(source)
    result = concgen("switch", target)
    assert result.code == 0
    assert (explained in result.err) if explained else ("work" not in result.err)


def test_an_edited_engine_is_refused_with_the_edit_shown(crawl, concgen):
    """Exit 3, the user's own lines as a diff, and nothing written."""
    edit(crawl / "crawl/runner/engine.py", "import asyncio\n", "import asyncio  # mine\n")
    before = snapshot(crawl)
    result = concgen("switch", "threading")
    assert result.code == 3
    assert "+import asyncio  # mine" in result.out
    assert "crawl/runner/engine.py (edited)" in result.err
    assert "switch threading --force" in result.err
    assert snapshot(crawl) == before


def test_force_keeps_the_users_engine_beside_the_new_one(crawl, concgen):
    """The copy holds the user's bytes, the plan says where, and undo brings all back."""
    edit(crawl / "crawl/runner/engine.py", "import asyncio\n", "import asyncio  # mine\n")
    before = snapshot(crawl)
    (crawl / "crawl/runner/engine.py.yours").write_text("an older copy")
    result = concgen("switch", "threading", "--force", "--json")
    assert result.code == 0
    reasons = {file["path"]: file["reason"] for file in result.json["files"]}
    assert (
        reasons["crawl/runner/engine.py"]
        == "the new one; yours is kept as crawl/runner/engine.py.yours-2"
    )
    assert (crawl / "crawl/runner/engine.py.yours-2").read_bytes() == before[
        "crawl/runner/engine.py"
    ]
    (crawl / "crawl/runner/engine.py.yours").unlink()
    assert concgen("undo").code == 0
    assert snapshot(crawl) == before


def test_a_missing_engine_is_refused(crawl, concgen):
    (crawl / "crawl/runner/engine.py").rename(crawl / "crawl/runner/motor.py")
    assert concgen("switch", "threading").code == 3
    assert concgen("switch", "threading", "--force").code == 0
    assert (crawl / "crawl/runner/engine.py").is_file()
    assert (crawl / "crawl/runner/motor.py").is_file()


def test_a_missing_runner_is_refused_and_comes_back_whole_with_force(crawl, concgen):
    """Also what the two models have in common: without it nothing runs."""
    before = {path for path in snapshot(crawl) if path.startswith("crawl/runner/")}
    shutil.rmtree(crawl / "crawl/runner")
    result = concgen("switch", "threading")
    assert (result.code, result.out) == (3, "")
    assert len(result.err.splitlines()) == 2
    assert f"and {len(before) - 5} more" in result.err
    assert concgen("switch", "threading", "--force").code == 0
    assert {path for path in snapshot(crawl) if path.startswith("crawl/runner/")} == before


@pytest.mark.parametrize("options", [("switch", "threading", "--force"), ("update",)])
def test_a_renamed_package_is_refused(crawl, concgen, options):
    """Half of a project would be written beside it."""
    (crawl / "crawl").rename(crawl / "spider")
    before = snapshot(crawl)
    result = concgen(*options)
    assert result.code == 3
    assert "no crawl/ here" in result.err
    assert snapshot(crawl) == before


def test_modules_of_one_model_come_and_go(tmp_path, monkeypatch, concgen):
    """An unedited one is deleted, an edited one is kept and reported."""
    root = make(tmp_path / "crawl", "hybrid")
    monkeypatch.chdir(root)
    extra = sorted(render(answers("hybrid")).keys() - render(answers("asyncio")).keys())
    assert extra
    with (root / extra[0]).open("a") as file:
        file.write("# mine\n")
    result = concgen("switch", "asyncio", "--json")
    assert result.actions[extra[0]] == "keep"
    assert {result.actions[path] for path in extra[1:]} == {"delete"}
    assert [path for path in extra if (root / path).exists()] == extra[:1]


def test_to_a_cluster_and_back(crawl, concgen):
    """What the model needs comes and goes; a limit of the user's holds on the cluster too."""
    edit(crawl / "crawl/settings.py", "RETRIES: int = 0", "RETRIES: int = 3")
    before = snapshot(crawl)
    assert concgen("switch", "dask").code == 0
    assert "distributed" in (crawl / "pyproject.toml").read_text()
    assert "RETRIES: int = 3" in (crawl / "crawl/settings.py").read_text()
    assert "MAX_WORKERS: int | str | None = None" in (crawl / "crawl/settings.py").read_text()
    assert (crawl / "crawl/runner/plugin.py").is_file()
    assert concgen("check").code == 0
    assert concgen("switch", "asyncio").code == 0
    assert snapshot(crawl) == before


def test_a_limit_holds_on_a_cluster_too():
    """Where only so many may be in flight, a cluster gets no more."""
    settings = render({**answers("dask"), "max_in_flight": 7})["crawl/settings.py"]
    assert b"MAX_WORKERS: int | str | None = 7\n" in settings


def test_a_file_of_the_users_below_runner_is_refused(crawl, concgen):
    """It is neither overwritten nor merged; with --force it is kept under another name."""
    (crawl / "crawl/runner/processes.py").write_text("MINE = 1\n")
    result = concgen("switch", "multiprocessing")
    assert result.code == 3
    assert "crawl/runner/processes.py (yours" in result.err
    assert concgen("switch", "multiprocessing", "--force").code == 0
    assert (crawl / "crawl/runner/processes.py.yours").read_text() == "MINE = 1\n"


def test_own_files_are_not_touched(crawl, concgen):
    own = {"notes.txt": b"n", "crawl/helpers.py": b"x = 1\n", "results.jsonl": b"{}\n"}
    for path, data in own.items():
        (crawl / path).write_bytes(data)
    assert not own.keys() & concgen("switch", "hybrid", "--json").actions.keys()
    assert all((crawl / path).read_bytes() == data for path, data in own.items())


@needs_git
def test_a_renamed_file_is_followed(crawl, concgen):
    """The new text goes into the file under the name that the user gave it."""
    (crawl / "CONCURRENCY.md").rename(crawl / "DECISION.md")
    result = concgen("switch", "threading", "--json")
    assert result.code == 0
    assert result.actions["DECISION.md"] == "merge"
    assert not (crawl / "CONCURRENCY.md").exists()
    assert "# Concurrency: threading" in (crawl / "DECISION.md").read_text()


def test_a_deleted_file_stays_deleted(crawl, concgen):
    (crawl / "README.md").unlink()
    (crawl / "tests/test_work.py").unlink()
    result = concgen("switch", "threading", "--json")
    assert result.actions["README.md"] == "keep"
    assert not (crawl / "README.md").exists()
    assert not (crawl / "tests/test_work.py").exists()


@needs_git
def test_where_edits_and_new_text_meet_the_users_stays_and_the_new_one_is_beside(crawl, concgen):
    """Exit 4, and the list; the file of the user's is as it was, and runs."""
    edit(crawl / "crawl/settings.py", "AUTO_MAX_WORKERS: int = 1000", "AUTO_MAX_WORKERS = 64")
    edited = (crawl / "crawl/settings.py").read_bytes()
    before = snapshot(crawl)
    result = concgen("switch", "threading")
    assert result.code == 4
    assert "crawl/settings.py" in result.err
    assert (crawl / "crawl/settings.py").read_bytes() == edited
    assert "one thread for each" in (crawl / "crawl/settings.py.new").read_text()
    assert concgen("switch", "asyncio").code == 0
    assert snapshot(crawl) == before


@needs_git
def test_the_new_one_beside_is_replaced_by_the_next_unless_it_was_edited(crawl, concgen):
    """A conflict that is left leaves one file, not one for each switch."""
    edit(crawl / "crawl/settings.py", "AUTO_MAX_WORKERS: int = 1000", "AUTO_MAX_WORKERS = 64")
    beside = crawl / "crawl/settings.py.new"
    assert concgen("switch", "threading").code == 4
    first = beside.read_bytes()
    before = snapshot(crawl)
    assert concgen("switch", "multiprocessing").code == 4
    assert beside.read_bytes() != first
    assert concgen("undo").code == 0
    assert snapshot(crawl) == before
    beside.write_bytes(first + b"# mine\n")
    assert concgen("switch", "multiprocessing").code == 4
    assert beside.read_bytes() == first + b"# mine\n"
    assert (crawl / "crawl/settings.py.new-2").is_file()


@needs_git
def test_what_is_added_at_the_end_of_any_file_meets_no_new_text(crawl, concgen):
    """A table in pyproject.toml, a section in the README, a setting: on all models in turn."""
    record = (".concgen/answers.json", ".concgen/pristine.zip", "items.jsonl")
    paths = sorted(set(snapshot(crawl)) - set(record))
    paths = [path for path in paths if not path.startswith("crawl/runner/")]
    for path in paths:
        with (crawl / path).open("a") as file:
            file.write("\n# mine\n")
    before = snapshot(crawl)
    for model in ("threading", "dask", "sequential", "hybrid", "multiprocessing", "asyncio"):
        result = concgen("switch", model, "--json")
        assert (result.code, model) == (0, model), result.out
        assert all((crawl / path).read_text().endswith("\n# mine\n") for path in paths)
    assert snapshot(crawl) == before


@pytest.fixture
def fetching(tmp_path, monkeypatch):
    """A project of the starter http, whose fetch.py has another form on each kind of engine."""
    root = write(tmp_path / "fetching", render({**answers("asyncio"), "starter": "http"}))
    monkeypatch.chdir(root)
    return root


@needs_git
def test_an_edited_constant_of_the_starter_survives_a_switch(fetching, concgen):
    fetch = fetching / "crawl/policy.py"
    constant = next(line for line in fetch.read_text().splitlines() if line.startswith("MAX_"))
    edit(fetch, constant, f"{constant}  # mine")
    before = snapshot(fetching)
    assert concgen("switch", "threading").code == 0
    assert "# mine" in fetch.read_text()
    assert concgen("switch", "asyncio").code == 0
    assert snapshot(fetching) == before


@needs_git
def test_an_edit_that_the_new_form_has_no_place_for_stays_and_runs(fetching, concgen):
    """All of the starter's code keeps its form; the new form of the edited file stands beside."""
    fetch, before = fetching / "crawl/fetch.py", snapshot(fetching)
    lines = fetch.read_text().splitlines()
    number = next(n for n, line in enumerate(lines) if line.strip().startswith("async with"))
    lines[number] += "  # mine"
    fetch.write_text("\n".join(lines) + "\n")
    assert concgen("switch", "threading").code == 4
    assert "# mine" in fetch.read_text()
    assert "urllib3" in (fetching / "crawl/fetch.py.new").read_text()
    assert (fetching / "crawl/work.py").read_bytes() == before["crawl/work.py"]
    assert "aiohttp" in (fetching / "pyproject.toml").read_text()
    assert "urllib3" not in (fetching / "pyproject.toml").read_text()


@needs_git
def test_a_new_form_that_is_beside_already_is_not_put_there_again(fetching, concgen):
    fetch = fetching / "crawl/fetch.py"
    edit(fetch, "async with", "async  with")
    for model, code in (("threading", 4), ("hybrid", 0), ("multiprocessing", 4)):
        assert (concgen("switch", model).code, model) == (code, model)
    assert "async  with" in fetch.read_text()
    assert len(list(fetching.glob("crawl/*.new*"))) == 1


def test_with_edited_work_all_of_the_starters_code_keeps_its_form(fetching, concgen):
    with (fetching / "crawl/work.py").open("a") as file:
        file.write("# mine\n")
    before = (fetching / "crawl/fetch.py").read_bytes()
    assert concgen("switch", "threading").code == 0
    assert (fetching / "crawl/fetch.py").read_bytes() == before
    assert "aiohttp" in (fetching / "pyproject.toml").read_text()


def test_without_git_an_edited_file_is_left_and_the_new_one_put_beside(crawl, concgen, no_git):
    edit(crawl / "README.md", "# crawl", "# My crawler")
    edited = (crawl / "README.md").read_bytes()
    result = concgen("switch", "threading")
    assert result.code == 4
    assert "without git" in result.out
    assert (crawl / "README.md").read_bytes() == edited
    assert "on threads" in (crawl / "README.md.new").read_text()
    assert "threading" in (crawl / "CONCURRENCY.md").read_text()


def test_a_binary_file_gets_no_markers(crawl, concgen):
    (crawl / "README.md").write_bytes(b"\0\1\2")
    result = concgen("switch", "threading")
    assert result.code == 4
    assert (crawl / "README.md").read_bytes() == b"\0\1\2"
    assert (crawl / "README.md.new").is_file()


def test_line_endings_are_no_edit_and_stay(crawl, concgen):
    """A project checked out with CRLF is switched as any other, and keeps its CRLF."""
    for path in crawl.rglob("*"):
        if path.is_file() and path.name != "pristine.zip":
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    edit(crawl / "crawl/settings.py", "RETRIES: int = 0", "RETRIES: int = 3")
    before = snapshot(crawl)
    assert concgen("switch", "threading").code == 0
    text = (crawl / "crawl/settings.py").read_bytes()
    assert b"RETRIES: int = 3\r\n" in text
    assert text.count(b"\n") == text.count(b"\r\n")
    engine = render(answers("threading"))["crawl/runner/engine.py"]
    assert (crawl / "crawl/runner/engine.py").read_bytes() == engine.replace(b"\n", b"\r\n")
    assert concgen("switch", "asyncio").code == 0
    assert snapshot(crawl) == before


def test_modes_stay(crawl, concgen):
    (crawl / "crawl/runner/engine.py").chmod(0o755)
    concgen("switch", "threading")
    assert (crawl / "crawl/runner/engine.py").stat().st_mode & 0o777 == 0o755


def test_the_same_model_is_nothing_to_do(crawl, concgen):
    before = snapshot(crawl)
    result = concgen("switch", "asyncio")
    assert result.code == 0
    assert "asyncio already" in result.out
    assert snapshot(crawl) == before


def test_an_unknown_model_names_the_nearest(crawl, concgen):
    result = concgen("switch", "thredding")
    assert result.code == 2
    assert "did you mean threading?" in result.err


@pytest.mark.parametrize("option", ["--dry-run", "--diff"])
def test_showing_writes_nothing(crawl, concgen, option):
    before = snapshot(crawl)
    result = concgen("switch", "threading", option)
    assert result.code == 0
    assert "crawl/runner/engine.py" in result.out
    assert "\033" not in result.out
    assert snapshot(crawl) == before
    assert not (crawl / ".concgen/undo").exists()


def test_the_diff_is_what_patch_applies(crawl, concgen, tmp_path):
    """The unified diff, applied to the old tree, gives the new one."""
    edit(crawl / "crawl/settings.py", "RETRIES: int = 0", "RETRIES: int = 3")
    (crawl / "README.md").write_bytes((crawl / "README.md").read_bytes().rstrip(b"\n"))
    shown = concgen("switch", "hybrid", "--diff").out
    old = snapshot(crawl)
    concgen("switch", "hybrid")
    copy = tmp_path / "copy"
    for path, data in old.items():
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        (copy / path).write_bytes(data)
    text = "".join(f"{line}\n" for line in shown.splitlines() if not line.startswith("Binary"))
    command = ["git", "apply", "-p1", "-"]
    subprocess.run(command, cwd=copy, input=text.encode(), check=True)
    new = snapshot(crawl)
    copied = snapshot(copy)
    assert copied.pop(".concgen/pristine.zip") != new.pop(".concgen/pristine.zip")
    assert copied == new


def test_json_and_dry_run_tell_the_same_plan(crawl, concgen):
    shown = concgen("switch", "threading", "--dry-run", "--json").json
    done = concgen("switch", "threading", "--json").json
    assert (shown.pop("applied"), done.pop("applied")) == (False, True)
    assert shown == done
    assert done["schema"] == 1
    assert (done["from"], done["to"], done["conflicts"]) == ("asyncio", "threading", [])


def test_the_record_says_who_chose(crawl, concgen):
    """The decision of `new` stays on record, and that it was not followed."""
    concgen("switch", "threading")
    text = (crawl / "CONCURRENCY.md").read_text()
    assert "picked by hand" in text
    assert "asyncio, up to 1,000 in flight" in text
    assert 'MAX_WORKERS: int | str | None = "auto"' in (crawl / "crawl/settings.py").read_text()


def test_from_below_and_by_name(crawl, concgen, monkeypatch, tmp_path):
    """The project is found upward from here, or where --project says."""
    monkeypatch.chdir(crawl / "tests")
    assert concgen("switch", "threading").code == 0
    monkeypatch.chdir(tmp_path)
    assert concgen("switch", "asyncio", "--project", crawl).code == 0
    assert snapshot(crawl) == render(answers("asyncio"))


@pytest.mark.skipif(sys.platform == "win32", reason="file names and links as on Unix")
def test_any_path_will_do(tmp_path, concgen, monkeypatch):
    """Spaces, letters beyond ASCII, and a link on the way."""
    real = make(tmp_path / "mon dépôt/ü 中/crawl")
    (tmp_path / "link").symlink_to(real, target_is_directory=True)
    monkeypatch.chdir(tmp_path / "link")
    edit(real / "README.md", "# crawl", "# Données")
    (real / "crawl/donnees é.py").write_text("x = 1\n")
    assert concgen("switch", "threading").code == 0
    assert (tmp_path / "link").is_symlink()
    assert concgen("undo").code == 0


@needs_git
def test_uncommitted_changes_are_said_not_refused(crawl, concgen, monkeypatch):
    """In a subdirectory of a repository too; a clean work tree has nothing said."""
    top = crawl.parent
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "start"]):
        subprocess.run(["git", *words], cwd=top, check=True)
    clean = concgen("switch", "threading")
    assert "uncommitted" not in clean.err
    edit(crawl / "README.md", "# crawl", "# Mine")
    dirty = concgen("switch", "hybrid")
    assert dirty.code == 0
    assert "uncommitted changes" in dirty.err
    done = subprocess.run(
        ["git", "status", "--porcelain"], cwd=top, capture_output=True, check=True
    )
    assert b"undo" not in done.stdout


@needs_git
def test_settings_of_git_do_not_matter(crawl, concgen, monkeypatch, tmp_path):
    """Neither the user's configuration nor the variables of a hook reach the merge."""
    (tmp_path / "config").write_text("[merge]\n\tconflictStyle = zdiff3\n\trenames = false\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    edit(crawl / "crawl/settings.py", "AUTO_MAX_WORKERS: int = 1000", "AUTO_MAX_WORKERS = 64")
    assert concgen("switch", "threading").code == 4
    assert "|||||||" not in (crawl / "crawl/settings.py").read_text()


@pytest.mark.parametrize("place", ["README.md", "crawl", ".concgen"])
def test_what_is_read_only_stops_it_before_anything_is_written(crawl, concgen, place):
    before = snapshot(crawl)
    mode = (crawl / place).stat().st_mode
    (crawl / place).chmod(mode & ~0o222)
    try:
        result = concgen("switch", "threading")
    finally:
        (crawl / place).chmod(mode)
    assert result.code == 3
    assert "read-only" in result.err
    assert place in result.err
    assert snapshot(crawl) == before


@pytest.mark.skipif(sys.platform == "win32", reason="links as on Unix")
def test_nothing_is_written_through_a_link_that_leads_outside(crawl, concgen, tmp_path):
    outside = tmp_path / "outside"
    (crawl / "tests").rename(outside)
    (crawl / "tests").symlink_to(outside, target_is_directory=True)
    before = (outside / "test_work.py").read_bytes()
    result = concgen("switch", "threading")
    assert result.code == 3
    assert "outside the project" in result.err
    assert (outside / "test_work.py").read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="links as on Unix")
def test_a_file_behind_a_link_is_the_users(crawl, concgen, tmp_path):
    (tmp_path / "README.md").write_bytes((crawl / "README.md").read_bytes())
    (crawl / "README.md").unlink()
    (crawl / "README.md").symlink_to(tmp_path / "README.md")
    result = concgen("switch", "threading", "--json")
    assert result.actions["README.md"] == "keep"
    assert (crawl / "README.md").is_symlink()


def test_a_directory_where_a_file_belongs_is_refused(crawl, concgen):
    (crawl / "README.md").unlink()
    (crawl / "README.md").mkdir()
    result = concgen("switch", "threading")
    assert result.code == 3
    assert "is a directory" in result.err


def test_a_large_input_is_not_read(crawl, concgen, monkeypatch):
    """The user's items may be gigabytes: their size alone says that they are edited."""
    with (crawl / "items.jsonl").open("wb") as file:
        file.truncate(50 << 30)
    assert concgen("switch", "threading").code == 0
    assert (crawl / "items.jsonl").stat().st_size == 50 << 30
    assert "items.jsonl: edited, and too large" in concgen("diff").err


def test_what_new_made_runs_after_a_switch(tmp_path):
    """By the installed command, with no help of this suite: new, switch, run, back."""

    def run(*words, cwd=tmp_path / "crawl"):
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", *words]
        subprocess.run(command, cwd=cwd, env=environment, check=True, capture_output=True)

    options = ["--workload", "io", "--tasks", "20k", "--task-time", "200ms", "--yes"]
    run("scaffold", "new", "crawl", *options, cwd=tmp_path)
    before = snapshot(tmp_path / "crawl")
    run("scaffold", "switch", "multiprocessing")
    run("crawl", "run", "--limit", "3", "--quiet")
    assert len((tmp_path / "crawl/results.jsonl").read_text().splitlines()) == 3
    for path in (tmp_path / "crawl").glob("results*"):
        path.unlink()
    run("scaffold", "switch", "asyncio")
    assert snapshot(tmp_path / "crawl") == before


def test_a_project_around_the_users_own_function(tmp_path, monkeypatch, concgen):
    """The copied module and the items are the user's; what imports them stays as it is."""
    (tmp_path / "hashing.py").write_text(
        "import time\n\ndef digest(item):\n    time.sleep(0.01)\n    return item\n"
    )
    (tmp_path / "items.txt").write_text("a\nb\nc\n")
    monkeypatch.chdir(tmp_path)
    options = ["--from", "hashing.py:digest", "--items", "items.txt", "--budget", "1", "--yes"]
    assert concgen("new", "crawl", *options, "--model", "threading").code == 0
    monkeypatch.chdir(tmp_path / "crawl")
    before = snapshot(tmp_path / "crawl")
    result = concgen("switch", "multiprocessing", "--json")
    assert result.code == 0
    assert not {"crawl/hashing.py", "items.jsonl", "crawl/work.py"} & result.actions.keys()
    assert "hashing import digest" in Path("crawl/work.py").read_text()
    assert "in a thread of its own" in concgen("switch", "asyncio", "--dry-run").err
    assert concgen("switch", "threading").code == 0
    assert snapshot(tmp_path / "crawl") == before


def test_the_workflow_is_the_same_for_every_model(crawl, concgen):
    """An edited one is not touched either, and a deleted one stays deleted."""
    workflow = ".github/workflows/checks.yml"
    assert workflow not in concgen("switch", "threading", "--dry-run", "--json").actions
    edit(crawl / workflow, "[main, master]", "[trunk]")
    assert concgen("switch", "threading").code == 0
    assert "[trunk]" in (crawl / workflow).read_text()
    (crawl / workflow).unlink()
    assert concgen("switch", "multiprocessing").code == 0
    assert not (crawl / workflow).exists()
