"""Keep projects as this version of concgen makes them, for the updates of later versions.

    python tests/life/released/make.py

To be run once for each release. It writes VERSION/MODEL.zip beside this file; tests/life/
test_update.py updates every project that is there.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from scaffold.making.inventory import version

# The models and the work that each is for.
WORK = {
    "threading": ["io", "--tasks", "200"],
    "asyncio": ["io", "--tasks", "20k", "--async-client"],
    "multiprocessing": ["cpu", "--tasks", "5k"],
    "hybrid": ["mixed", "--tasks", "5k", "--max-in-flight", "20"],
}


def main() -> None:
    """Make and pack one project for each model."""
    folder = Path(__file__).parent / version()
    folder.mkdir(exist_ok=True)
    for model, options in WORK.items():
        with tempfile.TemporaryDirectory() as scratch:
            command = [sys.executable, "-m", "scaffold", "new", "crawl", "--workload", *options]
            made_by = [*command, "--task-time", "200ms", "--model", model, "--yes"]
            subprocess.run(made_by, cwd=scratch, check=True, stdout=subprocess.DEVNULL)
            pack(Path(scratch) / "crawl", folder / f"{model}.zip")


def pack(project: Path, path: Path) -> None:
    """Pack the files of `project`, the same bytes for the same files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(project.rglob("*")):
            if file.is_file():
                name = zipfile.ZipInfo(file.relative_to(project).as_posix())
                archive.writestr(name, file.read_bytes(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main()
