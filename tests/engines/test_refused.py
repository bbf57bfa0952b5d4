"""What the system refuses costs workers; attempts are alike; errors tell their cause."""

from __future__ import annotations

import errno
import multiprocessing.process
import threading
from typing import Any

import pytest

from .assembly import HERE, PROCESS_MODELS
from .conftest import Model


@pytest.fixture(params=HERE)
def model(request: pytest.FixtureRequest, models: dict[str, Model]) -> Model:
    """Each model that runs on this machine."""
    return models[request.param]


@pytest.fixture
def few_threads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """No thread can be had when the list is empty; each takes one of its entries."""
    refusals = [1, 2]
    start = threading.Thread.start

    def start_or_fail(thread: threading.Thread) -> None:
        if not refusals:
            raise RuntimeError("can't start new thread")
        refusals.pop()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_or_fail)
    return refusals


@pytest.mark.parametrize("name", ["threading", "asyncio"])
def test_threads_that_cannot_be_had_cost_no_task(
    models: dict[str, Model], name: str, few_threads: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    """Those that started do the work, and it is said once."""
    model = models[name]
    outcomes = model.run(model.job("slow"), range(30), max_workers=8)
    assert [outcome.value for outcome in outcomes] == list(range(30))
    assert "no thread can be started" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["threading", "asyncio"])
def test_without_any_thread_the_run_ends(
    models: dict[str, Model], name: str, few_threads: list[int]
) -> None:
    """And no task that never ran has failed."""
    few_threads.clear()
    model = models[name]
    with pytest.raises(model.task.EngineError, match="no thread can be started"):
        model.run(model.job("slow"), range(30), max_workers=8)


@pytest.mark.parametrize("name", PROCESS_MODELS)
@pytest.mark.parametrize("first", [1, 0])
def test_processes_that_cannot_be_had_cost_no_task(
    models: dict[str, Model],
    name: str,
    first: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One that started does the work; without any the run ends."""
    refusals = [1] * first
    start = multiprocessing.process.BaseProcess.start

    def start_or_fail(process: multiprocessing.process.BaseProcess) -> None:
        if not refusals:
            raise OSError(errno.EAGAIN, "Resource temporarily unavailable")
        refusals.pop()
        start(process)

    monkeypatch.setattr(multiprocessing.process.BaseProcess, "start", start_or_fail)
    model = models[name]
    job = model.job("slow")
    if not first:
        with pytest.raises(model.task.EngineError, match="no process can be started"):
            model.run(job, range(30), max_workers=2)
        return
    outcomes = model.run(job, range(30), max_workers=2)
    assert [outcome.value for outcome in outcomes] == list(range(30))


def test_every_attempt_gets_the_item_as_it_was_read(model: Model, kind: str) -> None:
    """Whatever the first did to it; where workers share memory too."""
    retry = model.task.Retry(times=2, base=0.001)
    [outcome] = model.run(model.job("take_apart", kind), [{"name": "a", "seen": []}], retry=retry)
    assert (outcome.error, outcome.value) == (None, ["a", 0]), outcome.error
    assert outcome.attempts == 2


def test_without_retries_work_gets_the_item_itself(models: dict[str, Model]) -> None:
    """Nothing is copied that nobody needs."""
    model = models["threading"]
    item: list[int] = []
    model.run(model.job("same"), [item])
    assert item == [1]


def caused() -> Exception:
    """An exception that was raised from another."""
    try:
        try:
            raise ConnectionError("token refused")
        except OSError as exc:
            raise RuntimeError("not sent") from exc
    except RuntimeError as exc:
        return exc


def noted() -> Exception:
    """An exception with a note."""
    exc = ValueError("bad row")
    exc.add_note("in line 3")
    return exc


def circular() -> Exception:
    """An exception that is its own cause, in the end."""
    first, second = ValueError("one"), ValueError("two")
    first.__cause__, second.__cause__ = second, first
    return first


class Mute(Exception):
    """It cannot be told."""

    def __str__(self) -> str:
        raise TypeError


@pytest.mark.parametrize(
    ("exc", "text"),
    [
        (caused(), "RuntimeError: not sent (from ConnectionError: token refused)"),
        (noted(), "ValueError: bad row (in line 3)"),
        (
            ExceptionGroup("two parts", [caused(), noted()]),
            "ExceptionGroup: two parts (2 sub-exceptions) (RuntimeError: not sent "
            "(from ConnectionError: token refused); ValueError: bad row (in line 3))",
        ),
        (Mute(), "Mute"),
    ],
)
def test_an_error_tells_its_cause(models: dict[str, Model], exc: Exception, text: str) -> None:
    """With the members of a group and the notes, in one line."""
    assert models["threading"].failures.describe(exc) == text


@pytest.mark.parametrize("exc", [circular(), ValueError("x" * 10_000_000)])
def test_an_error_has_an_end(models: dict[str, Model], exc: Exception) -> None:
    """However much an exception has to say."""
    assert len(models["threading"].failures.describe(exc)) <= 10_000


def test_a_retry_has_no_last_pause_that_overflows(models: dict[str, Model]) -> None:
    """Whatever the number of the attempt."""
    retry: Any = models["threading"].task.Retry(times=10_000)
    assert 0 <= retry.pause(5_000) <= retry.cap
