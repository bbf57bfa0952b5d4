"""What a generated project checks before it runs anything."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from .assembly import Project

WORK = "def work(item):\n    return item\n"
SOFT, HARD = 100, 200  # open files: what the project may have, and may ask for


def run(
    project: Project, *options: str, soft: int = SOFT, hard: int = HARD
) -> subprocess.CompletedProcess[str]:
    """`python -m pkg run` with few open files."""
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))"
    code = f"{limit}; from pkg.__main__ import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "run", *options],
        cwd=project.root, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("model", ["threading", "asyncio"])
def test_too_many_tasks_for_the_open_files_are_refused(tmp_path: Path, model: str) -> None:
    """More sockets than the hard limit allows: one line with both figures and the way out."""
    project = Project.make(model, tmp_path, WORK, "1\n2\n")
    done = run(project, "--max-workers", "500")
    assert done.returncode == 2
    assert "500 tasks in flight need 564 open files in a process, which may have 200" in done.stderr
    assert "--max-workers 136" in done.stderr
    assert run(project, "--max-workers", "136").returncode == 0


def test_a_limit_that_is_too_low_for_one_task_is_not_met_by_fewer(tmp_path: Path) -> None:
    """The hint is what helps."""
    project = Project.make("threading", tmp_path, WORK, "1\n")
    done = run(project, "--max-workers", "1", soft=64, hard=64)
    assert done.returncode == 2
    assert "--max-workers" not in done.stderr
    assert "raise the limit (ulimit -Hn 65)" in done.stderr


def test_the_soft_limit_is_raised(tmp_path: Path) -> None:
    """What the hard limit allows needs no `ulimit`."""
    work = "import resource\n\ndef work(item):\n    return resource.getrlimit(7)[0]\n"
    project = Project.make("threading", tmp_path, work.replace("7", str(resource.RLIMIT_NOFILE)))
    (tmp_path / "items.jsonl").write_text("1\n")
    assert run(project, "--max-workers", "120").returncode == 0
    assert '"value": 184' in (tmp_path / "results.jsonl").read_text()


def test_work_may_say_that_it_opens_nothing(tmp_path: Path) -> None:
    """OPEN_FILES in work.py is what one task has open at once."""
    project = Project.make("asyncio", tmp_path, f"OPEN_FILES = 0\n\n\n{WORK}", "1\n")
    assert run(project, "--max-workers", "5000").returncode == 0


def test_a_missing_dependency_is_named(tmp_path: Path) -> None:
    """A work.py whose library is not installed is a line that says how to install it."""
    project = Project.make("threading", tmp_path, f"import no_such_client\n\n\n{WORK}", "1\n")
    done = project.run("run")
    assert done.returncode == 2
    assert done.stderr.strip() == (
        "pkg: error: work.py needs the module no_such_client, which is not installed:"
        " pip install -e ."
    )
