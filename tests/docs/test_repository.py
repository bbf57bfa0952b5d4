"""What stands beside the code: one version, a changelog in the usual form, valid forms."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest
import yaml

from scaffold.making import inventory

HERE = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}  # of Keep a Changelog
SCHEMAS = {
    "github-workflows": ".github/workflows/*.yml",
    "github-issue-config": ".github/ISSUE_TEMPLATE/config.yml",
    "github-issue-forms": ".github/ISSUE_TEMPLATE/[!c]*.yml",
    "dependabot": ".github/dependabot.yml",
    "citation-file-format": "CITATION.cff",
}


def changelog() -> tuple[str, list[tuple[str, str]], list[str]]:
    """Return the first heading, each release with its day, and the names of the sections."""
    text = (HERE / "CHANGELOG.md").read_text(encoding="utf-8")
    first, *releases = re.findall(r"(?m)^## (.+)$", text)
    dated = [
        re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)", release) for release in releases
    ]
    assert all(dated), releases
    return (
        first,
        [heading.groups() for heading in dated if heading],
        re.findall(r"(?m)^### (.+)$", text),
    )


def test_the_version_is_one_and_the_same_everywhere() -> None:
    """The sources, the installed package, the citation, and the newest release of the changelog."""
    citation = yaml.safe_load((HERE / "CITATION.cff").read_text(encoding="utf-8"))
    newest = [version for version, _ in changelog()[1][:1]]
    assert {PROJECT["version"], inventory.version(), citation["version"], *newest} == {
        PROJECT["version"]
    }


def test_the_changelog_has_the_usual_form() -> None:
    """What is not released stands first, then the releases, the newest before the older."""
    first, releases, sections = changelog()
    order = [(date.fromisoformat(day), tuple(map(int, v.split(".")))) for v, day in releases]
    assert first == "[Unreleased]"
    assert order == sorted(order, reverse=True)
    assert set(sections) <= KINDS


@pytest.mark.parametrize("schema", SCHEMAS)
def test_what_others_read_is_valid(schema: str) -> None:
    """By the schema of its reader, which the checker brings with it."""
    pytest.importorskip("check_jsonschema")
    command = ["-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    files = sorted(HERE.glob(SCHEMAS[schema]))
    assert files
    done = subprocess.run(
        [sys.executable, *command, *files], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_action_is_pinned_by_its_commit() -> None:
    """A tag can be moved to other code; the comment says which release it is."""
    text = "".join(path.read_text("utf-8") for path in HERE.glob(".github/workflows/*.yml"))
    used = re.findall(r"uses: ([^.\s]\S+)(.*)", text)
    assert used
    for action, comment in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action


def test_the_workflows_try_what_the_package_promises() -> None:
    """Every Python that a classifier names, on every platform that one names."""
    jobs = yaml.safe_load((HERE / ".github/workflows/tests.yml").read_text(encoding="utf-8"))[
        "jobs"
    ]
    matrix = jobs["tests"]["strategy"]["matrix"]
    named = "\n".join(PROJECT["classifiers"])
    assert re.findall(r"Python :: (3\.\d+)$", named, re.MULTILINE) == matrix["python"]
    platforms = {"ubuntu": "Linux", "macos": "MacOS", "windows": "Windows"}
    assert {platforms[os] for os in matrix["os"]} == set(
        re.findall(r"Operating System :: (?:\S+ :: )?(\S+)$", named, re.MULTILINE)
    )


def test_a_release_says_what_it_brings(tmp_path: Path) -> None:
    """The command refuses a version that the files do not state."""
    script = [sys.executable, str(HERE / ".ci/release.py")]
    done = subprocess.run(
        [*script, "--check", "9.9.9"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        1,
        f"release: pyproject.toml says {PROJECT['version']}, not 9.9.9\n",
    )
