"""Whether a recorded decision still holds: not by chance, and not on a busy machine."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import pytest

from scaffold.commands.check import Check
from scaffold.core.advice import recommend
from scaffold.core.domain import Machine, Model, Source, Workload
from scaffold.measuring.calibration import BUSY
from scaffold.measuring.calls import MOST_QUEUEING

TWO_CORES = Machine(2.0, 8 * 10**9, "3.13.0", True, "fork", 1024, "linux", None)
LOOP = Workload(bound="cpu", tasks=2000, task_seconds=0.05)
ADVICE = recommend(LOOP, TWO_CORES, models=tuple(Model))


def checked(decided: Model, advice=ADVICE, busy: bool = False) -> Check:
    return Check(decided, str(decided), "advice", advice, measured=True, busy=busy)


def slower(times: float):
    """Return the advice with hybrid so many times slower than what is advised."""
    chosen = ADVICE.estimate(ADVICE.model)
    others = [estimate for estimate in ADVICE.estimates if estimate.model is not Model.HYBRID]
    hybrid = replace_estimate(ADVICE.estimate(Model.HYBRID), times * chosen.seconds)
    return ADVICE._replace(estimates=(*others, hybrid))


def replace_estimate(estimate, seconds):
    return estimate._replace(seconds=seconds)


@pytest.mark.parametrize(("times", "flipped"), [(1.0, False), (1.3, False), (2.0, True)])
def test_a_decision_holds_while_it_is_hardly_slower(times, flipped):
    """Two measurements of one function differ by as much."""
    assert checked(Model.HYBRID, slower(times)).flipped is flipped


def test_what_a_rule_forbids_does_not_hold():
    """By the record alone, however fast it would be."""
    decided = Check(Model.THREADING, "threading", "advice", slower(1.0), measured=False)
    assert decided.flipped


def test_a_busy_machine_flips_nothing():
    """It says so, and the decision stands."""
    check = checked(Model.THREADING, busy=True)
    assert not check.flipped
    assert check.exit_code == 0


@dataclass(frozen=True)
class Measuring:
    """One measurement on a simulated machine of two cores, on which others are busy by spells.

    Alone, on two threads, in two processes: each part meets spells in which others take half of
    both cores, and what it gets is slowed down by what they do to caches and memory.
    """

    random: random.Random
    busy: float  # the share of the time in which others are busy
    slowed: float  # times as long as a call takes beside them

    def part(self, seconds: float) -> tuple[float, float]:
        """Return the share of its time that a part waited for a core, and how slow it was."""
        met, spent = 0.0, 0.0
        while spent < seconds:
            busy = self.random.random() < self.busy
            spell = min(self.random.expovariate(2.0), seconds - spent)
            spent, met = spent + spell, met + spell * busy
        share = met / seconds
        return share / 2, 1 + (self.slowed - 1) * share

    def measured(self, true: Workload) -> tuple[Workload, bool]:
        """Return what would be measured of a workload, and whether it was too busy to."""
        queued, slow = self.part(1.0)
        gains = {}
        for name in ("thread_gain", "process_gain"):
            apart, beside = self.part(0.4)
            gain = getattr(true, name)
            known = gain is not None and apart <= MOST_QUEUEING
            gains[name] = min(2.0, gain * slow / beside) if known else None
        cpu = true.cpu_seconds * slow
        seconds = true.wait_seconds + cpu
        measured_work = replace(true, task_seconds=seconds, cpu_fraction=cpu / seconds, **gains)
        return measured_work, max(queued, self.busy) > BUSY


def workload(seconds: float, cpu: float, gil: float, gains: tuple[float | None, float | None]):
    """Return 2,000 measured tasks."""
    names = ("bound", "task_seconds", "cpu_fraction", "gil_fraction", "async_client")
    return Workload(
        bound="cpu" if cpu >= 0.8 else "io" if cpu <= 0.2 else "mixed",
        tasks=2000,
        task_seconds=seconds,
        cpu_fraction=cpu,
        gil_fraction=gil,
        async_client=False,
        thread_gain=gains[0],
        process_gain=gains[1],
        sources=dict.fromkeys(names, Source.MEASURED),
    )


WORKLOADS = {
    "waits": workload(0.05, 0.002, 1.0, (None, None)),
    "holds the GIL": workload(0.004, 1.0, 1.0, (1.0, 2.0)),
    "releases the GIL": workload(0.004, 1.0, 0.05, (1.95, 2.0)),
    "near the rule of the GIL": workload(0.004, 1.0, 0.6, (1.21, 1.3)),
    "shares memory": workload(0.004, 1.0, 0.0, (1.4, 1.45)),
    "waits and computes": workload(0.01, 0.5, 1.0, (1.5, 2.0)),
    "near the rule of the loop": workload(0.01, 0.79, 1.0, (1.15, 1.95)),
    "hardly worth it": workload(0.00002, 1.0, 1.0, (1.0, 1.9)),
}


@pytest.mark.parametrize("name", WORKLOADS)
@pytest.mark.parametrize("busy", [0.0, 0.05, 0.1, 0.2, 0.4, 1.0])
def test_an_unchanged_project_does_not_flip_on_a_busy_machine(name, busy, monkeypatch):
    """Twenty checks, each another run of spells; the decision was made on a quiet machine."""
    # What other answers would change takes nine tenths of the time, and decides nothing.
    monkeypatch.setattr("scaffold.core.advice.find_flips", lambda *_: ())
    true = WORKLOADS[name]
    decided = str(recommend(true, TWO_CORES, models=tuple(Model)).model)
    for seed in range(20):
        chance = random.Random(f"{name}/{busy}/{seed}")
        measuring = Measuring(chance, busy, chance.uniform(1.0, 1.5))
        measured, too_busy = measuring.measured(true)
        again = recommend(measured, TWO_CORES, models=tuple(Model))
        check = Check(Model(decided), decided, "advice", again, measured=True, busy=too_busy)
        assert not check.flipped, (seed, measured, again.headline)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("waits", "holds the GIL"),
        ("holds the GIL", "waits"),
        ("releases the GIL", "holds the GIL"),
        ("hardly worth it", "waits"),
    ],
)
def test_what_became_of_another_kind_flips_on_a_quiet_machine(before, now):
    """A simulation in which nothing can flip would show nothing."""
    decided = str(recommend(WORKLOADS[before], TWO_CORES, models=tuple(Model)).model)
    measured, too_busy = Measuring(random.Random(now), 0.0, 1.0).measured(WORKLOADS[now])
    again = recommend(measured, TWO_CORES, models=tuple(Model))
    assert Check(Model(decided), decided, "advice", again, measured=True, busy=too_busy).flipped
