"""`concgen switch` against Copier's own update, for the same change of the same template.

    python benchmarks/switch.py [ROUNDS]

Both change the model of a project with edits in two files, from asyncio to threading, ROUNDS times
(default 9, after one to warm up), in turn. Copier's project is in git, as `run_update` demands, and
so is its template. Printed are medians and their ratio, of whole processes and of the call alone.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from common import as_installed, read_count

from scaffold.commands import switch
from scaffold.commands.undo import undo
from scaffold.core.domain import Model
from scaffold.making import inventory, project

TARGET = 0.5  # of Copier's time at most
ANSWERS = {"name": "crawl", "package": "crawl", "bound": "io", "async_client": True}
SCRIPTS = Path(sysconfig.get_path("scripts"))
IDENTITY = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]

Action = Callable[[], object]


def main() -> None:
    """Measure and print the table."""
    rounds = read_count(__doc__, "rounds", 9)
    as_installed()
    with tempfile.TemporaryDirectory() as scratch:
        own_root, copier_root = concgens(Path(scratch) / "ours"), copiers(Path(scratch))
        command = [str(SCRIPTS / "concgen"), "switch", "threading", "--project", str(own_root)]
        rival = [str(SCRIPTS / "copier"), "update", "--quiet", "--defaults", "--data"]
        rival += ["model=threading", "--vcs-ref", ":current:", str(copier_root)]

        def take_back() -> None:
            undo(own_root)

        def start_over() -> None:
            git(copier_root, "reset", "--quiet", "--hard")
            git(copier_root, "clean", "--quiet", "--force")

        cases: dict[str, tuple[tuple[Action, Action], tuple[Action, Action]]] = {
            "a command": (
                (lambda: run(command), take_back),
                (lambda: run(rival), start_over),
            ),
            "the call alone": (
                (lambda: switch.prepare(own_root, Model.THREADING).carry_out(), take_back),
                (lambda: update(copier_root), start_over),
            ),
        }
        print(f"{rounds} rounds, Python {sys.version.split()[0]}; medians")
        for case, sides in cases.items():
            own, copier_seconds = measure(sides, rounds)
            print(
                f"{case:15} copier update {copier_seconds * 1e3:5.0f} ms"
                f"   concgen switch {own * 1e3:5.0f} ms"
                f"   ratio {own / copier_seconds:.2f} (target {TARGET})"
            )


def measure(sides: tuple[tuple[Action, Action], ...], rounds: int) -> list[float]:
    """Return the median seconds of each action, in turn in every round, reset after each."""
    seconds: list[list[float]] = [[] for _ in sides]
    for number in range(rounds + 1):
        for times, (act, reset) in zip(seconds, sides, strict=True):
            begun = time.perf_counter()
            act()
            if number:  # the first round warms the caches
                times.append(time.perf_counter() - begun)
            reset()
    return [statistics.median(times) for times in seconds]


def concgens(root: Path) -> Path:
    """Make a project of ours, edited, in git."""
    project.create(root, {**ANSWERS, "model": "asyncio", "concgen_version": "0.0.1"})
    return commit(edited(root))


def copiers(scratch: Path) -> Path:
    """Make a project of Copier's from the same templates, edited, both in git."""
    from copier import run_copy

    template = shutil.copytree(inventory.templates_dir(), scratch / "template")
    answers_file = template / "project" / "{{ _copier_conf.answers_file }}.jinja"
    answers_file.write_text("{{ _copier_answers | to_nice_yaml }}", encoding="utf-8")
    git(commit(template), "tag", "v1.0.0")
    root = scratch / "theirs"
    answers = {**ANSWERS, "model": "asyncio"}
    run_copy(f"git+file://{template}", root, data=answers, defaults=True, quiet=True)
    return commit(edited(root))


def edited(root: Path) -> Path:
    """Edit two files that both models have, in a place where they differ elsewhere."""
    settings, readme = root / "crawl/settings.py", root / "README.md"
    settings.write_text(settings.read_text().replace("RETRIES: int = 0", "RETRIES: int = 3"))
    readme.write_text(readme.read_text() + "\nOur own notes.\n")
    return root


def update(root: Path) -> None:
    """Let Copier change the model."""
    from copier import VcsRef, run_update

    run_update(
        root,
        data={"model": "threading"},
        vcs_ref=VcsRef.CURRENT,
        defaults=True,
        overwrite=True,
        quiet=True,
    )


def commit(root: Path) -> Path:
    """Put a directory under version control, all of it."""
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, *IDENTITY, "commit", "--quiet", "--message", "start")
    return root


def git(root: Path, *words: str) -> None:
    """Run git in a directory."""
    run(["git", "-C", str(root), *words])


def run(command: list[str]) -> None:
    """Run a command that has to succeed, and hide what it prints."""
    subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    main()
