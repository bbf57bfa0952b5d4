"""How `--help` looks: as wide as the terminal, the options in groups, readable when narrow."""

from __future__ import annotations

import typer
from typer.core import TyperCommand, TyperGroup

# What each command's help ends with, without the word concgen.
EXAMPLES = {
    "new": "new crawl --workload io --tasks 20k --task-time 200ms --yes",
    "add": "add shop.fast --from shop.thumbs:thumb --items items.txt --yes",
    "recommend": "recommend --workload cpu --tasks 5k --task-time 50ms --yes",
    "measure": "measure work.py:digest --items items.jsonl",
    "bench": "bench work.py:digest --items items.jsonl --save bench.svg",
    "demo": "demo cpu --save demo.svg",
    "doctor": "doctor --calibrate",
    "rules": "rules R4",
    "starters": "starters blank",
    "models": "models",
    "switch": "switch threading --dry-run",
    "update": "update --diff",
    "diff": "diff --stat",
    "check": "check --measure",
    "undo": "undo",
}
EXIT_CODES = (
    ("0", "done"),
    ("1", "a fault in concgen"),
    ("2", "an invalid value"),
    ("3", "refused, to protect your files or data"),
    ("4", "done, but conflicts are left for you to resolve"),
    ("5", "check: the decision flipped"),
    ("130", "interrupted; nothing half-finished is left"),
)
STREAMS = "Results go to stdout, messages to stderr. With --json the result is one document."

# Below this many columns a text beside its option has no room, and goes below it.
SIDE_BY_SIDE = 60
# Columns that an option takes at most when its text is beside it.
WIDEST_OPTION = 36
# Characters within which every first sentence ends.
WHOLE = 200


class Screen(typer.Context):
    """A context whose help fills the terminal, as every other output does."""

    def make_formatter(self):  # type: ignore[no-untyped-def]  # of a class that Typer keeps private
        """Return a formatter of the width that answers have."""
        from scaffold.terminal import console

        return self.formatter_class(width=console.width())


class Command(TyperCommand):
    """A command whose options are listed by the group that they name."""

    context_class = Screen

    def format_options(self, ctx, formatter) -> None:  # type: ignore[no-untyped-def]
        """Write the arguments and the options, a table for each group."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            usual = "Arguments" if param.param_type_name == "argument" else "Options"
            title = getattr(param, "rich_help_panel", None) or usual
            if record := param.get_help_record(ctx):
                groups.setdefault(title, []).append(record)
        beside = formatter.width >= SIDE_BY_SIDE
        for title, records in groups.items():
            with formatter.section(title):
                formatter.write_dl(records, col_max=WIDEST_OPTION if beside else 2)

    def collect_usage_pieces(self, ctx) -> list[str]:  # type: ignore[no-untyped-def]
        """Return the words of the usage line, an argument without the braces of a set."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_epilog(self, ctx, formatter) -> None:  # type: ignore[no-untyped-def]
        """Write one line to try."""
        formatter.write_paragraph()
        formatter.write_text(f"Example: concgen {EXAMPLES[ctx.info_name]}")

    def get_short_help_str(self, limit: int = 0) -> str:
        """Return the first sentence whole: a narrow terminal wraps it."""
        return super().get_short_help_str(max(limit, WHOLE))


class Group(TyperGroup):
    """The list of commands."""

    context_class = Screen

    def format_options(self, ctx, formatter) -> None:  # type: ignore[no-untyped-def]
        """Write the options, the commands, and what a script has to know."""
        super().format_options(ctx, formatter)
        with formatter.section("Exit codes"):
            formatter.write_dl(EXIT_CODES)
        formatter.write_paragraph()
        formatter.write_text(STREAMS)
