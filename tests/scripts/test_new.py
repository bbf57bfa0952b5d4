"""`concgen new FILE.py`: every model and starter, written, checked, run, resumed and outgrown."""

from __future__ import annotations

import http.server
import itertools
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import call

from scaffold.core.domain import Model
from scaffold.making import script

SELECT = "ASYNC,B,C4,E,F,I,RUF,S,SIM,UP,W"  # as generated projects have it


def run(file: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, file.name, *words],
        cwd=file.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]


@pytest.fixture(params=script.scriptable())
def model(request: pytest.FixtureRequest) -> Model:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def blank(model: Model, tmp_path: Path, concgen: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script of that model, with eight numbers to square and one item that fails."""
    monkeypatch.chdir(tmp_path)
    assert concgen("new", "squares.py", "--model", model, "--yes").code == 0
    items = "".join(f"{n}\n" for n in range(8))
    (tmp_path / "items.jsonl").write_text(items + '"no number"\n')
    return tmp_path / "squares.py"


@pytest.fixture(scope="session")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the scripts of every model and starter."""
    folder = tmp_path_factory.mktemp("scripts")
    for chosen, starter in itertools.product(script.scriptable(), script.STARTERS):
        text = script.text(chosen, starter, None if chosen is Model.MULTIPROCESSING else 32)
        (folder / f"{chosen}_{starter}.py").write_text(text)
    return folder


def test_it_is_short(scripts: Path) -> None:
    """120 lines at most."""
    lengths = {path.name: path.read_text().count("\n") for path in scripts.glob("*.py")}
    assert len(lengths) == len(script.scriptable()) * len(script.STARTERS)
    assert max(lengths.values()) <= 120, lengths


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "--isolated", "--line-length=100", f"--select={SELECT}"],
        ["ruff", "format", "--isolated", "--line-length=100", "--check"],
        ["mypy", "--strict"],
    ],
    ids=" ".join,
)
def test_it_is_clean(scripts: Path, command: list[str]) -> None:
    """Its linter, formatter and type checker find nothing, whatever the model and the starter."""
    files = sorted(path.name for path in scripts.glob("*.py"))
    done = call(scripts, *command, *files)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_writes_a_line_for_each_task(blank: Path) -> None:
    """An exception costs its own item only, and is told."""
    done = run(blank, "items.jsonl")
    assert done.returncode == 1
    assert done.stderr.endswith("8 ok, 1 failed\n")
    by_key = {json.dumps(row["key"]): row for row in rows(blank.parent)}
    assert [by_key[str(n)]["value"] for n in range(8)] == [n * n for n in range(8)]
    assert by_key['"no number"']["error"].startswith("TypeError")


def test_odd_files_cost_nothing(blank: Path) -> None:
    """A mark at the beginning, Windows' line ends and empty lines."""
    (blank.parent / "odd.jsonl").write_bytes(b"\xef\xbb\xbf1\r\n\r\n2\r\n")
    assert run(blank, "odd.jsonl").stderr == "2 ok, 0 failed\n"


@pytest.mark.parametrize("results", ["my notes\nwithout an end", "my notes", "5\n", '{"ok": 1}\n'])
def test_a_file_that_holds_no_results_is_left_alone(results: str, blank: Path) -> None:
    """In one line it is said."""
    notes = blank.parent / "notes.txt"
    notes.write_text(results)
    done = run(blank, "items.jsonl", "--results", "notes.txt")
    message = "error: notes.txt holds no results: give --results another name\n"
    assert (done.returncode, done.stderr) == (2, message)
    assert notes.read_text() == results


@pytest.mark.parametrize(
    "cut", ['{"key": 1, "o', '{"key": 1, "ok": true, "value": 1, "error": null}']
)
def test_an_only_line_that_a_crash_cut_off_is_run_again(cut: str, blank: Path) -> None:
    """Also where nothing but the line's end is missing."""
    results = blank.parent / "cut.jsonl"
    results.write_text(cut)
    (blank.parent / "one.jsonl").write_text("1\n")
    done = run(blank, "one.jsonl", "--results", "cut.jsonl")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["key"] for line in results.read_text().splitlines()] == [1]


@pytest.mark.parametrize(
    ("items", "words", "line"),
    [
        (b"1\n\nno json\n", [], 3),
        (b'{"id": 1}\n{"name": 2}\n', ["--key", "id"], 2),
        (b"[1]\n", ["--key", "id"], 1),
        (b"1\n2\n\xff\n", [], 3),
    ],
)
def test_a_bad_line_is_told_before_anything_runs(
    items: bytes, words: list[str], line: int, blank: Path
) -> None:
    """With its number, in one line."""
    (blank.parent / "bad.jsonl").write_bytes(items)
    done = run(blank, "bad.jsonl", *words)
    message = f"error: bad.jsonl, line {line}: no JSON or no --key field\n"
    assert (done.returncode, done.stderr) == (2, message)
    assert rows(blank.parent) == []


@pytest.mark.parametrize("words", [["missing.jsonl"], ["."], ["items.jsonl", "--results", "no/r"]])
def test_a_file_that_cannot_be_opened_is_told(words: list[str], blank: Path) -> None:
    """In one line, and no results are begun."""
    done = run(blank, *words)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("error: ")
    assert not (blank.parent / "results.jsonl").exists()


def test_a_value_that_is_no_json_is_written_as_python_shows_it(blank: Path) -> None:
    """The run goes on, and nothing of it is lost."""
    blank.write_text(blank.read_text().replace("return item * item", "return {item}"))
    (blank.parent / "one.jsonl").write_text("5\n")
    assert run(blank, "one.jsonl").returncode == 0
    assert [row["value"] for row in rows(blank.parent)] == ["{5}"]


