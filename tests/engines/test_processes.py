"""What can go wrong between processes, and what it costs: one task, by name."""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from typing import Any

import pytest

from .assembly import PROCESS_MODELS
from .conftest import Model

OTHERS = [f"item {n}" for n in range(40)]


@pytest.fixture(params=PROCESS_MODELS)
def model(request: pytest.FixtureRequest, models: dict[str, Model]) -> Model:
    """Each model that uses processes."""
    return models.get(request.param) or request.getfixturevalue(request.param)


# A cluster too: for what can go wrong on the way to another process and back.
everywhere = pytest.mark.parametrize("model", [*PROCESS_MODELS, "cluster"], indirect=True)


def errors(model: Model, kind: str, *culprits: Any, **options: Any) -> list[str]:
    """The errors of these items among many others; fails unless all others are well."""
    items = OTHERS[:20] + list(culprits) + OTHERS[20:]
    outcomes = model.run(model.job("misbehave", kind), items, **options)
    assert [o.id for o in outcomes] == list(range(len(items)))
    bad = [o for o in outcomes if o.error]
    assert [o.id for o in bad] == list(range(20, 20 + len(culprits)))
    return [o.error for o in bad]


class Page:
    """An item of 100 KB that counts how often it is pickled; the worker gets bytes."""

    pickled = 0

    def __reduce__(self) -> tuple[type[bytes], tuple[bytes]]:
        Page.pickled += 1
        return bytes, (b"x" * 100_000,)


def test_a_large_item_is_pickled_once(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not go ahead of its turn, as a busy worker may not read it; the first may try."""
    monkeypatch.setattr(Page, "pickled", 0)
    outcomes = model.run(model.job("misbehave"), [Page() for _ in range(60)], max_workers=2)
    assert all(outcome.ok for outcome in outcomes)
    assert 60 <= Page.pickled <= 60 + 2


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_every_start_method(model: Model, method: str) -> None:
    """The engine works however its processes start."""
    outcomes = model.run(model.job("square"), range(50), start_method=method)
    assert [o.value for o in outcomes] == [n * n for n in range(50)]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_file_that_another_thread_reads_does_not_keep_a_forked_worker(
    model: Model, capfd: pytest.CaptureFixture[str]
) -> None:
    """In the fork nobody gives its lock back, and a worker that ends closes what is open."""
    there, here = os.pipe()
    with open(there, "rb") as reader:  # noqa: PTH123
        thread = threading.Thread(target=reader.read)
        thread.start()
        os.write(here, b"x")
        while select.select([there], [], [], 0)[0]:  # till the thread has it, and waits for more
            time.sleep(0.01)
        model.run(model.job("square"), range(5), start_method="fork")
        os.close(here)
        thread.join()
    assert "left behind" not in capfd.readouterr().err


def test_a_dead_worker_costs_one_task(model: Model, kind: str) -> None:
    """Whoever dies is found among all that were under way, and the others are run again."""
    first, second = errors(model, kind, "_exit", "kill", max_workers=8)
    assert first == "worker died: exit code 7"
    assert second.startswith("worker died: SIGKILL")


@pytest.mark.skipif(sys.platform == "win32", reason="no limit there")
def test_a_worker_without_files_loses_no_task(model: Model, kind: str) -> None:
    """Its error is told, though not even the module that prints tracebacks can be read any more."""
    (error,) = errors(model, kind, "leak")
    assert error.startswith("OSError: [Errno 24]")


def test_a_dead_worker_is_retried(model: Model, kind: str) -> None:
    """A death counts as a failed attempt like any other."""
    retry = model.task.Retry(times=1, base=0.01)
    outcomes = model.run(model.job("misbehave", kind), ["a", "_exit", "b"], retry=retry)
    assert [(o.error is None, o.attempts) for o in outcomes] == [(True, 1), (False, 2), (True, 1)]


@everywhere
def test_an_exception_that_cannot_be_unpickled(model: Model, kind: str) -> None:
    """Exceptions cross as text."""
    assert errors(model, kind, "raise") == ["Stubborn: 1"]


@everywhere
def test_results_that_cannot_cross(model: Model, kind: str) -> None:
    """A result that cannot be pickled, or not be unpickled, is the error of its task."""
    unpicklable, unloadable = errors(model, kind, "return lambda", "return stubborn")
    assert unpicklable.startswith("result cannot be pickled: ")
    assert unloadable.startswith("result cannot be unpickled: TypeError: Stubborn")


@everywhere
def test_items_that_cannot_cross(model: Model, kind: str) -> None:
    """An item that cannot be pickled, or not be unpickled, is the error of its task."""
    unpicklable, unloadable = errors(model, kind, lambda: None, model.works.NeedsHome(os.getpid()))
    assert unpicklable.startswith("item cannot be pickled: ")
    assert unloadable == "item cannot be unpickled: ImportError: far from home"


def test_an_item_that_kills_whoever_unpickles_it(model: Model, kind: str) -> None:
    """Even that is found, and costs one task."""
    assert errors(model, kind, model.works.Poison()) == ["worker died: exit code 9"]


@everywhere
def test_work_that_no_process_can_import(model: Model) -> None:
    """A lambda cannot go to another process, and that is said before any starts."""
    job = model.job("square")
    job.work = lambda item: item
    with pytest.raises(model.task.EngineError, match="top level of a module"):
        model.run(job, range(3))


def test_workers_that_die_as_they_start(model: Model) -> None:
    """The run ends with the reason, instead of starting workers for ever."""
    job = model.job("square", "async")
    job.setup = os.abort
    with pytest.raises(model.task.EngineError, match="workers die as they start: .*SIGABRT"):
        model.run(job, range(10))


def test_numeric_libraries_get_their_share_of_the_cores(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thread limits are set for workers, but not for the parent, and not over the user's own."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "7")
    names = ["OMP_NUM_THREADS", "MKL_NUM_THREADS"]
    outcomes = model.run(model.job("environment"), names, max_workers=64, start_method="spawn")
    assert [o.value for o in outcomes] == ["1", "7"]
    assert "OMP_NUM_THREADS" not in os.environ


def test_one_task_starts_one_process(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are started as tasks come."""
    import multiprocessing.process

    started = []
    start = multiprocessing.process.BaseProcess.start
    monkeypatch.setattr(
        multiprocessing.process.BaseProcess,
        "start",
        lambda self: (started.append(self), start(self)),
    )
    model.run(model.job("square"), [1], max_workers=8, start_method="spawn")
    assert len(started) == 1
