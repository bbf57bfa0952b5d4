"""What the user reads of a demonstration: which worker ran when, the times, and why.

Prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scaffold.commands.demo import NUMBER, POWERS, Demo, Plan, Run
from scaffold.core.domain import Bound, Model
from scaffold.core.lessons import TASKS
from scaffold.core.models import BASELINE, MODELS
from scaffold.core.rules import RULES
from scaffold.core.units import show_ratio, show_seconds
from scaffold.terminal import timeline, views
from scaffold.terminal.layout import Column, bar, entries, table, wrap

# The headline of the article's example.
EXAMPLE = f"The article's example: square({NUMBER}) and cube({NUMBER}), a task each"
# What a heavier task does, in words.
DOES = {
    Bound.IO: "wait for {each}, as for an answer",
    Bound.CPU: "compute for {each}, in pure Python",
    Bound.MIXED: "wait for {half}, then compute for {half}",
}
LEGEND = (
    (timeline.WAITS, "it waits", (Bound.IO, Bound.MIXED)),
    (timeline.COMPUTES, "it computes", (Bound.CPU, Bound.MIXED)),
    (timeline.READY, "it has to wait for its turn", (Bound.CPU, Bound.MIXED)),
)
BEGINS = "a task begins"
# What a line of the timeline is, by model.
LANES = {
    Model.SEQUENTIAL: "main thread",
    Model.THREADING: "thread",
    Model.ASYNCIO: "coroutine",
    Model.MULTIPROCESSING: "process",
    Model.HYBRID: "process",
}
# The demonstration to see next, and what it shows.
NEXT = {
    Bound.IO: ("concgen demo cpu", "shows work that computes"),
    Bound.CPU: ("concgen demo mixed", "shows work that waits and computes"),
    Bound.MIXED: ("concgen models", "compares the models in words"),
}


def announcement(plan: Plan, width: int) -> list[str]:
    """Return what is announced before the runs: what runs, where, and for how long."""
    machine = plan.machine
    gil = "with" if machine.gil else "without"
    cores = f"{machine.cores:.3g} {'core' if machine.cores == 1 else 'cores'}"
    text = (
        f"Running {len(POWERS)} tiny tasks and {TASKS} heavier ones on"
        f" {', '.join(plan.models)}, for about {show_seconds(plan.seconds)} in all: on {cores}, by"
        f" Python {machine.python} {gil} the GIL."
    )
    return wrap(text, width)


def example(runs: Sequence[Run], width: int) -> list[str]:
    """Return the times of the article's example, and why no model helps it."""
    runs = [run for run in runs if run.error is None]
    times = [run.measured_seconds for run in runs]
    columns = [
        Column("", [str(run.model) for run in runs], left=True),
        Column("measured", [show_seconds(run.measured_seconds) for run in runs]),
        Column("predicted", [show_seconds(run.predicted_seconds) for run in runs]),
        Column("", [bar(time, max(times)) for time in times], left=True, dropped=1),
    ]
    rule = RULES[0]
    text = (
        f"{rule.title} ({rule.id}): a task takes about a microsecond. The measured time is the time"
        " that it takes to start workers, and to end them."
    )
    return [*table(columns, width), "", *wrap(text, width, "  ", "  ")] if runs else []


def tasks(plan: Plan) -> str:
    """Return what the heavier tasks do."""
    seconds = plan.heavier.task_seconds
    does = DOES[plan.bound].format(each=show_seconds(seconds), half=show_seconds(seconds / 2))
    return f"{TASKS} tasks that {does}"


def legend(plan: Plan, width: int) -> list[str]:
    """Return what the signs of the timelines mean."""
    meanings = [f"{sign} {word}" for sign, word in signs(plan)]
    text = f"A line is a worker. A number: {BEGINS};  {';  '.join(meanings)}."
    return wrap(text, width, "  ", "  ")


def signs(plan: Plan) -> list[tuple[str, str]]:
    """Return the signs of this kind of work, and what they mean."""
    return [(sign, word) for sign, word, kinds in LEGEND if plan.bound in kinds]


def title(plan: Plan, model: Model) -> str:
    """Return how a model runs the tasks, and the prediction: the title of its run."""
    counted = MODELS[model].counted(plan.workers(model, plan.heavier)) or "one after another"
    return f"{model}, {counted}: {show_seconds(plan.predict(model, plan.heavier))} predicted"


def measured(run: Run) -> str:
    """Return how a model ran the tasks, how long it took, and the prediction."""
    counted = MODELS[run.model].counted(run.max_workers) or "one after another"
    return (
        f"{run.model}, {counted}: {show_seconds(run.measured_seconds)},"
        f" {show_seconds(run.predicted_seconds)} predicted"
    )


