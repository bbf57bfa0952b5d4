"""kill -9 and Ctrl-C while a plan is written: the project is old or new, or undo makes it old.

LIFE_KILLS=50 runs the random half as long as the issue asks for; the default is shorter.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from scaffold.changing import apply, undo_log
from scaffold.commands import switch
from scaffold.commands.undo import undo
from scaffold.core.domain import Model
from scaffold.core.errors import Interrupted, UsageError

from .conftest import edit, make, snapshot

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked child"),
    # pytest-xdist has a thread; the children only write files and end.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]

KILLS = int(os.environ.get("LIFE_KILLS", "12"))


def project(root: Path) -> Path:
    """Make an edited project whose switch to hybrid creates, updates, merges and keeps."""
    make(root, "multiprocessing")
    edit(root / "crawl/settings.py", "RETRIES: int = 0", "RETRIES: int = 3")
    edit(root / "crawl/work.py", "import time\n", "import time  # mine\n")
    (root / "crawl/runner/engine.py").chmod(0o600)
    return root


def in_child(act: Callable[[], object], spoil: Callable[[int], None] | None = None) -> bool:
    """Run `act` in a forked child, `spoil` in the parent meanwhile; tell whether it was killed."""
    child = os.fork()
    if not child:
        try:
            act()
        finally:
            os._exit(0)
    if spoil:
        spoil(child)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def killing(number: int) -> mock._patch[object]:
    """Kill this process at the `number`-th step that reaches the disk, before it is done."""
    writes_left = iter(range(number))

    def counted(original: Callable[..., object]) -> Callable[..., object]:
        def step(*args: object, **options: object) -> object:
            if next(writes_left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*args, **options)

        return step

    steps = {name: counted(getattr(Path, name)) for name in ("open", "replace", "unlink", "chmod")}
    return mock.patch.multiple(Path, **steps)


def debris(root: Path) -> list[str]:
    """Return what a killed run left outside its own directory."""
    return [str(path) for path in root.rglob(".*.concgen")]


def check_whole(root: Path, old: dict[str, bytes], new: dict[str, bytes]) -> None:
    """The project is as before or as after, at once or by `undo`; and undo leaves no debris."""
    cut_short = undo_log.unfinished(root)
    files = snapshot(root)
    if cut_short:
        undo(root)
        assert snapshot(root) == old
        assert (root / "crawl/runner/engine.py").stat().st_mode & 0o777 == 0o600
    else:
        assert files in (old, new)
    assert not debris(root)


def test_a_kill_at_every_step_leaves_a_whole_project(tmp_path: Path) -> None:
    """Each write, rename and deletion of applying in turn; undo is killed at each step as well."""
    before = project(tmp_path / "before")
    old = snapshot(before)
    shutil.copytree(before, tmp_path / "after")
    switch.prepare(tmp_path / "after", Model.HYBRID).carry_out()
    new = snapshot(tmp_path / "after")

    killed, number = True, 0
    while killed:
        root = shutil.copytree(before, tmp_path / f"apply-{number}")
        prepared = switch.prepare(root, Model.HYBRID)

        def apply_it(number: int = number, prepared: switch.Prepared = prepared) -> None:
            with killing(number):
                prepared.carry_out()

        killed = in_child(apply_it)
        check_whole(root, old, new)
        number += 1
    assert number > len(prepared.plan.writes)

    killed, number = True, 0
    while killed:
        root = shutil.copytree(tmp_path / "after", tmp_path / f"undo-{number}")

        def undo_it(number: int = number, root: Path = root) -> None:
            with killing(number):
                undo(root)

        killed = in_child(undo_it)
        try:
            undo(root)
        except UsageError:
            assert not undo_log.unfinished(root)
        assert snapshot(root) == old
        assert not debris(root)
        number += 1


def test_a_kill_at_any_moment_leaves_a_whole_project(tmp_path: Path) -> None:
    """From outside, at random times within what applying takes."""
    before = project(tmp_path / "before")
    old = snapshot(before)
    shutil.copytree(before, tmp_path / "after")
    prepared = switch.prepare(tmp_path / "after", Model.HYBRID)
    begun = time.monotonic()
    prepared.carry_out()
    usual = time.monotonic() - begun
    new = snapshot(tmp_path / "after")

    def later(child: int) -> None:
        time.sleep(random.uniform(0, 1.5) * usual)
        os.kill(child, signal.SIGKILL)

    for number in range(KILLS):
        root = shutil.copytree(before, tmp_path / str(number))
        in_child(switch.prepare(root, Model.HYBRID).carry_out, later)
        check_whole(root, old, new)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_while_writing_waits_until_all_is_written(
    tmp_path: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing takes milliseconds: it is finished, and then said to be."""
    root = project(tmp_path / "crawl")
    prepared = switch.prepare(root, Model.HYBRID)
    put = apply._put

    def interrupted(*args: object) -> None:
        os.kill(os.getpid(), number)
        put(*args)

    monkeypatch.setattr(apply, "_put", interrupted)
    with pytest.raises(Interrupted, match="complete"):
        prepared.carry_out()
    assert undo_log.last(root) is not None
    monkeypatch.undo()
    undo(root)


def test_an_interruption_while_planning_writes_nothing(
    crawl: Path, concgen: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("scaffold.changing.git.merge", interrupted)
    edit(crawl / "README.md", "# crawl", "# Mine")
    before = snapshot(crawl)
    result = concgen("switch", "threading")
    assert result.code == 130
    assert "Traceback" not in result.err
    assert snapshot(crawl) == before
