"""From what was measured of a function to a workload, and the advice that it leads to."""

from dataclasses import replace
from pathlib import Path

import pytest

from scaffold.asking.interview import collect
from scaffold.commands.measure import workload
from scaffold.core.advice import recommend
from scaffold.core.domain import Bound, Machine, Model, Source
from scaffold.core.errors import ConcgenError, Interrupted, Refused, UsageError
from scaffold.core.observed import Measurement, Profile
from scaffold.making.answers import decision
from scaffold.making.items import Items
from scaffold.terminal import documents, views

TWO_CORES = Machine(2.0, 8 * 10**9, "3.13.0", True, "forkserver", 1024, "linux")
ITEMS = Items(Path("items.jsonl"), 2000, ())
HASHES = Profile(
    calls=50,
    failures=0,
    wall_seconds=0.009,
    mean_seconds=0.010,
    is_async=False,
    cpu_fraction=1.0,
    gil_fraction=0.0,
    longest_gil_hold_seconds=0.0001,
    item_bytes=100,
    result_bytes=32,
    picklable=True,
    picklable_function=True,
    peak_memory_bytes=20_000_000,
    import_seconds=0.01,
    start_method="fork",
)


def test_every_figure_is_taken_and_called_measured():
    """A mean makes the makespan, and both ways make the payload."""
    work = workload(HASHES, ITEMS)
    assert (work.tasks, work.task_seconds, work.payload_bytes) == (2000, 0.010, 132)
    assert (work.bound, work.cpu_fraction, work.gil_fraction) == (Bound.CPU, 1.0, 0.0)
    for field in ("tasks", "task_seconds", "cpu_fraction", "gil_fraction", "payload_bytes"):
        assert work.source(field) is Source.MEASURED


def test_what_was_not_measured_keeps_its_default():
    """A guess never passes for a measurement."""
    unknown = replace(HASHES, cpu_fraction=None, gil_fraction=None, result_bytes=None)
    work = workload(unknown, ITEMS)
    for field in ("cpu_fraction", "gil_fraction", "payload_bytes"):
        assert work.source(field) is Source.DEFAULT


def test_a_measured_share_is_not_called_an_assumption():
    """Only an answer stands for two values, of which one is assumed."""
    advice = recommend(workload(HASHES, ITEMS), TWO_CORES, models=tuple(Model))
    assert not [note for note in advice.notes if "assumed" in note]
    assert advice.model is Model.THREADING


def test_a_close_call_that_matters_is_to_be_benched():
    """The other model's range reaches below the choice, and it is about seconds."""
    long = Items(Path("items.jsonl"), 20_000, ())
    advice = recommend(workload(HASHES, long), TWO_CORES, models=tuple(Model))
    assert advice.rivals == (Model.HYBRID, Model.MULTIPROCESSING)
    assert advice.told("concgen bench")[0] == (
        "hybrid or multiprocessing may be faster: bench it with `concgen bench`"
    )
    short = Items(Path("items.jsonl"), 200, ())
    advice = recommend(workload(HASHES, short), TWO_CORES, models=tuple(Model))
    assert not advice.rivals
    assert advice.told() == advice.notes


def test_a_close_call_names_the_command_that_settles_it():
    """Here with the function, in the project's own text without: it knows its work."""
    long = workload(HASHES, Items(Path("items.jsonl"), 20_000, ()))
    advice = recommend(long, TWO_CORES, models=tuple(Model))
    advice = advice._replace(bench="concgen bench work.py:digest --items items.jsonl")
    line = "bench it with `concgen bench work.py:digest --items items.jsonl`"
    assert line in "\n".join(views.notes(advice, 200))
    assert line in documents.recommendation(advice)["notes"][0]
    recorded = decision(advice, collect({}, None, long))
    assert recorded["notes"][0].endswith("bench it with `concgen bench`")


@pytest.mark.parametrize(
    ("error", "code"), [(ConcgenError, 1), (UsageError, 2), (Refused, 3), (Interrupted, 130)]
)
def test_every_error_has_its_exit_code(error, code):
    """Scripts tell them apart by it; people by message and hint."""
    raised = error("that is wrong", hint="do this")
    assert (raised.exit_code, str(raised), raised.hint) == (code, "that is wrong", "do this")


def test_a_measurement_is_of_a_run_that_may_be_cut_short():
    """It is a value: two that look the same are the same."""
    measurement = Measurement(Model.ASYNCIO, 8, 1.5, items=10, failed=0, complete=False)
    assert measurement == replace(measurement)
    assert measurement != replace(measurement, complete=True)
