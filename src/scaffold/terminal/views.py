"""What the user reads of a recommendation, as lines of text that fit a width. Prints nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scaffold.core.domain import Finding, Model, Recommendation
from scaffold.core.rules import BEYOND
from scaffold.core.units import show_bytes, show_count, show_ratio, show_seconds
from scaffold.terminal.layout import Column, bar, entries, wrap
from scaffold.terminal.layout import table as lay_out


def recommendation(advice: Recommendation, width: int, chosen: Model | None = None) -> list[str]:
    """Return the whole advice: the headline, the table, the reasons, the flips.

    `chosen` is the model that the user picked: it comes first, and the advice after it.
    """
    return [
        *wrap(headline(advice, chosen), width),
        "",
        *table(advice, width),
        "",
        *reasons(advice, width),
        *flips(advice, width),
        *notes(advice, width),
    ]


def headline(advice: Recommendation, chosen: Model | None) -> str:
    """Return the advice in one line, after the user's own choice if that is another model."""
    if chosen is None or chosen is advice.model:
        return advice.headline
    estimate = advice.estimate(chosen)
    time = f", about {show_seconds(estimate.seconds)}" if estimate else ""
    return f"{chosen}, as you chose{time}. Advised: {advice.headline}"


def table(advice: Recommendation, width: int) -> list[str]:
    """Return one line per model, fastest first: time, speedup, memory, workers, a bar, a word."""
    ranked = advice.estimates
    longest = ranked[-1].seconds
    columns = [
        Column("", [str(estimate.model) for estimate in ranked], left=True),
        Column("time", [show_seconds(estimate.seconds) for estimate in ranked]),
        Column("speedup", [show_ratio(estimate.speedup) for estimate in ranked], dropped=4),
        Column(
            "memory", [show_bytes(estimate.peak_memory_bytes) for estimate in ranked], dropped=2
        ),
        Column("at once", [show_count(estimate.max_workers) for estimate in ranked], dropped=3),
        Column(
            "",
            [bar(estimate.seconds, longest) for estimate in ranked],
            left=True,
            dropped=1,
        ),
        Column("", [advice.standing(estimate.model) for estimate in ranked], left=True),
    ]
    chosen = [estimate.model for estimate in ranked].index(advice.model)
    return lay_out(columns, width, marked=chosen)


def reasons(advice: Recommendation, width: int) -> list[str]:
    """Return the reasons, one entry each: those about the chosen model first."""
    listed = []
    for verdict, models, finding in _grouped(advice):
        head = f"{verdict} {', '.join(models)}"
        source = (
            finding.rule
            if finding.article == BEYOND
            else f"{finding.rule}, article: {finding.article}"
        )
        listed.append((head, f"{finding.reason} ({source})"))
    return entries("Why", listed, width)


def flips(advice: Recommendation, width: int) -> list[str]:
    """Return the nearest changes that would change the model."""
    return entries("Flips", [("", flip.text) for flip in advice.flips], width)


def notes(advice: Recommendation, width: int) -> list[str]:
    """Return which model may be faster, what was assumed and which limits hold."""
    return entries("Note", [("", text) for text in advice.told()], width)


# The user's files to open first, with what is in them.
_BEGIN_HERE = {
    "work.py": "your function",
    "settings.py": "its limits",
    "items.jsonl": "its items",
    "items.parquet": "its items",
    "AGENTS.md": "what is whose, how to run it",
    "CONCURRENCY.md": "why this model",
}


def tree(root: str, package: str, files: Sequence[str], width: int) -> list[str]:
    """Return the files of a project, indented by folder, the user's own first.

    Each of concgen's folders is one line.
    """
    folded = (f"{package}/runner/".lstrip("/"), ".concgen/")
    paths = dict.fromkeys(
        next((folder for folder in folded if file.startswith(folder)), file) for file in files
    )
    lines = [f"{root}/"]
    known: set[str] = set()
    for shown in sorted(paths, key=lambda path: _rank(path, package)):
        *folders, name = shown.rstrip("/").split("/")
        for depth, folder in enumerate(folders, 1):
            path = "/".join(folders[:depth])
            if path not in known:
                known.add(path)
                lines.append(f"{'  ' * depth}{folder}/")
        note = _BEGIN_HERE.get(name, "")
        if shown in folded:
            count = sum(file.startswith(shown) for file in files)
            name, note = f"{name}/", f"concgen's: {show_count(count)} files"
        line = f"{'  ' * (len(folders) + 1)}{name}"
        column = f"{line:<24} "
        lines += wrap(note, width, column, " " * len(column)) or [line]
    return lines


def _rank(path: str, package: str) -> tuple[bool, bool, bool, int, str]:
    """Order the package first, in it the user's work, and concgen's folders last."""
    *folders, name = path.rstrip("/").split("/")
    first = list(_BEGIN_HERE)
    place = first.index(name) if name in first else len(first)
    return folders[:1] != [package], path.endswith("/"), not folders, place, path


def _grouped(advice: Recommendation) -> Iterable[tuple[str, list[str], Finding]]:
    """Yield each reason once, with all its models; reasons about the chosen model come first."""
    groups: dict[tuple[str, str], tuple[list[str], Finding]] = {}
    for finding in advice.findings:
        models, _ = groups.setdefault((finding.rule, finding.verdict), ([], finding))
        models.append(finding.model.value)
    chosen = advice.model.value
    ranked = sorted(groups.items(), key=lambda item: chosen not in item[1][0])
    for (_, verdict), (models, finding) in ranked:
        yield verdict, models, finding
