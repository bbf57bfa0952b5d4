"""What there is, in words: the rules, one rule, the models compared. Lines of text, no printing."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from scaffold.asking.questions import read_choice
from scaffold.core.domain import Model
from scaffold.core.errors import UsageError
from scaffold.core.examples import Case
from scaffold.core.rules import ARTICLE, BEYOND, RULES, Rule
from scaffold.making.inventory import available_models
from scaffold.making.starters import Starter, find, load, names, requirement_name
from scaffold.terminal.layout import NARROW, wrap


@dataclass(frozen=True)
class Portrait:
    """One model in words, in the terms of the article's key differences and FAQs."""

    parallelism: str
    memory: str
    start_up: str
    communication: str
    synchronisation: str
    gil: str
    best_for: str
    not_for: str
    learning: str


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

PORTRAITS = {
    Model.SEQUENTIAL: Portrait(
        parallelism="none: one task after another",
        memory="one interpreter",
        start_up="none",
        communication="a variable",
        synchronisation="nothing to synchronise",
        gil="no matter",
        best_for="one task, or little work in all",
        not_for="many tasks that wait or compute for long",
        learning="none",
    ),
    Model.THREADING: Portrait(
        parallelism="waiting overlaps; computing only where native code releases the GIL, or"
        " without a GIL",
        memory="one interpreter, shared; tens of kilobytes per thread",
        start_up="about 0.1 ms per thread",
        communication="shared objects, queues: nothing is copied",
        synchronisation="locks around what threads share: races and deadlocks are yours to avoid",
        gil="one thread runs Python code at a time",
        best_for="up to a few hundred tasks that wait in ordinary blocking code; native code",
        not_for="Python code that computes; thousands of tasks at once",
        learning="gentle to start, locks take care",
    ),
    Model.ASYNCIO: Portrait(
        parallelism="waiting overlaps; no computing in parallel",
        memory="one interpreter; some kilobytes per task",
        start_up="about 2 ms for the event loop, next to nothing per task",
        communication="shared objects: one thread, nothing is copied",
        synchronisation="tasks change hands only at await: few locks, but an await in between"
        " lets others in",
        gil="no matter: one thread",
        best_for="thousands of tasks that wait, with an async client",
        not_for="blocking calls and computing: one stops all the others",
        learning="steep: everything below the loop has to be async",
    ),
    Model.MULTIPROCESSING: Portrait(
        parallelism="full: every process computes on a core of its own",
        memory="an interpreter, with its imports, per process",
        start_up="tens of milliseconds per process",
        communication="items and results are pickled and carried through a pipe",
        synchronisation="nothing is shared, so nothing to lock; files and databases still are",
        gil="one per process: it holds nobody up",
        best_for="Python code that computes for a millisecond or more per task",
        not_for="waiting; tiny tasks on large payloads",
        learning="moderate: importable functions, picklable values, a main guard",
    ),
    Model.HYBRID: Portrait(
        parallelism="full, with several tasks in flight in every process",
        memory="an interpreter per process; some kilobytes per task",
        start_up="tens of milliseconds per process",
        communication="items and results are pickled and carried through a pipe",
        synchronisation="between processes nothing is shared; within one as for threads or asyncio",
        gil="one per process",
        best_for="tasks that wait and compute, such as download and parse",
        not_for="tasks that do only one of the two: a simpler model does it",
        learning="moderate: as for processes",
    ),
    Model.DASK: Portrait(
        parallelism="full, over the processes of one or many machines",
        memory="about 75 MB per worker process, and a scheduler",
        start_up="some seconds, and a cluster to run",
        communication="items and results are pickled and carried over the network; the project's"
        " package travels along",
        synchronisation="nothing is shared between workers",
        gil="one per worker process",
        best_for="more work than one machine can do in time",
        not_for="work that one machine finishes in time",
        learning="steep: a cluster is a system of its own",
    ),
}


def rules(width: int) -> list[str]:
    """Return the table of the rules, and how the choice follows from them."""
    lines = []
    for one in RULES:
        lines.append(f"{one.id:<4} {one.title}")
        lines += _indented(f"{_says(one)} ({_source(one)})", width, 5)
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
    """Explain one rule; raise UsageError for an id that there is not."""
    try:
        wanted = read_choice(rule_id, [one.id for one in RULES])
    except ValueError as error:
        raise UsageError(f"rule {error}", hint="concgen rules lists them") from error
    one = next(one for one in RULES if one.id == wanted)
    return [
        f"{one.id}  {one.title}",
        "",
        *wrap(one.explanation, width),
        "",
        *_labelled("Says", _says(one), width),
        *_labelled("Source", _source(one), width),
        *_labelled("Fires", f"{one.fires.text}: {_reason(one, one.fires)}", width),
        *_labelled("Silent", one.silent.text, width),
    ]


def models(width: int) -> list[str]:
    """Compare the models that can be generated, one aspect after another."""
    lines = []
    for field, title in ASPECTS:
        lines.append(title)
        for model in available_models():
            lines += _labelled(f"  {model}", getattr(PORTRAITS[model], field), width, 18)
        lines.append("")
    lines += wrap(
        f"After the key differences and FAQs of the article, with what was measured: {ARTICLE}.",
        width,
    )
    return lines


def starters(width: int) -> list[str]:
    """Return what there is to start from: the work, the models, what has to be installed."""
    lines = []
    for one in map(load, names()):
        lines += _labelled(one.name, one.summary, width, 10)
        lines += _labelled("", f"on {', '.join(one.models)}", width, 10)
        if needed := _needed(one):
            lines += _labelled("", f"needs {needed}", width, 10)
    lines.append("")
    lines += wrap(
        "`concgen new --starter NAME` takes one; `concgen starters NAME` tells more.", width
    )
    return lines


def starter(name: str, width: int) -> list[str]:
    """Describe one starter; raise UsageError for a name that there is not."""
    one = find(name)
    lines = [f"{one.name}  {one.summary}", ""]
    lines += _labelled("Fits", ", ".join(f"--workload {bound}" for bound in one.fits), width)
    lines += _labelled("Runs on", ", ".join(one.models), width)
    for model, reason in one.unfit.items():
        lines += _labelled("Not on", f"{model}: {reason}", width)
    for form, needed in one.forms.items():
        lines += _labelled("Needs", f"{FORMS[form]}: {', '.join(needed) or 'nothing'}", width)
    command = shlex.join(["concgen", "new", f"my-{one.name}", "--starter", one.name])
    return [*lines, "", *_labelled("Make one", command, width)]


def _needed(one: Starter) -> str:
    """Return the distributions that the forms of a starter need, without their versions."""
    needed = dict.fromkeys(name for form in one.forms.values() for name in form)
    return ", ".join(requirement_name(name) for name in needed)


def _says(one: Rule) -> str:
    verdicts: dict[str, list[str]] = {}
    for model, verdict in one.says.items():
        verdicts.setdefault(str(verdict), []).append(str(model))
    return "; ".join(f"{verdict} {', '.join(names)}" for verdict, names in verdicts.items())


def _source(one: Rule) -> str:
    return one.article if one.article == BEYOND else f"article, {one.article}"


def _reason(one: Rule, case: Case) -> str:
    return one.reason(case.workload, case.machine) or ""


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
