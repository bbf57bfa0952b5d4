"""The documents of `--json`: each command's answer as data. Prints nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from scaffold.core.domain import Recommendation, Workload

if TYPE_CHECKING:  # `recommend` has to start fast
    from scaffold.asking.target import Target
    from scaffold.changing.plan import Change, Plan
    from scaffold.changing.undo_log import UndoLog
    from scaffold.commands.add import Added
    from scaffold.commands.bench import Bench
    from scaffold.commands.check import Check
    from scaffold.commands.demo import Demo, Run, Task
    from scaffold.commands.doctor import Checkup
    from scaffold.commands.new import Created
    from scaffold.commands.script import Written
    from scaffold.core.costs import Costs
    from scaffold.core.observed import Profile
    from scaffold.making.items import Items

# Grows when a key changes its meaning or goes away, not when a key is added.
SCHEMA = 1

Document = dict[str, Any]


def recommendation(advice: Recommendation) -> Document:
    """Return the document of `recommend --json`."""
    return {
        "schema": SCHEMA,
        "workload": workload(advice.workload),
        "machine": advice.machine._asdict(),
        "model": advice.model,
        "headline": advice.headline,
        "settings": advice.settings._asdict(),
        "cores_needed": advice.cores_needed,
        "findings": [finding._asdict() for finding in advice.findings],
        "estimates": [estimate._asdict() for estimate in advice.estimates],
        "binding": advice.binding,
        "flips": [flip._asdict() for flip in advice.flips],
        "notes": list(advice.told()),
        "rivals": list(advice.rivals),
        "bench": advice.bench,
    }


def workload(work: Workload) -> Document:
    """Return a workload's fields, and where each came from."""
    fields = asdict(replace(work, sources={}))
    fields["sources"] = {name: work.source(name) for name in fields if name != "sources"}
    return fields


def new(advice: Recommendation, created: Created) -> Document:
    """Return the document of `new --json`: the advice, the project and the command.

    `model` and `settings` are those of the project, even if the user overruled the advice.
    """
    return {
        **recommendation(advice),
        "project": {
            "path": str(created.path),
            "package": created.package.name,
            "model": str(created.model),
            "files": list(created.files),
        },
        "command": created.command,
    }


def script(advice: Recommendation, written: Written) -> Document:
    """Return the document of `new FILE.py --json`: the advice, the script and the command."""
    return {
        **recommendation(advice),
        "script": {"path": str(written.path), "model": str(written.model), "run": written.run},
        "command": written.command,
    }


def add(advice: Recommendation, added: Added) -> Document:
    """Return the document of `add --json`: the advice, the package and the command."""
    return {
        **recommendation(advice),
        "package": {
            "path": str(added.request.dest),
            "module": added.request.module,
            "test": str(added.request.test),
            "model": str(added.model),
            "files": list(added.files),
            "needs": list(added.needs),
            "python": added.python,
        },
        "command": added.command,
    }


def measure(profile: Profile, target: Target, items: Items, binds: str) -> Document:
    """Return the document of `measure --json`; `binds` is what limits the time of all items."""
    return {
        "schema": SCHEMA,
        "target": str(target),
        "items": items.count,
        "profile": {**asdict(profile), "binding": binds},
    }


def bench(bench: Bench) -> Document:
    """Return the document of `bench --json`."""
    return {
        "schema": SCHEMA,
        "items": bench.workload.tasks,
        "results": [
            {
                "model": result.model,
                "max_workers": result.max_workers,
                "predicted_seconds": result.predicted_seconds,
                "measured_seconds": result.measured_seconds,
                "items": result.items,
                "failed": result.failed,
                "first_error": result.first_error,
                "extrapolated": result.extrapolated,
            }
            for result in bench.results
        ],
        "fastest": bench.fastest.model if bench.fastest else None,
        "complete": bench.complete,
        "busy": bench.busy,
    }


