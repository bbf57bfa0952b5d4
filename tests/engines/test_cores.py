"""The native threads of numeric libraries share the cores with the other workers."""

import json
import os

import pytest

from .assembly import Project

WORK = """
import os

ALLOWED = os.environ.get("OMP_NUM_THREADS")  # as a library reads it, when it is imported


def work(item):
    return ALLOWED or os.environ.get("OMP_NUM_THREADS")  # a fork has the module from before
"""


@pytest.mark.parametrize(
    ("model", "allowed"), [("threading", "1"), ("multiprocessing", "1"), ("sequential", None)]
)
def test_native_threads_are_held_to_a_workers_share(tmp_path, monkeypatch, model, allowed):
    """Before the library is imported; where tasks run one by one they have all cores."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert ran(tmp_path, model) == allowed


@pytest.mark.parametrize("model", ["threading", "multiprocessing"])
def test_what_the_user_decided_stays(tmp_path, monkeypatch, model):
    """The environment says more than a share can."""
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert ran(tmp_path, model) == "3"


@pytest.mark.parametrize(("model", "allowed"), [("threading", None), ("multiprocessing", "1")])
def test_threads_share_the_native_pool_of_their_process(tmp_path, monkeypatch, model, allowed):
    """Held to one thread's part, it would serve all of them with that."""
    monkeypatch.delenv("POLARS_MAX_THREADS", raising=False)
    assert ran(tmp_path, model, WORK.replace("OMP_NUM_THREADS", "POLARS_MAX_THREADS")) == allowed


def ran(root, model, work=WORK):
    """Run one task with as many workers as there are cores, and return its value."""
    project = Project.make(model, root, work, "1\n")
    assert project.run("run", "--max-workers", str(os.cpu_count())).returncode == 0
    return json.loads((root / "results.jsonl").read_text())["value"]