def run(run: Run, seconds: float, width: int) -> list[str]:
    """Return which worker ran when, what was measured, and why."""
    if run.error:
        return wrap(f"not measured: {run.error}", width, "  ", "  ")
    lesson = f"{run.lesson.text} ({run.lesson.rule})" if run.lesson else ""
    return [
        *_timeline(run, seconds, width),
        *wrap(f"{show_seconds(run.measured_seconds)} measured{_at_once(run)}.", width, "  ", "  "),
        *wrap(lesson, width, "  ", "  "),
    ]


def _timeline(run: Run, seconds: float, width: int) -> list[str]:
    lanes = timeline.lanes(run.tasks)
    names = lane_names(run.model, lanes)
    column = max(map(len, names), default=0)
    columns = width - column - len("  " + "  |" + "|")
    lines = []
    for name, lane, cells in zip(
        names, lanes, timeline.cells(lanes, columns, seconds), strict=True
    ):
        row = list(cells)
        for task in lane.tasks:
            if (place := int(task.began / seconds * columns)) < columns:
                row[place] = str(task.number)
        end = ">" if lane.tasks[-1].ended > seconds else "|"
        lines.append(f"  {name:<{column}}  |{''.join(row)}{end}")
    end = show_seconds(seconds)
    return [*lines, f"  {'':<{column}}   0{end:>{columns}}"]


def lane_names(model: Model, lanes: Sequence[timeline.Lane]) -> list[str]:
    """Name each lane; of the lanes of one process, only the first."""
    word = LANES[model]
    if MODELS[model].workers is None:
        return [word]
    if model is Model.ASYNCIO and len(lanes) == 1:  # no task gave way
        return ["event loop"]
    if not MODELS[model].pickles:
        return [f"{word} {number}" for number in range(1, len(lanes) + 1)]
    names: dict[int, str] = {}
    return [
        "" if lane.worker[0] in names
        else names.setdefault(lane.worker[0], f"{word} {len(names) + 1}")
        for lane in lanes
    ]  # fmt: skip


def _at_once(run: Run) -> str:
    """Say how many tasks waited and computed at a time, for readers who do not see the lines."""
    makespan = max((task.ended for task in run.tasks), default=0.0)
    busy: list[tuple[Callable[[float], str], float]] = [
        ("{:.2g} waiting".format, sum(task.ready - task.began for task in run.tasks)),
        ("{:.2g} computing".format, sum(task.cpu_seconds for task in run.tasks)),
    ]
    phrases = [
        words(seconds / makespan)
        for words, seconds in busy
        if makespan and seconds > 0.02 * makespan
    ]
    return f", on average {' and '.join(phrases)} at a time" if phrases else ""


def summary(demo: Demo, width: int) -> list[str]:
    """Return predicted beside measured, what is advised, and what to run next."""
    runs = demo.works
    times = [run.measured_seconds for run in runs]
    alone = next((run.measured_seconds for run in runs if run.model is BASELINE), None)
    columns = [
        Column("", [str(run.model) for run in runs], left=True),
        Column("measured", [show_seconds(time) for time in times]),
        Column("predicted", [show_seconds(run.predicted_seconds) for run in runs]),
        Column(
            "error",
            [f"{run.error_share:+.0%}" for run in runs],
            dropped=2,
        ),
        Column("speedup", [show_ratio(alone / time) if alone else "" for time in times], dropped=3),
        Column("rule", [run.lesson.rule if run.lesson else "" for run in runs], dropped=4),
        Column("", [bar(time, max(times)) for time in times], left=True, dropped=1),
    ]
    advice = demo.plan.advice
    marked = next((place for place, run in enumerate(runs) if run.model is advice.model), None)
    notes = [
        (str(run.model), run.error or "time ran out: the rest is extrapolated")
        for run in demo.runs
        if run.error or not run.finished
    ]
    notes.append(("", f"predicted {advice.notes[-1]}"))  # where the costs come from
    if demo.is_busy:
        notes.append(("", "other programs kept this machine busy: on a quiet one it is faster"))
    rule = next((run.lesson.rule for run in runs if run.model is advice.model and run.lesson), "R1")
    onward = [
        (f"concgen rules {rule}", "explains a rule"),
        NEXT[demo.plan.bound],
        ("concgen new", "asks about your own loop, and makes a project for it"),
    ]
    return [
        *table(columns, width, marked=marked),
        "",
        *wrap(f"Advised for such work: {advice.headline}", width),
        *views.flips(advice, width),
        *entries("Note", notes, width),
        *entries("Next", onward, width),
    ]