def test_it_goes_on_where_it_ended(blank: Path) -> None:
    """What is done is not run again, and a line that a crash cut off is replaced."""
    run(blank, "items.jsonl")
    with (blank.parent / "results.jsonl").open("a") as file:
        file.write('{"key": 9, "o')
    done = run(blank, "items.jsonl")
    assert done.stderr == "0 ok, 1 failed\n"
    assert len(rows(blank.parent)) == 10


def test_items_may_be_named_by_a_field(blank: Path) -> None:
    """The field is the key in the results."""
    (blank.parent / "named.jsonl").write_text('{"id": "a"}\n{"id": "b"}\n')
    run(blank, "named.jsonl", "--key", "id")
    assert sorted(row["key"] for row in rows(blank.parent)) == ["a", "b"]


@pytest.mark.parametrize("rate", ["fast", "x", "0/s", "-1/s", "nan/s", "1e-300/h", "/s", "5/day"])
def test_a_rate_that_is_none_is_said(rate: str, blank: Path) -> None:
    """By the option's name, without a traceback."""
    done = run(blank, "items.jsonl", f"--rate={rate}")
    assert done.returncode == 2
    assert done.stderr.endswith(f"error: argument --rate: invalid rate value: '{rate}'\n")


def test_a_value_whose_keys_are_no_json_shows_no_traceback(blank: Path) -> None:
    """It fails alone, or ends the run in a line."""
    blank.write_text(blank.read_text().replace("return item * item", "return {(item, 1): 2}"))
    done = run(blank, "items.jsonl")
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr


def test_a_worker_process_that_dies_is_told(
    tmp_path: Path, concgen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line; what it ran is run again the next time."""
    monkeypatch.chdir(tmp_path)
    assert concgen("new", "die.py", "--model", "multiprocessing", "--yes").code == 0
    script = tmp_path / "die.py"
    script.write_text(script.read_text().replace("return item * item", "os._exit(item)"))
    (tmp_path / "items.jsonl").write_text("".join(f"{n}\n" for n in range(1000)))
    done = run(script, "items.jsonl")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert "error: " in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_lets_running_tasks_finish(blank: Path) -> None:
    """What was begun is written; the exit code is 130."""
    (blank.parent / "many.jsonl").write_text("".join(f"{n}\n" for n in range(200_000)))
    process = subprocess.Popen(
        [sys.executable, "-u", blank.name, "many.jsonl"],
        cwd=blank.parent,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr
    process.stderr.readline()  # it is under way
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert 0 < len(rows(blank.parent)) < 200_000
    assert all(row["ok"] for row in rows(blank.parent))
    process.stderr.close()


@pytest.fixture
def address() -> Iterator[str]:
    """A web server of one page."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_http(
    model: Model, address: str, tmp_path: Path, concgen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fetches the lines of a text file."""
    monkeypatch.chdir(tmp_path)
    made = concgen("new", "fetch.py", "--starter", "http", "--model", model, "--yes")
    assert made.code == 0, made.err
    (tmp_path / "urls.txt").write_text(f"{address}a\n{address}b\n")
    done = run(tmp_path / "fetch.py", "urls.txt")
    assert done.returncode == 0, done.stderr
    assert [row["value"] for row in rows(tmp_path)] == [{"status": 200, "bytes": 5}] * 2


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_yours(
    kind: str, model: Model, tmp_path: Path, concgen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function that is measured is called where it is, whatever its kind."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "mine.py").write_text(f"{kind} double(item):\n    return 2 * item\n")
    (tmp_path / "items.jsonl").write_text("".join(f"{n}\n" for n in range(5)))
    words = ["--from", "lib/mine.py:double", "--items", "items.jsonl", "--model", model]
    made = concgen("new", "one.py", *words, "--yes")
    assert made.code == 0, made.err
    done = run(tmp_path / "one.py", "items.jsonl")
    assert done.returncode == 0, done.stderr
    assert sorted(row["value"] for row in rows(tmp_path)) == [0, 2, 4, 6, 8]


def test_a_script_becomes_a_project(
    tmp_path: Path, concgen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it has outgrown one file, `--from` makes a project of its work."""
    monkeypatch.chdir(tmp_path)
    concgen("new", "squares.py", "--model", "threading", "--yes")
    (tmp_path / "items.jsonl").write_text("1\n2\n3\n")
    words = ["--from", "squares.py:work", "--items", "items.jsonl", "--yes"]
    made = concgen("new", "grown", *words)
    assert made.code == 0, made.err
    done = subprocess.run(
        [sys.executable, "-m", "grown", "run"],
        cwd=tmp_path / "grown",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["there.py"], 3, "exists already"),
        (["no-name.py"], 2, "could not be imported"),
        (["missing/one.py"], 2, "no directory"),
        (["threading.py"], 2, "would hide the standard library's module"),
        (["one.py", "--model", "dask"], 2, "takes more than one file"),
        (["one.py", "--starter", "database"], 2, "needs several files"),
    ],
)
def test_what_cannot_be_a_script_is_said(
    words: list[str],
    code: int,
    message: str,
    tmp_path: Path,
    concgen: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line, with the way out, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.py").touch()
    done = concgen("new", *words, "--yes")
    assert (done.code, message in done.err) == (code, True), done.err
    assert [path.name for path in tmp_path.iterdir()] == ["there.py"]
