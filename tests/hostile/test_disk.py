"""A disk that is full, read-only or gone: no half-made project, nothing of the user's harmed.

The disks are real where this process may mount one; else files may not grow, which is as good as
full, and the read-only case is left to the tests that make one call fail.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from life.conftest import make

from .conftest import check_sound

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")


def concgen(folder: Path, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-m", "scaffold", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


def mount(place: Path, options: str) -> bool:
    """Mount a small tmpfs; tell whether that is allowed here."""
    words = ["mount", "-t", "tmpfs", "-o", options, "concgen-test", str(place)]
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 96 KB: less than a project."""
    place = tmp_path / "disk"
    place.mkdir()
    if not mount(place, "size=96k"):
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def files(place: Path) -> set[str]:
    """Everything below a directory."""
    return {path.relative_to(place).as_posix() for path in place.rglob("*")}


@pytest.mark.parametrize("dest", ["crawl", "."])
def test_a_full_disk_gets_no_project(disk: Path, dest: str) -> None:
    """New destination or existing: exit 1, the reason, and all the space is free again."""
    free = shutil.disk_usage(disk).free
    done = concgen(disk, "new", dest, "--name", "crawl", "--workload", "io", "--yes")
    assert done.returncode == 1, done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert files(disk) == set()
    assert shutil.disk_usage(disk).free == free


def test_a_full_disk_gets_no_switch(tmp_path: Path, disk: Path) -> None:
    """The project is as it was, to the byte."""
    subprocess.run(["mount", "-o", "remount,size=800k", str(disk)], check=True)
    root = make(disk / "crawl")
    (root / "notes.bin").write_bytes(bytes(max(0, shutil.disk_usage(disk).free - 16_384)))
    before = {name: (root / name).read_bytes() for name in files(root) if (root / name).is_file()}
    done = concgen(root, "switch", "threading")
    assert done.returncode == 1, done.stderr
    assert "No space left on device" in done.stderr
    after = {name: (root / name).read_bytes() for name in files(root) if (root / name).is_file()}
    assert after == before


def test_a_file_that_may_not_grow_gets_no_project(tmp_path: Path) -> None:
    """Without a right to mount anything: a limit of 8 KB for each file."""
    import resource

    done = concgen(
        tmp_path, "new", "crawl", "--workload", "io", "--yes",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)),
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "File too large" in done.stderr
    assert files(tmp_path) == set()


def test_a_read_only_disk_is_named(disk: Path) -> None:
    """For `new` a usage error; a switch is refused or fails, and changes nothing."""
    subprocess.run(["mount", "-o", "remount,size=1m", str(disk)], check=True)
    root = make(disk / "crawl")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    before = files(disk)
    new = concgen(disk, "new", "other", "--workload", "io", "--yes")
    assert new.returncode == 2
    assert "Read-only file system" in new.stderr
    for words in (["switch", "threading"], ["undo"]):
        done = concgen(root, *words)
        assert done.returncode in (1, 2, 3)
        assert "Traceback" not in done.stderr
    assert concgen(root, "diff").returncode == 0
    assert files(disk) == before


def test_a_destination_that_is_removed_meanwhile(tmp_path: Path) -> None:
    """Its directory goes while the project is being rendered into it: an error, and no debris."""
    dest = tmp_path / "crawl"
    dest.mkdir()
    code = (
        "import shutil, sys; from scaffold import cli; from scaffold.making import project\n"
        "write = project.write_pristine\n"
        "def gone(into): write(into); shutil.rmtree(into.parent)\n"
        "project.write_pristine = gone\n"
        "sys.argv = ['concgen', 'new', 'crawl', '--workload', 'io', '--yes']\n"
        "sys.exit(cli.run())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "No such file or directory" in done.stderr
    assert "a fault of its own" not in done.stderr
    assert files(tmp_path) == set()


@pytest.mark.parametrize("existing", [False, True])
def test_a_kill_of_the_whole_command_leaves_all_or_nothing(tmp_path: Path, existing: bool) -> None:
    """SIGKILL at moments spread over the run, and again until it is done, of the same command."""
    words = [sys.executable, "-m", "scaffold", "new", "crawl", "--workload", "io", "--yes"]
    (tmp_path / "mine.txt").write_text("mine")
    for step in range(6):
        if existing:
            (tmp_path / "crawl").mkdir(exist_ok=True)
        child = subprocess.Popen(
            words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(0.1 + 0.12 * step)
        child.send_signal(signal.SIGKILL)
        child.wait()
        if (tmp_path / "crawl/pyproject.toml").exists():
            break
    else:
        assert concgen(tmp_path, "new", "crawl", "--workload", "io", "--yes").returncode == 0
    check_sound(tmp_path / "crawl")
    assert json.loads((tmp_path / "crawl/.concgen/answers.json").read_text())
    assert (tmp_path / "mine.txt").read_text() == "mine"
    leftovers = {path.name for path in tmp_path.iterdir()} - {"crawl", "mine.txt"}
    assert all(name.startswith(".crawl.concgen-") for name in leftovers)
