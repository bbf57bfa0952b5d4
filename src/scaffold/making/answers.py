"""The template's answers: those about the work, and the decision that a project records. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from scaffold.asking.interview import Replies
from scaffold.asking.questions import QUESTIONS
from scaffold.core.advice import finds_its_limit
from scaffold.core.domain import Estimate, Machine, Model, Recommendation, Source, Workload
from scaffold.core.models import MODELS
from scaffold.core.rules import BEYOND
from scaffold.core.units import show_bytes, show_ratio, show_seconds
from scaffold.making import inventory

Answers = dict[str, Any]


def gather(
    advice: Recommendation, replies: Replies, *, name: str, package: str, starter: str, model: Model
) -> Answers:
    """Return every answer that the template asks for, with the decision to record.

    `model` is the user's choice, which need not be the advice.
    """
    fields = asdict(replace(advice.workload, sources={}))
    del fields["sources"]
    return with_model(
        {
            **fields,
            "name": name,
            "package": package,
            "starter": starter,
            "sources": {field: str(advice.workload.source(field)) for field in fields},
            "decision": decision(advice, replies),
            "start_method": _start_method(advice),
            "concgen_version": inventory.version(),
        },
        model,
    )


def _start_method(advice: Recommendation) -> str:
    """Return how workers start, if the function was measured: its imports decide that."""
    is_measured = advice.workload.source("import_seconds") is Source.MEASURED
    return advice.machine.start_method if is_measured else ""


def with_model(answers: Mapping[str, Any], model: Model) -> Answers:
    """Return `answers` for `model`, from the decision that they hold.

    Everything that depends on the model comes from the record and nothing from this machine, so
    switching there and back gives the same answers anywhere.
    """
    changed = {**answers, "model": str(model)}
    changed.pop("form", None)  # the template knows the model's form
    changed.pop("max_workers", None)  # without a figure on record the template has a default
    decided = answers.get("decision") or {}
    for estimate in decided.get("estimates", ()):
        if estimate.get("model") == model and "max_workers" in estimate:
            # One per core is right on every machine; any other count is this workload's own.
            per_core = MODELS[model].per_core and answers.get("max_in_flight") is None
            # With auto the figure is the most that the run may find: settings.py has it.
            figure = "auto" if estimate.get("auto") else estimate["max_workers"]
            changed["max_workers"] = None if per_core else figure
    if "model" in decided:
        chosen_by = "advice" if decided["model"] == model else "user"
        changed["decision"] = {**decided, "chosen_by": chosen_by}
    return changed


def decision(advice: Recommendation, replies: Replies) -> Answers:
    """Return what CONCURRENCY.md shows: answers, reasons, figures and flips, in words.

    `model` is the advice; `chosen_by` tells whether the advice or the user chose the project's.
    """
    return {
        "headline": advice.headline,
        "model": str(advice.model),
        "chosen_by": "advice",
        "answers": [
            {
                "question": question.label,
                "value": question.show(replies.values[question.name]),
                "source": str(advice.workload.source(question.field)),
            }
            for question in QUESTIONS
            if question.is_asked or question.name in replies.given
        ]
        + _shares(advice.workload),
        "reasons": [
            {
                "verdict": str(finding.verdict),
                "model": str(finding.model),
                "text": finding.reason,
                "rule": finding.rule,
                "article": "" if finding.article == BEYOND else finding.article,
            }
            for finding in advice.findings
        ],
        "estimates": [
            {
                "model": str(estimate.model),
                "max_workers": estimate.max_workers,
                "auto": finds_its_limit(estimate.model, advice.workload),
                "time": show_seconds(estimate.seconds),
                "speedup": show_ratio(estimate.speedup),
                "memory": show_bytes(estimate.peak_memory_bytes),
                "note": _note(advice, estimate),
            }
            for estimate in advice.estimates
        ],
        "flips": [flip.text for flip in advice.flips],
        "machine": machine(advice.machine),
        "notes": list(advice.told("concgen bench")),  # there it needs no function
    }


def _shares(work: Workload) -> list[Answers]:
    """Return the measured shares, for which there is no question."""
    shares = (
        ("cpu_fraction", "Share of its time that it computes"),
        ("gil_fraction", "Share of the computing that holds the GIL"),
    )
    return [
        {"question": label, "value": f"{getattr(work, name):.0%}", "source": str(Source.MEASURED)}
        for name, label in shares
        if work.source(name) is Source.MEASURED
    ]


def machine(facts: Machine) -> list[str]:
    """Return the facts of a machine that matter to a decision, in words."""
    memory = "unknown" if facts.memory_bytes is None else show_bytes(facts.memory_bytes)
    return [
        f"{facts.cores:.3g} usable cores, {memory} of memory ({facts.platform})",
        f"Python {facts.python}, {'with' if facts.gil else 'without'} the GIL",
    ]


def _note(advice: Recommendation, estimate: Estimate) -> str:
    """Return the few words beside a model: its workers, and whether a rule speaks against it."""
    words = MODELS[estimate.model].counted(estimate.max_workers), advice.standing(estimate.model)
    return ", ".join(word for word in words if word)
