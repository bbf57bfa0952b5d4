"""The workflow for GitHub Actions: valid, modest, and the same checks as the README names."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scaffold.making import project

PATH = ".github/workflows/checks.yml"
NEEDS = {"dependencies": ["aiohttp>=3.10"]}


@pytest.fixture(
    params=[{}, {"concgen_version": "0.1.0", "ci_check": True}, NEEDS],
    ids=["alone", "made", "needs"],
)
def workflow(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The workflow of a project made by Copier alone, by concgen, and with a dependency."""
    project.create(tmp_path / "crawl", {"name": "crawl", **request.param})
    return tmp_path / "crawl" / PATH


def commands(workflow: Path) -> dict[str, list[str]]:
    """Return what each job runs."""
    jobs = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]
    return {name: [s["run"] for s in job["steps"] if "run" in s] for name, job in jobs.items()}


def test_it_is_valid(workflow: Path) -> None:
    """By the schema of GitHub's workflows, which the checker brings with it."""
    command = ["-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    done = subprocess.run(
        [sys.executable, *command, str(workflow)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_it_may_read_and_no_more(workflow: Path) -> None:
    """Every action has its major version, and no credentials are left in the checkout."""
    document = yaml.safe_load(workflow.read_text(encoding="utf-8"))
    assert document["permissions"] == {"contents": "read"}
    for job in document["jobs"].values():
        assert "permissions" not in job
        used = {step["uses"]: step["with"] for step in job["steps"] if "uses" in step}
        assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", name) for name in used)
        checkout = next(name for name in used if name.startswith("actions/checkout@"))
        assert used[checkout] == {"persist-credentials": False}


def test_it_runs_what_the_readme_says(workflow: Path) -> None:
    """One install line, which brings what the work needs too; then each check."""
    readme = (workflow.parents[2] / "README.md").read_text(encoding="utf-8")
    install, checks = re.findall(r"(?m)^    (.+)$", readme[readme.index("## Check") :])
    assert commands(workflow)["checks"] == [install, *checks.split(" && ")]
    assert PATH in readme


def test_the_oldest_python_is_the_one_that_the_project_asks_for(workflow: Path) -> None:
    matrix = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]["checks"]["strategy"]
    oldest, newest = matrix["matrix"]["python"]
    pyproject = (workflow.parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'requires-python = ">={oldest}"' in pyproject
    assert newest == "3.x"  # setup-python's name for the newest release


def test_only_a_project_of_concgen_asks_whether_the_decision_holds(workflow: Path) -> None:
    """Copier alone leaves no record that `concgen check` could read."""
    record = json.loads((workflow.parents[2] / ".concgen/answers.json").read_text("utf-8"))
    made_by = record["concgen"]
    expected = [f'pip install "concgen>={made_by}"', "concgen check"] if made_by else None
    assert commands(workflow).get("decision") == expected


def test_without_ci_there_is_no_trace_of_it(tmp_path: Path) -> None:
    files = project.create(tmp_path / "crawl", {"name": "crawl", "ci": False})
    assert not [name for name in files if ".github" in name]
    assert "GitHub" not in (tmp_path / "crawl" / "README.md").read_text(encoding="utf-8")
