"""Ctrl-C, SIGTERM and SIGKILL at any moment leave a whole project or none."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import rendering

from scaffold.core.errors import Interrupted
from scaffold.making import interrupt, project, staging

# Modules and functions at whose start a signal comes.
MOMENTS = {
    "before-rendering": (staging, "_make_staging"),
    "rendering": (project, "render"),
    "packing": (project, "write_pristine"),
    "modes": (staging, "_settle_modes"),
}
SIGNALS = interrupt.SIGNALS

# Forks a child that creates a project, sends it a signal after a while, and looks at what is left.
# Copier is imported and the templates are compiled before, so that the moments fall into what is
# written, and what git is asked.
DRIVER = """
import copier, os, pytest, random, rendering, signal, sys, time
from pathlib import Path
from scaffold.making import project, staging

root, number = Path(sys.argv[1]), int(sys.argv[2])
answers = {"name": "crawl", "model": "threading"}
rendering.reads_and_compiles_once(pytest.MonkeyPatch())
complete = set(project.files(answers))
begun = time.monotonic()
project.create(root / "timed", answers)
usual = time.monotonic() - begun
for count in range(12):
    parent = root / f"{number}-{count}"
    dest = parent / "crawl"
    child = os.fork()
    if not child:
        try:
            project.create(dest, answers)
        except KeyboardInterrupt:  # before create() listened, or after
            os._exit(130)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(getattr(error, "exit_code", 99))
        os._exit(0)
    time.sleep(usual * random.uniform(0, 1.2))
    os.kill(child, number)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 130, -number), code
    if dest.exists():
        assert set(staging.list_files(dest)) == complete
    elif code == 130:
        assert not parent.exists(), sorted(parent.rglob("*"))
    if parent.exists():
        left = {path.name for path in parent.iterdir()} - {"crawl"}
        assert all(name.startswith(".crawl.concgen-") for name in left), left
        assert number == signal.SIGKILL or not left
    if not dest.exists():
        project.create(dest, answers)
"""


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("existing", [False, True])
def test_a_signal_leaves_nothing(
    tmp_path: Path,
    answers: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    moment: str,
    existing: bool,
) -> None:
    """The run ends as interrupted, the place is as before, and so are the handlers."""
    dest = tmp_path / "a/crawl"
    if existing:
        dest.mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    handlers = [signal.getsignal(number) for number in SIGNALS]
    module, name = MOMENTS[moment]
    function = getattr(module, name)

    def interrupted(*args: Any) -> Any:
        signal.raise_signal(number)
        return function(*args)

    monkeypatch.setattr(module, name, interrupted)
    with pytest.raises(Interrupted) as caught:
        project.create(dest, answers)
    assert caught.value.exit_code == 130
    assert sorted(tmp_path.rglob("*")) == before
    assert [signal.getsignal(number) for number in SIGNALS] == handlers


def test_a_second_signal_does_not_cut_the_clean_up_short(
    tmp_path: Path, answers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An impatient Ctrl-C while cleaning up changes nothing."""
    clean = staging._clean

    def impatient(*args: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        clean(*args)

    def render(*_: Any) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(staging, "_clean", impatient)
    monkeypatch.setattr(project, "render", render)
    with pytest.raises(Interrupted):
        project.create(tmp_path / "crawl", answers)
    assert list(tmp_path.iterdir()) == []


def test_an_error_that_follows_from_the_interruption_is_an_interruption(
    tmp_path: Path, answers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a program that rendering has started still writes into what is to be removed."""

    def render(*_: Any) -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            raise OSError(errno.ENOTEMPTY, "Directory not empty")

    monkeypatch.setattr(project, "render", render)
    with pytest.raises(Interrupted):
        project.create(tmp_path / "crawl", answers)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("existing", [False, True])
def test_a_signal_that_comes_too_late_leaves_the_whole_project(
    tmp_path: Path, answers: dict[str, Any], monkeypatch: pytest.MonkeyPatch, existing: bool
) -> None:
    """Moving into place is not interrupted; the run says that the project is complete."""
    dest = tmp_path / "crawl"
    if existing:
        dest.mkdir()
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        signal.raise_signal(signal.SIGTERM)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(Interrupted, match="complete"):
        project.create(dest, answers)
    assert list(tmp_path.iterdir()) == [dest]
    monkeypatch.undo()
    assert staging.list_files(dest) == project.files(answers)


def test_an_ignored_signal_stays_ignored(
    tmp_path: Path, answers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under nohup and the like the signal does not count."""
    render = project.render

    def interrupted(*args: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        render(*args)

    monkeypatch.setattr(project, "render", interrupted)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert project.create(tmp_path / "crawl", answers)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_dry_run_leaves_nothing(
    tmp_path: Path, answers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its scratch directory goes too."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(project, "write_pristine", lambda _: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(Interrupted):
        project.files(answers)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs os.fork and SIGKILL")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signals_at_random_moments(tmp_path: Path, number: signal.Signals) -> None:
    """A dozen runs each: whole or absent, at most a staging directory left, the next run works."""
    command = [sys.executable, "-c", DRIVER, str(tmp_path), str(int(number))]
    environment = os.environ | {"PYTHONPATH": str(Path(rendering.__file__).parent)}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
