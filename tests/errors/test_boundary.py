"""What comes from outside the program's control: its streams, its own faults, the wrong moment."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RECOMMEND = "recommend --workload io --yes"
posix = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs sh and /dev/full")


def shell(folder: Path, line: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which `concgen` is this one."""
    program = f'concgen() {{ "{sys.executable}" -m scaffold "$@"; }}\n'
    return subprocess.run(
        ["sh", "-c", program + line],
        cwd=folder,
        env=os.environ | {"XDG_STATE_HOME": str(folder / "state")} | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@posix
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_written_to_by_nobody(tmp_path: Path, closed: str) -> None:
    """The project is whole, and no file of it got what was to be printed."""
    done = shell(tmp_path, f"concgen new crawl --workload io --yes {closed}")
    assert done.returncode == 0
    names = {path.name for path in (tmp_path / "crawl").iterdir()}
    assert {"pyproject.toml", "crawl", ".concgen"} <= names
    assert "Created" not in (tmp_path / "crawl/README.md").read_text()
    assert ("Created" in done.stdout) == (not closed.startswith((">", "<")))


@posix
def test_a_full_stdout_is_an_error_of_one_line(tmp_path: Path) -> None:
    done = shell(tmp_path, f"concgen {RECOMMEND} >/dev/full")
    assert done.returncode == 1
    assert "cannot write the answer: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@posix
def test_a_full_stderr_does_not_stop_the_answer(tmp_path: Path) -> None:
    """Talk that nobody can hear is no reason to fail."""
    done = shell(tmp_path, "concgen new crawl --workload io --yes --json 2>/dev/full")
    assert done.returncode == 0
    assert json.loads(done.stdout)["project"]["package"] == "crawl"


@posix
def test_a_reader_that_leaves_does_not_stop_the_work(tmp_path: Path) -> None:
    """With both streams in the pipe the project is made all the same, and nothing is said."""
    done = shell(tmp_path, "(concgen new crawl --workload io --yes 2>&1; echo $? >code) | true")
    assert done.stderr == ""
    assert (tmp_path / "code").read_text() == "0\n"
    assert (tmp_path / "crawl/pyproject.toml").is_file()


@posix
def test_a_name_that_the_terminal_cannot_show_is_escaped(tmp_path: Path) -> None:
    """In words as in JSON, which stays JSON."""
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    made = shell(tmp_path, "concgen new größe/crawl --workload io --yes", **ascii_only)
    assert made.returncode == 0, made.stderr
    assert r"Created gr\xf6\xdfe/crawl/" in made.stdout
    done = shell(tmp_path, "concgen new größe/b --workload io --yes --json", **ascii_only)
    assert json.loads(done.stdout)["project"]["path"] == "größe/b"
    refused = shell(tmp_path, "concgen new größe/b --workload io --yes", **ascii_only)
    assert refused.returncode == 3


def test_a_fault_of_ours_is_a_line_and_a_file(
    concgen: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The file has the traceback, the versions and the arguments; it is the user's alone."""
    logs = str(tmp_path / "log")
    monkeypatch.setattr("scaffold.terminal.faults.user_log_dir", lambda *_, **__: logs)
    monkeypatch.setattr("scaffold.measuring.machine.inspect", lambda: {}["nothing"])
    result = concgen(*RECOMMEND.split())
    assert result.code == 1
    assert "KeyError: 'nothing'" in result.err
    assert "Traceback" not in result.err
    path = Path(result.err.partition("the traceback is in ")[2].partition(": ")[0])
    assert path.parent == tmp_path / "log"
    text = path.read_text("utf-8")
    assert "Traceback (most recent call last)" in text
    assert "'recommend', '--workload', 'io'" in text
    assert f"Python {sys.version.split()[0]}" in text
    if os.name == "posix":
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("fault", ["RecursionError", "UnicodeEncodeError", "OSError", "EOFError"])
def test_any_fault_is_told_so(
    concgen: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: str
) -> None:
    """Whatever the class, and where no log can be written, in the temporary directory."""
    made = {
        "RecursionError": RecursionError("too deep"),
        "UnicodeEncodeError": UnicodeEncodeError("ascii", "é", 0, 1, "no such letter"),
        "OSError": OSError(errno.EIO, os.strerror(errno.EIO)),
        "EOFError": EOFError(),
    }[fault]

    def failing() -> None:
        raise made

    (tmp_path / "file").touch()
    logs = str(tmp_path / "file/log")
    monkeypatch.setattr("scaffold.terminal.faults.user_log_dir", lambda *_, **__: logs)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("scaffold.measuring.machine.inspect", failing)
    result = concgen(*RECOMMEND.split())
    assert result.code == 1
    assert f"the traceback is in {tmp_path}/concgen-" in result.err
    assert "Traceback" not in result.err


def test_a_fault_that_cannot_be_kept_is_still_told(
    concgen: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("scaffold.terminal.faults._save", full)
    monkeypatch.setattr("scaffold.measuring.machine.inspect", lambda: {}["nothing"])
    result = concgen(*RECOMMEND.split())
    assert result.code == 1
    assert "could not be saved (No space left on device)" in result.err


@posix
def test_ctrl_c_at_any_moment_of_the_start_has_no_traceback(tmp_path: Path) -> None:
    """From the first import of ours to the last line: done, 130, or ended by the signal itself."""
    # Before ours, in Python's own start, a Ctrl-C ends it as the first line of ours sees to.
    command = [sys.executable, "-c", "import signal, sys;"
               "signal.signal(signal.SIGINT, signal.SIG_DFL); print(flush=True);"
               "sys.argv = ['concgen', 'recommend', '--workload', 'io', '--yes'];"
               "from scaffold.__main__ import main; main()"]  # fmt: skip
    for step in range(12):
        child = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(step * 0.015)  # the whole start takes a tenth of a second or two
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=60)
        assert "Traceback" not in err
        assert child.returncode in (0, 130, -signal.SIGINT)


@posix
def test_the_first_line_of_ours_lets_ctrl_c_end_the_process() -> None:
    """While the command line is being imported."""
    code = "import scaffold.__main__, signal; print(signal.getsignal(signal.SIGINT).name)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "SIG_DFL\n"
