"""What the user reads of a recommendation, as lines of text that fit a width. Prints nothing."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence

from scaffold.domain import Estimate, Finding, Model, Recommendation, Verdict
from scaffold.rules import BEYOND
from scaffold.units import show_bytes, show_count, show_ratio, show_seconds

BAR = 12
# Below this width a bar is worth less than the words beside it.
NARROW = 60

_WORKERS = {
    Model.THREADING: ("thread", "threads"),
    Model.ASYNCIO: ("in flight", "in flight"),
    Model.MULTIPROCESSING: ("process", "processes"),
    Model.HYBRID: ("in flight", "in flight"),
    Model.DASK: ("in flight", "in flight"),
}


def recommendation(advice: Recommendation, width: int) -> list[str]:
    """Return the whole advice: the headline, the table, the reasons, the flips."""
    return [
        *textwrap.wrap(advice.headline, width),
        "",
        *table(advice, width),
        "",
        *reasons(advice, width),
        *flips(advice, width),
        *notes(advice, width),
    ]


def table(advice: Recommendation, width: int) -> list[str]:
    """Return one line per model, fastest first: time, speedup, memory, a bar, a note."""
    shortest, longest = advice.estimates[0].seconds, advice.estimates[-1].seconds
    bar = BAR if width >= NARROW else 0
    rows = [("", "time", "speedup", "memory", "", "")] + [
        (
            one.model.value,
            show_seconds(one.seconds),
            show_ratio(one.speedup),
            show_bytes(one.peak_memory_bytes),
            draw_bar(one.seconds, shortest, longest, bar),
            note(advice, one),
        )
        for one in advice.estimates
    ]
    name = max(len(row[0]) for row in rows)
    lines = []
    for model, time, speedup, memory, drawn, remark in rows:
        figures = f"  {model:<{name}}  {time:>7}  {speedup:>7}  {memory:>7}"
        lines.append(f"{figures}  {drawn:<{bar}}  {remark}" if bar else f"{figures}  {remark}")
    return [fit(line.rstrip(), width) for line in lines]


def note(advice: Recommendation, estimate: Estimate) -> str:
    """Return the few words beside a model: its workers, and whether a rule speaks against it."""
    words = []
    if estimate.model is not Model.SEQUENTIAL:
        one, several = _WORKERS[estimate.model]
        count = estimate.max_workers
        words.append(f"{show_count(count)} {one if count == 1 else several}")
    if estimate.model is advice.model:
        words.append("recommended")
    else:
        verdicts = {one.verdict for one in advice.findings if one.model is estimate.model}
        if Verdict.FORBID in verdicts:
            words.append("ruled out")
        elif Verdict.AVOID in verdicts:
            words.append("avoided")
    return ", ".join(words)


def reasons(advice: Recommendation, width: int) -> list[str]:
    """Return why, a reason an entry: what speaks for the choice first."""
    entries = []
    for verdict, models, finding in _grouped(advice):
        head = f"{verdict} {', '.join(models)}"
        source = (
            finding.rule
            if finding.article == BEYOND
            else f"{finding.rule}, article: {finding.article}"
        )
        entries.append((head, f"{finding.reason} ({source})"))
    return _entries("Why", entries, width)


def flips(advice: Recommendation, width: int) -> list[str]:
    """Return the nearest changes that would change the model."""
    return _entries("Flips", [("", flip.text) for flip in advice.flips], width)


def notes(advice: Recommendation, width: int) -> list[str]:
    """Return what was assumed and which limits hold."""
    return _entries("Note", [("", text) for text in advice.notes], width)


def tree(root: str, files: Sequence[str]) -> list[str]:
    """Return the files of a project, indented by folder."""
    lines = [f"{root}/"]
    shown: set[str] = set()
    for file in sorted(files, key=lambda name: (name.count("/") == 0, name)):
        *folders, name = file.split("/")
        for depth, folder in enumerate(folders, 1):
            path = "/".join(folders[:depth])
            if path not in shown:
                shown.add(path)
                lines.append(f"{'  ' * depth}{folder}/")
        lines.append(f"{'  ' * (len(folders) + 1)}{name}")
    return lines


def _grouped(advice: Recommendation) -> Iterable[tuple[str, list[str], Finding]]:
    """Yield each reason once, with all the models it speaks of; the chosen model's come first."""
    groups: dict[tuple[str, str], tuple[list[str], Finding]] = {}
    for finding in advice.findings:
        models, _ = groups.setdefault((finding.rule, finding.verdict), ([], finding))
        models.append(finding.model.value)
    chosen = advice.model.value
    ranked = sorted(groups.items(), key=lambda item: chosen not in item[1][0])
    for (_, verdict), (models, finding) in ranked:
        yield verdict, models, finding


def _entries(title: str, entries: Sequence[tuple[str, str]], width: int) -> list[str]:
    """Lay out a titled list: title, head and text in three columns, or stacked when narrow."""
    lines: list[str] = []
    head_width = max((len(head) for head, _ in entries), default=0)
    for number, (head, text) in enumerate(entries):
        margin = f"{title if number == 0 else '':<6}"
        if width < NARROW or head_width > width // 3:
            first = f"{margin}{head}: " if head else margin
            lines += textwrap.wrap(text, width, initial_indent=first, subsequent_indent=" " * 8)
        else:
            first = f"{margin}{head:<{head_width}}  " if head_width else margin
            lines += textwrap.wrap(
                text, width, initial_indent=first, subsequent_indent=" " * len(first)
            )
    return lines


def draw_bar(seconds: float, shortest: float, longest: float, width: int) -> str:
    """Draw a duration on a logarithmic scale: the fastest is 1 long, the slowest fills the bar."""
    if not width:
        return ""
    if longest <= shortest:
        return "#"
    share = math.log(seconds / shortest) / math.log(longest / shortest)
    return "#" * (1 + round(share * (width - 1)))


def fit(line: str, width: int) -> str:
    """Cut a line that is too long for `width`, and show that it was cut."""
    return line if len(line) <= width else line[: width - 3] + "..."
