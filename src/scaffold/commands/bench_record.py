"""What `bench` measured of a project, put into its record and its CONCURRENCY.md."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from scaffold.changing import apply, git, merge, record
from scaffold.changing.plan import Action, Change, Plan
from scaffold.changing.policy import Policy
from scaffold.changing.record import ANSWERS, Record
from scaffold.changing.tree import Files, Tree
from scaffold.commands import change
from scaffold.commands.bench import Bench, Result
from scaffold.core.units import show_count, show_seconds
from scaffold.making import answers, project
from scaffold.making.project import PRISTINE

COMMAND = "bench"


def keep(bench: Bench, root: Path) -> tuple[str, ...]:
    """Record a bench in which a model did the work; return the files written.

    The change belongs to the last switch or update: undoing that takes it back. Raises what
    `record.load` and `apply.apply` raise.
    """
    known = record.load(root)
    rendering = change.render(
        {**known.answers, "concgen_version": known.version, "bench": measured(bench)}
    )
    text_changes = _text_changes(known, rendering)
    kept = {path: rendering[path] for path in (ANSWERS, *(update.path for update in text_changes))}
    changes = (*text_changes, *change.record_changes(Tree(known.root), _rendering(known, kept)))
    plan = Plan(COMMAND, str(known.model), str(known.model), changes)
    apply.apply(known.root, plan, amends=True)
    return tuple(write.path for write in plan.writes if write.path != PRISTINE)


def measured(bench: Bench) -> answers.Answers:
    """Return what the record keeps of a bench: the times, the fastest, the day, the machine."""
    return {
        "day": bench.day,
        "count": show_count(bench.workload.tasks),
        "fastest": str(bench.fastest.model) if bench.fastest else "",
        "machine": [
            *answers.machine(bench.machine),
            *([f"other programs used {bench.busy:.0%} of it meanwhile"] if bench.is_busy else []),
        ],
        "results": [
            {
                "model": str(result.model),
                "measured": show_seconds(result.measured_seconds) if result.works else "failed",
                "predicted": show_seconds(result.predicted_seconds),
                "note": ", ".join(_notes(result)),
            }
            for result in bench.ranked
        ],
    }


def _notes(result: Result) -> Iterable[str]:
    yield f"{show_count(result.max_workers)} in flight"
    if result.extrapolated:
        yield f"from {show_count(result.items)} items"
    if result.failed:
        yield f"{show_count(result.failed)} failed"


def _text_changes(known: Record, rendering: Files) -> tuple[Change, ...]:
    """Return the change of the text; none if the user deleted it, or if edits are in the way."""
    text = known.decision
    if text not in known.pristine:
        return ()
    changes = merge.changes(
        {text: known.pristine[text]},
        {text: rendering[text]},
        Tree(known.root),
        Policy(COMMAND, known.package, replace=False),
        partial(git.merge, label=COMMAND),
    )
    return tuple(update for update in changes if update.action in (Action.UPDATE, Action.MERGE))


def _rendering(known: Record, kept: Files) -> Files:
    """Return the project's files as they were made, but those in `kept` as they are there."""
    files = {path: data for path, data in known.pristine.items() if path != PRISTINE}
    files |= kept
    with TemporaryDirectory(prefix="concgen-") as scratch:
        root = Path(scratch)
        for path, data in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
        project.write_pristine(root)
        return {**files, PRISTINE: (root / PRISTINE).read_bytes()}
