"""Every rule fires where it should, is silent where it should be, and says where it comes from."""

import pytest
from hypothesis import given

from scaffold.core.domain import Model, Verdict
from scaffold.core.reasons import tiny
from scaffold.core.rules import BEYOND, RULES, findings, forbidden

from .strategies import machines, workloads

SECTIONS = {
    "Multithreading in Python",
    "Multiprocessing in Python",
    "Asyncio in Python",
    "Key Differences",
    "Use Cases",
    "Conclusion",
    "FAQs",
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_fires_on_its_example(rule):
    """The example that `concgen rules ID` quotes is true."""
    assert rule.reason(rule.fires.workload, rule.fires.machine)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_silent_on_its_counterexample(rule):
    """So is the other one."""
    assert rule.reason(rule.silent.workload, rule.silent.machine) is None


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_names_a_section_of_the_article_or_says_that_it_goes_beyond(rule):
    """A source that does not exist would be worse than none."""
    assert rule.article == BEYOND or rule.article.split(":")[0] in SECTIONS


def test_ids_are_unique_and_in_order():
    """R1, R2, R3, ... as `concgen rules` lists them."""
    assert [rule.id for rule in RULES] == [f"R{n}" for n in range(1, len(RULES) + 1)]


@given(workloads, machines)
def test_rules_are_deterministic(workload, machine):
    """The same facts give the same findings."""
    assert findings(workload, machine) == findings(workload, machine)


@given(workloads, machines)
def test_sequential_is_never_forbidden(workload, machine):
    """Something always remains to be recommended."""
    assert Model.SEQUENTIAL not in forbidden(findings(workload, machine))


@given(workloads, machines)
def test_tiny_work_leaves_only_sequential(workload, machine):
    """One task, or next to no work, is not parallelised."""
    off = forbidden(findings(workload, machine))
    if tiny(workload):
        assert off >= {Model.THREADING, Model.ASYNCIO, Model.MULTIPROCESSING, Model.HYBRID}


@given(workloads, machines)
def test_no_rule_prefers_what_another_forbids(workload, machine):
    """Rules that contradict one another would be no advice."""
    fired = findings(workload, machine)
    preferred = {finding.model for finding in fired if finding.verdict is Verdict.PREFER}
    assert not preferred & forbidden(fired)
