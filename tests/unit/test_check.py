"""Whether a recorded decision still holds: not by chance, and not on a busy machine."""

import pytest

from scaffold.commands.check import Check
from scaffold.core.advice import recommend
from scaffold.core.domain import Machine, Model, Workload

TWO_CORES = Machine(2.0, 8 * 10**9, "3.13.0", True, "fork", 1024, "linux", None)
LOOP = Workload(bound="cpu", tasks=2000, task_seconds=0.05)
ADVICE = recommend(LOOP, TWO_CORES, models=tuple(Model))


def checked(decided: Model, advice=ADVICE, busy: bool = False) -> Check:
    return Check(decided, str(decided), "advice", advice, measured=True, busy=busy)


def slower(times: float):
    """Return the advice with hybrid so many times slower than what is advised."""
    chosen = ADVICE.estimate(ADVICE.model)
    others = [one for one in ADVICE.estimates if one.model is not Model.HYBRID]
    hybrid = replace_estimate(ADVICE.estimate(Model.HYBRID), times * chosen.seconds)
    return ADVICE._replace(estimates=(*others, hybrid))


def replace_estimate(estimate, seconds):
    return estimate._replace(seconds=seconds)


@pytest.mark.parametrize(("times", "flipped"), [(1.0, False), (1.3, False), (2.0, True)])
def test_a_decision_holds_while_it_is_hardly_slower(times, flipped):
    """Two measurements of one function differ by as much."""
    assert checked(Model.HYBRID, slower(times)).flipped is flipped


def test_what_a_rule_forbids_does_not_hold():
    """However fast it would be."""
    assert checked(Model.THREADING).flipped


def test_a_busy_machine_flips_nothing():
    """It says so, and the decision stands."""
    check = checked(Model.THREADING, busy=True)
    assert not check.flipped
    assert check.exit_code == 0
