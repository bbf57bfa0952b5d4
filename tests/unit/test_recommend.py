"""The advice: the article's cases, and what holds for every workload."""

import math
from dataclasses import replace

import pytest
from hypothesis import example, given, settings

from scaffold.core.advice import CLOSE_ENOUGH, FORGIVEN_SECONDS, choose, recommend
from scaffold.core.domain import (
    SIMPLEST_FIRST,
    Bound,
    Machine,
    Model,
    Source,
    Verdict,
    Workload,
)
from scaffold.core.estimates import estimate
from scaffold.core.rules import findings, forbidden

from .strategies import machines, workloads

TWO_CORES = Machine(2.0, 8 * 10**9, "3.13.0", True, "forkserver", 1024, "linux")
ONE_MACHINE = tuple(model for model in Model if model is not Model.DASK)


def advise(workload, machine=TWO_CORES):
    return recommend(workload, machine, models=ONE_MACHINE)


COMPUTING = Workload(Bound.CPU, 2000, 0.05, cpu_fraction=1.0)


@pytest.mark.parametrize(
    ("workload", "model"),
    [
        (Workload(Bound.IO, 20, 0.1), Model.THREADING),
        (Workload(Bound.IO, 10_000, 0.2), Model.ASYNCIO),
        (Workload(Bound.IO, 10_000, 0.2, async_client=False), Model.THREADING),
        (COMPUTING, Model.MULTIPROCESSING),
        (replace(COMPUTING, gil_fraction=0.0), Model.THREADING),
        (Workload(Bound.IO, 1, 10.0), Model.SEQUENTIAL),
        (Workload(Bound.CPU, 4, 0.01, cpu_fraction=1.0), Model.SEQUENTIAL),
        (Workload(Bound.MIXED, 1000, 0.02, cpu_fraction=0.5), Model.HYBRID),
        (Workload(Bound.IO, 10_000, 0.2, max_in_flight=1), Model.SEQUENTIAL),
    ],
)
def test_the_textbook_cases(workload, model):
    """What the article, and the facts of two cores, lead to."""
    assert advise(workload).model is model


def test_one_core_does_not_compute_side_by_side():
    """Processes gain nothing there."""
    assert advise(COMPUTING, TWO_CORES._replace(cores=1.0)).model is Model.SEQUENTIAL


def test_free_threaded_python_computes_in_threads():
    """Without the GIL the simpler model is as fast as processes."""
    assert advise(COMPUTING, TWO_CORES._replace(gil=False)).model is Model.THREADING


@given(workloads, machines)
@settings(max_examples=50)
def test_the_advice_is_deterministic(workload, machine):
    """The same facts give the same advice."""
    assert advise(workload, machine) == advise(workload, machine)


@given(workloads, machines)
@settings(max_examples=50)
def test_a_forbidden_model_is_never_recommended(workload, machine):
    """Only `forbid` is final."""
    assert advise(workload, machine).model not in forbidden(findings(workload, machine))


@given(workloads, machines)
@settings(max_examples=50)
def test_every_advice_has_a_reason_for_its_model(workload, machine):
    """A ranking without a reason is no advice."""
    advice = advise(workload, machine)
    of_model = [finding for finding in advice.findings if finding.model is advice.model]
    assert any(finding.verdict is Verdict.PREFER and finding.reason for finding in of_model)


@given(workloads, machines)
@settings(max_examples=50)
def test_a_preferred_model_that_lost_is_explained(workload, machine):
    """Where the estimate overrules a rule of thumb, the advice says so."""
    advice = advise(workload, machine)
    preferred = {
        finding.model
        for finding in advice.findings
        if finding.verdict is Verdict.PREFER and finding.rule.startswith("R")
    }
    if preferred and advice.model not in preferred:
        overruled = {finding.model for finding in advice.findings if finding.rule == "E2"}
        assert overruled == preferred


@given(workloads, machines)
def test_the_choice_is_the_simplest_that_is_close_to_the_fastest(workload, machine):
    """No simpler model that is allowed comes within 15 %; the choice itself does."""
    fired = findings(workload, machine)
    estimates = [estimate(model, workload, machine) for model in ONE_MACHINE]
    chosen = choose(estimates, fired)
    allowed = [rival for rival in estimates if rival.model not in forbidden(fired)]
    fastest = min(rival.seconds for rival in allowed) + FORGIVEN_SECONDS
    simpler = SIMPLEST_FIRST[: SIMPLEST_FIRST.index(chosen.model)]
    assert chosen.seconds + FORGIVEN_SECONDS <= fastest * CLOSE_ENOUGH * (1 + 1e-9)
    for rival in allowed:
        if rival.model in simpler:
            assert rival.seconds + FORGIVEN_SECONDS > fastest * CLOSE_ENOUGH * (1 - 1e-9)


@given(workloads, machines)
@settings(max_examples=30)
@example(Workload(Bound.IO, 10, 0.0), TWO_CORES)  # it has no half and no double
def test_a_flip_flips(workload, machine):
    """Changing the answer as the flip says gives the model that it names."""
    for flip in advise(workload, machine).flips:
        if flip.field == "tasks":
            changed = replace(workload, tasks=round(flip.value))
        elif flip.field == "task_seconds":
            changed = replace(workload, task_seconds=flip.value)
        elif flip.field == "async_client":
            changed = replace(workload, async_client=flip.value == "yes")
        elif flip.field == "gil_fraction":
            changed = replace(workload, gil_fraction=1.0 if flip.value == "holds" else 0.0)
        elif flip.field == "bound":
            bound = Bound(flip.value)
            changed = replace(workload, bound=bound, cpu_fraction=float(bound is Bound.CPU))
        elif flip.field == "cores":
            other = machine._replace(cores=float(math.ceil(flip.value)))
            assert advise(workload, other).model is flip.model
            continue
        elif flip.field == "rate_per_second":
            changed = replace(workload, rate_per_second=flip.value)
        else:
            changed = replace(workload, **{flip.field: math.ceil(flip.value)})
        assert advise(changed, machine).model is flip.model


def test_the_open_file_limit_is_said_when_it_holds_the_tasks_back():
    """256 open files, as on macOS, do not carry a thousand sockets."""
    advice = advise(Workload(Bound.IO, 10_000, 0.2), TWO_CORES._replace(open_files=256))
    assert advice.settings.max_workers < 256
    assert any("256 open files" in note for note in advice.notes)


def test_a_coroutine_function_that_is_there_is_awaited():
    """Twenty waits fit into threads, unless each thread would need an event loop for them."""
    asked = Workload(Bound.IO, tasks=20, task_seconds=0.1)
    written = replace(asked, sources={"async_client": Source.MEASURED})
    machine = Machine(2.0, 8 * 10**9, "3.13.0", True, "fork", 1024, "linux")
    assert advise(asked, machine).model is Model.THREADING
    assert advise(written, machine).model is Model.ASYNCIO


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tasks", 0),
        ("task_seconds", float("inf")),
        ("cpu_fraction", -0.1),
        ("gil_fraction", 1.1),
        ("max_in_flight", 0),
        ("deadline_seconds", 0.0),
        ("payload_bytes", -1),
    ],
)
def test_an_impossible_workload_is_refused_by_name_and_value(field, value):
    """Whoever calls the Python API learns which field is wrong."""
    with pytest.raises(ValueError, match=rf"{field} must .* not {value}"):
        Workload(**{field: value})
