"""The lists in words: rules, models, starters; a rule or a starter explained. Prints nothing."""

from __future__ import annotations

from scaffold.core import shell
from scaffold.core.advice import BY_ESTIMATE, OVERRULED
from scaffold.core.errors import UsageError
from scaffold.core.examples import Case
from scaffold.core.lessons import shown_by
from scaffold.core.models import MODELS
from scaffold.core.rules import ARTICLE, BEYOND, RULES, Rule
from scaffold.core.texts import read_choice
from scaffold.making.inventory import available_models
from scaffold.making.starters import Starter, find, load, names, requirement_name
from scaffold.terminal.layout import NARROW, wrap

ASPECTS = (
    ("parallelism", "Parallelism"),
    ("memory", "Memory"),
    ("start_up", "Start-up"),
    ("communication", "Communication"),
    ("synchronisation", "Synchronisation"),
    ("gil", "The GIL"),
    ("best_for", "Best for"),
    ("not_for", "Not for"),
    ("learning", "Learning curve"),
)

# The forms that a starter's work may have.
FORMS = {
    "sync": "as `def`",
    "async": "as `async def`",
    "native": "in native code that releases the GIL",
}


# The reasons that are no rule of thumb, by their ids.
BY_ESTIMATES = {
    BY_ESTIMATE: "What the estimates say for the choice: the fastest model that no rule forbids, or"
    " the simplest of those within 15 % of it. Its figures are in the table above the reasons.",
    OVERRULED: "A rule of thumb prefers a model that the estimates find slower than the choice. The"
    " rule gives way: its figures and those of the choice are in the reason.",
}


def rules(width: int) -> list[str]:
    """Return the table of the rules, and how the choice follows from them."""
    lines = []
    for rule in RULES:
        lines += _labelled(rule.id, rule.title, width, 4)
        lines += _indented(f"{_says(rule)} ({_source(rule)})", width, 5)
    lines.append("")
    lines += wrap(
        "Rules speak first, and only `forbid` takes a model off the list. Estimates put seconds on"
        " the others, and the simplest model within 15 % of the fastest is the advice; E1 and E2"
        " are the reasons that come from the estimates. `concgen rules ID` explains a rule.",
        width,
    )
    lines += wrap(f"The article: {ARTICLE}.", width)
    return lines


def rule(rule_id: str, width: int) -> list[str]:
    """Explain one rule; raise UsageError for an unknown id."""
    try:
        wanted = read_choice(rule_id, [*(rule.id for rule in RULES), *BY_ESTIMATES])
    except ValueError as error:
        raise UsageError(f"rule {error}", hint="concgen rules lists them") from error
    if wanted in BY_ESTIMATES:
        return [wanted, "", *wrap(BY_ESTIMATES[wanted], width)]
    rule = next(rule for rule in RULES if rule.id == wanted)
    return [
        *_labelled(rule.id, rule.title, width, len(rule.id) + 1),
        "",
        *wrap(rule.explanation, width),
        "",
        *_labelled("Says", _says(rule), width),
        *_labelled("Source", _source(rule), width),
        *_labelled("Fires", f"{rule.fires.text}: {_reason(rule, rule.fires)}", width),
        *_labelled("Silent", rule.silent.text, width),
        *_see_it(rule, width),
    ]


def models(width: int) -> list[str]:
    """Compare the models that can be generated, one aspect after another."""
    lines = []
    for field, title in ASPECTS:
        lines.append(title)
        for model in available_models():
            lines += _labelled(f"  {model}", getattr(MODELS[model].portrait, field), width, 18)
        lines.append("")
    lines += wrap(
        f"After the key differences and FAQs of the article, with what was measured: {ARTICLE}."
        " `concgen demo` shows them at work.",
        width,
    )
    return lines


def starters(width: int) -> list[str]:
    """List the starters: the work, the models, what has to be installed."""
    lines = []
    for starter in map(load, names()):
        lines += _labelled(starter.name, starter.summary, width, 10)
        lines += _labelled("", f"on {', '.join(starter.models)}", width, 10)
        if needed := _needed(starter):
            lines += _labelled("", f"needs {needed}", width, 10)
    lines.append("")
    lines += wrap(
        "`concgen new --starter NAME` uses one; `concgen starters NAME` says more.", width
    )
    return lines


def starter(name: str, width: int) -> list[str]:
    """Describe one starter; raise UsageError for an unknown name."""
    starter = find(name)
    lines = [*_labelled(starter.name, starter.summary, width, len(starter.name) + 1), ""]
    lines += _labelled("Fits", ", ".join(f"--workload {bound}" for bound in starter.fits), width)
    lines += _labelled("Runs on", ", ".join(starter.models), width)
    for model, reason in starter.unfit.items():
        lines += _labelled("Not on", f"{model}: {reason}", width)
    for form, needed in starter.forms.items():
        lines += _labelled("Needs", f"{FORMS[form]}: {', '.join(needed) or 'nothing'}", width)
    command = shell.join(["concgen", "new", f"my-{starter.name}", "--starter", starter.name])
    return [*lines, "", *_labelled("Make one", command, width)]


def _needed(starter: Starter) -> str:
    """Return the distributions that the forms of a starter need, without their versions."""
    names = [
        requirement_name(requirement) for form in starter.forms.values() for requirement in form
    ]
    return ", ".join(dict.fromkeys(names))


def _says(rule: Rule) -> str:
    verdicts: dict[str, list[str]] = {}
    for model, verdict in rule.says.items():
        verdicts.setdefault(str(verdict), []).append(str(model))
    return "; ".join(f"{verdict} {', '.join(names)}" for verdict, names in verdicts.items())


def _source(rule: Rule) -> str:
    return rule.article if rule.article == BEYOND else f"article, {rule.article}"


def _see_it(rule: Rule, width: int) -> list[str]:
    bound = shown_by(rule.id, rule.fires.machine)
    return _labelled("See it", f"concgen demo {bound}", width) if bound else []


def _reason(rule: Rule, case: Case) -> str:
    return rule.reason(case.workload, case.machine) or ""


def _indented(text: str, width: int, indent: int) -> list[str]:
    margin = " " * indent
    return wrap(text, width, margin, margin)


def _labelled(label: str, text: str, width: int, column: int = 8) -> list[str]:
    if width < NARROW:
        if not label:
            return wrap(text, width, "    ", "    ")
        indent = " " * (len(label) - len(label.lstrip()))
        return wrap(f"{label.strip()}: {text}", width, indent, "    ")
    return wrap(text, width, f"{label:<{column}} ", " " * (column + 1))
