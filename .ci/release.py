"""Release a version: `python .ci/release.py 0.2.0` sets it, builds, commits, tags and pushes.

With `--dry-run` all of it happens in a clone that is thrown away, and nothing is pushed. The tag
starts `.github/workflows/release.yml`, which runs every test, publishes, and attests. `--check` and
`--notes` are what that asks for.
"""

from __future__ import annotations

import argparse
import datetime
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
UNRELEASED = "## [Unreleased]"


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", nargs="?", help="such as 0.2.0")
    parser.add_argument("--dry-run", action="store_true", help="in a clone; push nothing")
    parser.add_argument("--check", action="store_true", help="is VERSION what the sources say?")
    parser.add_argument("--notes", action="store_true", help="print what the changelog says of it")
    wanted = parser.parse_args()
    if wanted.notes:
        print(notes(HERE))
    elif not wanted.version or not re.fullmatch(r"\d+\.\d+\.\d+", wanted.version):
        sys.exit("release: give the version, as three numbers: 0.2.0")
    elif wanted.check:
        check(HERE, wanted.version)
    elif wanted.dry_run:
        with tempfile.TemporaryDirectory() as scratch:
            subprocess.run(["git", "clone", "-q", HERE, scratch], check=True)
            prepare(Path(scratch), wanted.version)
            print(f"--- notes\n{notes(Path(scratch))}\n--- nothing was pushed")
    else:
        ready(HERE)
        prepare(HERE, wanted.version)
        git(HERE, "push", "--atomic", "origin", "HEAD", f"v{wanted.version}")


def ready(here: Path) -> None:
    """Refuse where something is not committed, or not on main, or strangers would find no way back.

    The address belongs in the package, because PyPI shows it and only verifies one that is there.
    """
    if git(here, "status", "--porcelain"):
        sys.exit("release: commit or stash what you changed first")
    if git(here, "branch", "--show-current") != "main":
        sys.exit("release: releases are made on main")
    if "urls" not in metadata(here):
        sys.exit("release: pyproject.toml has no [project.urls]: add the repository's address")


def prepare(here: Path, version: str) -> None:
    """Set the version and its day, build, commit and tag."""
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    heading = f"{UNRELEASED}\n\n## [{version}] - {today}"
    replace(here / "CHANGELOG.md", re.escape(UNRELEASED), heading)
    replace(here / "pyproject.toml", r'^version = ".*"', f'version = "{version}"')
    replace(
        here / "CITATION.cff",
        r"^version: .*(\ndate-released: .*)?",
        f"version: {version}\ndate-released: {today}",
    )
    check(here, version)
    with tempfile.TemporaryDirectory() as built:
        subprocess.run([sys.executable, "-m", "build", "--outdir", built, here], check=True)
        distributions = sorted(Path(built).iterdir())
        subprocess.run(
            [sys.executable, "-m", "twine", "check", "--strict", *distributions], check=True
        )
    git(here, "commit", "--quiet", "--all", "--message", f"Release {version}")
    git(here, "tag", "--annotate", f"v{version}", "--message", f"concgen {version}")


def check(here: Path, version: str) -> None:
    """Refuse when a file states another version, or the changelog tells nothing of this one."""
    stated = {
        "pyproject.toml": metadata(here)["version"],
        "CITATION.cff": first(here / "CITATION.cff", r"^version: (.+)$"),
        "CHANGELOG.md": first(here / "CHANGELOG.md", r"^## \[(\d.*)\] - \d{4}-\d\d-\d\d$"),
    }
    for name, found in stated.items():
        if found != version:
            sys.exit(f"release: {name} says {found}, not {version}")
    if not notes(here):
        sys.exit(f"release: CHANGELOG.md says nothing of {version}")


def notes(here: Path) -> str:
    """Return what the changelog says of the newest release."""
    return first(here / "CHANGELOG.md", r"(?s)^## \[\d[^\n]*\n(.*?)(?=^## |\Z)").strip()


def metadata(here: Path) -> dict[str, str]:
    """Return `[project]`."""
    project: dict[str, str] = tomllib.loads((here / "pyproject.toml").read_text("utf-8"))["project"]
    return project


def first(path: Path, pattern: str) -> str:
    """Return what the pattern's group matches first, or nothing."""
    found = re.search(pattern, path.read_text("utf-8"), re.MULTILINE)
    return found[1] if found else ""


def replace(path: Path, pattern: str, text: str) -> None:
    """Replace the one place that the pattern matches."""
    changed, count = re.subn(pattern, text, path.read_text("utf-8"), flags=re.MULTILINE)
    if count != 1:
        sys.exit(f"release: {path.name} has {count} places like {pattern}, not one")
    path.write_text(changed, encoding="utf-8", newline="\n")


def git(here: Path, *arguments: str) -> str:
    """Run git there, and return what it prints."""
    done = subprocess.run(
        ["git", "-C", here, *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout.strip()


if __name__ == "__main__":
    main()
