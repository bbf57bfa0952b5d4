"""The public names: what `from scaffold import ...` gives, and that it starts nothing early."""

import json
import subprocess
import sys

import pytest
from running import call

import scaffold
from scaffold import Bound, Model, Source, Workload, inspect_machine, recommend
from scaffold.measuring import calibration

# As a user of the package writes it, with every public type in an annotation.
SNIPPET = """
from scaffold import (
    Bound, Estimate, Finding, Flip, Machine, Model, Recommendation, Settings, Source, Verdict,
    Workload, inspect_machine, recommend,
)

here: Machine = inspect_machine()
larger: Machine = here._replace(cores=64.0, gil=True)
work: Workload = Workload(Bound.CPU, tasks=20_000, task_seconds=0.1)
advice: Recommendation = recommend(work, larger, models=[Model.THREADING, Model.MULTIPROCESSING])
settings: Settings = advice.settings
workers: int = settings.max_workers
estimate: Estimate | None = advice.estimate(Model.THREADING)
fastest: Estimate = advice.estimates[0]
findings: tuple[Finding, ...] = advice.findings
against: list[str] = [finding.reason for finding in findings if finding.verdict is Verdict.AVOID]
flips: tuple[Flip, ...] = advice.flips
source: Source = work.source("tasks")
print(advice.model, workers, fastest.seconds, against, flips, source)
"""


@pytest.fixture(autouse=True)
def no_calibration(monkeypatch, tmp_path):
    """Typical costs, whatever was measured on this machine."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_every_public_name_is_there_and_listed():
    for name in scaffold.__all__:
        assert getattr(scaffold, name).__name__ in (name, "inspect")
        assert name in dir(scaffold)
    with pytest.raises(AttributeError, match="no attribute 'advise'"):
        scaffold.advise  # noqa: B018


def test_importing_the_package_imports_nothing_of_it():
    """The command line starts fast, and the names come when they are used."""
    code = (
        "import sys, scaffold; before = {n for n in sys.modules if n.startswith('scaffold.')};"
        "scaffold.recommend; print(sorted(before), 'scaffold.core.advice' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "True"]


def test_this_machine_is_the_default(monkeypatch):
    own_machine = inspect_machine()  # what is left of the memory changes all the time
    monkeypatch.setattr(
        "scaffold.measuring.machine.memory_left", lambda: own_machine.memory_left_bytes
    )
    work = Workload(tasks=20_000, task_seconds=0.2)
    assert recommend(work) == recommend(work, own_machine)
    assert recommend(work).machine == own_machine


def test_another_machine_is_another_advice():
    work = Workload(Bound.CPU, tasks=5_000, task_seconds=0.05)
    one_core = inspect_machine()._replace(cores=1.0, gil=True)
    assert recommend(work, one_core).model is Model.SEQUENTIAL
    assert recommend(work, one_core._replace(cores=8.0)).model is Model.MULTIPROCESSING


def test_only_the_models_asked_for_and_sequential():
    work = Workload(tasks=20_000, task_seconds=0.2)
    advice = recommend(work, models=[Model.THREADING])
    assert {estimate.model for estimate in advice.estimates} == {Model.SEQUENTIAL, Model.THREADING}
    assert recommend(work, models=[]).model is Model.SEQUENTIAL


@pytest.mark.parametrize(("bound", "share"), [("io", 0.0), ("cpu", 1.0), (Bound.MIXED, 0.5)])
def test_what_a_task_mostly_does_says_how_much_it_computes(bound, share):
    """Unless the share is given; and the kind may come as text, from a file say."""
    work = Workload(bound)
    assert work.cpu_fraction == share
    assert work.bound is Bound(bound)
    assert Workload(bound, cpu_fraction=0.25).cpu_fraction == 0.25


def test_an_impossible_kind_or_share_is_a_value_error():
    with pytest.raises(ValueError, match="'gpu' is not a valid Bound"):
        Workload("gpu")
    with pytest.raises(ValueError, match="cpu_fraction must be finite and 0 or more, not nan"):
        Workload(cpu_fraction=float("nan"))


@pytest.mark.usefixtures("with_gil")
def test_the_same_advice_as_the_command_line(concgen):
    command = ["recommend", "--workload", "mixed", "--tasks", "5k", "--task-time", "20ms", "--yes"]
    document = concgen(*command, "--json").json
    asked = dict.fromkeys(("bound", "tasks", "task_seconds"), Source.ASKED)
    advice = recommend(Workload(Bound.MIXED, tasks=5_000, task_seconds=0.02, sources=asked))
    assert document["model"] == advice.model
    assert document["settings"] == advice.settings._asdict()
    assert document["estimates"] == json.loads(json.dumps([e._asdict() for e in advice.estimates]))
    assert document["notes"] == list(advice.notes)
    assert advice.notes[-1] == calibration.DEFAULT.note


def test_a_users_program_is_typed_and_runs(tmp_path):
    """`mypy --strict` finds nothing in a program that uses every public name."""
    program = tmp_path / "program.py"
    program.write_text(SNIPPET)
    checked = call(tmp_path, "mypy", "--strict", program.name)
    assert checked.returncode == 0, checked.stdout
    ran = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("multiprocessing ")
