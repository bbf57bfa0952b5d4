"""What every engine promises, for `def work` and for `async def work`."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Model


def test_one_outcome_per_item(model: Model, kind: str) -> None:
    """Each item has exactly one outcome, with its position, itself and its value."""
    outcomes = model.run(model.job("square", kind), range(500))
    assert [(o.id, o.item, o.value, o.error) for o in outcomes] == [
        (n, n, n * n, None) for n in range(500)
    ]
    assert all(o.attempts == 1 and o.seconds >= 0 for o in outcomes)


def test_no_items(model: Model, kind: str) -> None:
    """An empty input ends at once, without outcomes."""
    assert model.run(model.job("square", kind), []) == []


def test_an_exception_costs_its_own_task_only(model: Model, kind: str) -> None:
    """The error names type and message; the other tasks go on."""
    outcomes = model.run(model.job("fail_odd", kind), range(100))
    assert [o.error for o in outcomes] == [
        f"ValueError: odd {n}" if n % 2 else None for n in range(100)
    ]


def test_sys_exit_costs_its_own_task_only(model: Model, kind: str) -> None:
    """A work() that calls sys.exit() has failed, and that is all."""
    outcomes = model.run(model.job("exit_at_3", kind), range(10))
    assert [o.id for o in outcomes if o.error] == [3]
    assert "three" in outcomes[3].error


def test_input_is_lazy_and_the_window_bounded(model: Model, kind: str) -> None:
    """Of an endless input a bounded part is pulled, however slow the consumer is."""
    pulled = itertools.count()
    source = (next(pulled) for _ in itertools.count())
    bursts = model.bursts(model.job("square", kind), source)
    received = 0
    for burst in itertools.islice(bursts, 20):
        received += len(burst)
        time.sleep(0.005)
    bursts.close()
    assert next(pulled) - received < 30_000


def test_closing_early_leaves_no_thread_and_no_process(model: Model, kind: str) -> None:
    """A consumer that stops early cleans up by closing the generator."""
    import multiprocessing

    before, children = set(threading.enumerate()), set(multiprocessing.active_children())
    bursts = model.bursts(model.job("slow", kind), itertools.count())
    next(bursts)
    bursts.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    assert set(threading.enumerate()) <= before
    assert set(multiprocessing.active_children()) <= children


def test_timeout_frees_the_slot(model: Model, kind: str) -> None:
    """A task that hangs fails by its timeout; the others are done although all share one slot."""
    outcomes = model.run(model.job("hang_at_1", kind), range(10), max_workers=1, timeout=0.5)
    assert [o.id for o in outcomes if o.error] == [1]
    assert "timeout after 0.5 s" in outcomes[1].error


@pytest.mark.parametrize(("needed", "attempts", "ok"), [(3, 3, True), (4, 3, False)])
def test_retries(
    model: Model, kind: str, tmp_path: Path, needed: int, attempts: int, ok: bool
) -> None:
    """A failed task runs again as often as allowed, and the outcome tells how often it ran."""
    retry = model.task.Retry(times=2, base=0.01)
    [outcome] = model.run(
        model.job("fail_until", kind), [(str(tmp_path / "log"), needed)], retry=retry
    )
    assert (outcome.attempts, outcome.error is None) == (attempts, ok)
    assert (tmp_path / "log").read_text().count("try") == attempts


def test_a_broken_input_ends_the_run_after_what_was_begun(model: Model, kind: str) -> None:
    """The failure of the input is raised at the end; what came before it has its outcomes."""

    def source() -> Iterator[int]:
        yield from range(50)
        raise OSError("disk gone")

    outcomes: list[Any] = []
    bursts = model.bursts(model.job("square", kind), source())
    with pytest.raises(OSError, match="disk gone"):
        outcomes.extend(outcome for burst in bursts for outcome in burst)
    assert sorted(o.id for o in outcomes) == list(range(50))


def test_a_slow_input_does_not_hold_up_outcomes(model: Model, kind: str) -> None:
    """While the input has nothing yet, what is finished is handed over."""
    delivered = threading.Event()

    def source() -> Iterator[tuple[int, int] | None]:
        yield 0, 5
        while not delivered.is_set():
            yield None
        yield 1, 6

    values = []
    job = model.job("square", kind)
    for burst in model.numbered(job, source()):
        values += [o.value for o in burst]
        delivered.set()
    assert values == [25, 36]


def test_stop_drains(model: Model, kind: str) -> None:
    """After the stop signal nothing new is begun, and what runs is finished and delivered."""
    stop, pulled = threading.Event(), []

    def source() -> Iterator[int]:
        for n in itertools.count():
            pulled.append(n)
            yield n

    outcomes = []
    for burst in model.bursts(model.job("slow", kind), source(), stop=stop):
        outcomes += burst
        stop.set()
        before = len(pulled)
    assert len(pulled) <= before + 1
    assert all(o.error is None for o in outcomes)


@pytest.mark.parametrize("setup", ["plain_setup", "context_setup", "generator_setup"])
def test_setup_runs_once_per_worker(model: Model, kind: str, setup: str) -> None:
    """What setup() gives is the second argument of work(), and is closed when the worker ends."""
    log = Path(model.works.__file__).with_name("setup.log")
    log.unlink(missing_ok=True)
    outcomes = model.run(model.job("with_client", kind, setup), range(100), max_workers=3)
    assert [o.value for o in outcomes] == [2 * n for n in range(100)], outcomes[0].error
    events = log.read_text().split()
    assert 1 <= events.count("open") <= 3
    assert events.count("close") == events.count("open")


def test_setup_learns_how_many_tasks_share_it(model: Model, kind: str) -> None:
    """A set-up that asks gets the size of the pool that it should open."""
    outcomes = model.run(model.job("shared_by", kind, "size_setup"), range(20), max_workers=4)
    awaits = kind == "async" and model.name in ("asyncio", "hybrid")
    share = 4 if model.name == "asyncio" else -(-4 // min(4, model.machine.usable_cores()))
    assert {o.value for o in outcomes} == {share if awaits else 1}, outcomes[0].error


@pytest.mark.parametrize("setup", ["coroutine_setup", "async_context_setup"])
def test_setup_may_be_async_with_async_work(model: Model, setup: str) -> None:
    """The same for `async def` set-ups; one task enters and leaves them."""
    log = Path(model.works.__file__).with_name("setup.log")
    log.unlink(missing_ok=True)
    outcomes = model.run(model.job("with_client", "async", setup), range(20))
    assert [o.value for o in outcomes] == [2 * n for n in range(20)], outcomes[0].error
    events = log.read_text().split()
    assert events.count("close") == events.count("open") >= 1


@pytest.mark.parametrize(
    ("setup", "reason"),
    [
        ("failing_setup", "ConnectionError: no database"),
        ("coroutine_setup", "async def"),
    ],
)
def test_a_failing_setup_ends_the_run(model: Model, setup: str, reason: str) -> None:
    """Without its set-up no task can run, so the run ends with the reason."""
    with pytest.raises(model.task.EngineError, match=reason):
        model.run(model.job("with_client", "def", setup), range(10))


def test_max_workers_is_the_number_of_tasks_in_flight(model: Model, kind: str) -> None:
    """As many run at once as were asked for, and no more."""
    wanted = 1 if model.name == "sequential" else 4
    outcomes = model.run(model.job("overlap", kind), [0.05] * 24, max_workers=4)
    most = max(o.value for o in outcomes)
    if model.name in ("multiprocessing", "dask"):
        assert most == 1  # in each process
    elif model.name == "hybrid":
        assert 1 <= most <= 4  # shared out over the processes
    else:
        assert most == wanted