def demo(demo: Demo) -> Document:
    """Return the document of `demo --json`: the times in seconds, from the start of each run."""
    return {
        "schema": SCHEMA,
        "kind": demo.plan.bound,
        "machine": demo.plan.machine._asdict(),
        "workload": workload(demo.plan.advice.workload),
        "recommended": demo.plan.advice.model,
        "fastest": demo.fastest.model,
        "article": [_run(run) for run in demo.article],
        "results": [
            {
                **_run(run),
                "finished": run.finished,
                "rule": run.lesson.rule if run.lesson else None,
                "lesson": run.lesson.text if run.lesson else None,
                "tasks": [_task(task) for task in run.tasks],
            }
            for run in demo.runs
        ],
    }


def _run(run: Run) -> Document:
    return {
        "model": run.model,
        "max_workers": run.max_workers,
        "predicted_seconds": run.predicted_seconds,
        "measured_seconds": run.measured_seconds if run.error is None else None,
        "error": run.error,
    }


def _task(task: Task) -> Document:
    process, thread = task.worker
    return {
        "task": task.number,
        "process": process,
        "thread": thread,
        "began": task.began,
        "ready": task.ready,
        "ended": task.ended,
        "cpu_seconds": task.cpu_seconds,
    }


def check(check: Check) -> Document:
    """Return the document of `check --json`."""
    return {
        "schema": SCHEMA,
        "flipped": check.flipped,
        "model": check.model,
        "decided": check.decided,
        "chosen_by": check.chosen_by,
        "measured": check.measured,
        "busy": check.busy,
        "recommendation": recommendation(check.advice),
    }


def doctor(checkup: Checkup) -> Document:
    """Return the document of `doctor --json`."""
    from scaffold.commands.doctor import NO_SUB_INTERPRETERS
    from scaffold.making.inventory import version
    from scaffold.measuring import calibration

    return {
        "schema": SCHEMA,
        "concgen": version(),
        "machine": checkup.machine._asdict(),
        "affinity_cores": checkup.affinity_cores,
        "quota_cores": min(checkup.quotas, default=None),
        "default_start_method": checkup.default_start_method,
        "free_threaded_build": checkup.free_threaded_build,
        "sub_interpreters": {
            "available": checkup.sub_interpreters,
            "offered": False,
            "reason": NO_SUB_INTERPRETERS,
        },
        "git": checkup.git,
        "uv": checkup.uv,
        "calibration": {
            "day": checkup.calibration.day,
            "path": str(calibration.path(checkup.machine)),
            "costs": _costs(checkup.calibration.costs),
        },
        "problems": [asdict(problem) for problem in checkup.problems],
    }


def _costs(costs: Costs) -> dict[str, object]:
    starts = {method: start._asdict() for method, start in costs.starts.items()}
    return {**costs._asdict(), "starts": starts}


def plan(plan: Plan, *, applied: bool) -> Document:
    """Return the document of `--json`: what happens, or happened, to each file."""
    from scaffold.changing.plan import Action

    return {
        "schema": SCHEMA,
        "command": plan.command,
        "from": plan.source,
        "to": plan.target,
        "applied": applied,
        "files": [
            {"path": change.path, "action": str(change.action), "reason": change.reason}
            for change in plan.changes
        ],
        "conflicts": [change.path for change in plan.of(Action.CONFLICT)],
        "refused": [change.path for change in plan.of(Action.REFUSE)],
        "notes": list(plan.notes),
    }


def edits(edits: Iterable[Change]) -> Document:
    """Return the document of `diff --json`: which files the user changed, and by how much."""
    from scaffold.terminal.plan_views import count

    files = []
    for change in edits:
        added, removed = count(change)
        files.append(
            {"path": change.path, "change": change.reason, "added": added, "removed": removed}
        )
    return {"schema": SCHEMA, "files": files}


def undone(log: UndoLog) -> Document:
    """Return the document of `undo --json`: what was taken back."""
    return {
        "schema": SCHEMA,
        "command": log.command,
        "from": log.source,
        "to": log.target,
        "files": [entry.path for entry in log.entries],
    }
