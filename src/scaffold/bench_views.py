"""What the user reads of a bench: predicted beside measured, a bar per model. Prints nothing."""

from __future__ import annotations

from scaffold.commands.bench import Bench
from scaffold.units import show_count, show_seconds
from scaffold.views import BAR, NARROW, draw_bar, fit


def bench(found: Bench, width: int) -> list[str]:
    """Return a line per model, fastest first, and the name of the fastest."""
    ranked = sorted(found.results, key=lambda one: one.measured_seconds)
    shortest, longest = ranked[0].measured_seconds, ranked[-1].measured_seconds
    bar = BAR if width >= NARROW else 0
    name = max(len(one.model) for one in ranked)
    lines = [f"{'':{name}}  {'predicted':>9}  {'measured':>9}  {'error':>6}"]
    for one in ranked:
        figures = (
            f"{one.model:<{name}}  {show_seconds(one.predicted_seconds):>9}"
            f"  {show_seconds(one.measured_seconds):>9}  {one.error:>+6.0%}"
        )
        drawn = draw_bar(one.measured_seconds, shortest, longest, bar)
        remarks = [f"{show_count(one.max_workers)} at once"]
        if one.extrapolated:
            remarks.append(f"from {show_count(one.items)} items")
        if one.failed:
            remarks.append(f"{show_count(one.failed)} failed")
        lines.append(f"{figures}  {drawn:<{bar}}  {', '.join(remarks)}" if bar else figures)
    fastest = found.fastest
    lines.append("")
    lines.append(
        f"fastest: {fastest.model}, {show_seconds(fastest.measured_seconds)}"
        f" for {show_count(found.workload.tasks)} items"
    )
    return [fit(line.rstrip(), width) for line in lines]
