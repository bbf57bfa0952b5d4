"""The talk of `bench`: progress while it runs, the table or the document, the picture."""

from __future__ import annotations

from pathlib import Path

from scaffold.commands import bench
from scaffold.commands.bench import Bench, BenchRequest
from scaffold.core.errors import ConcgenError, Interrupted
from scaffold.terminal import bench_views, console, documents, progress_views


def watch(request: BenchRequest) -> tuple[Bench, int]:
    """Run the bench and report its steps; return the results and the exit code.

    Ctrl-C ends the bench with the results so far; without any result it raises Interrupted.
    """
    console.say_text(progress_views.running(bench.announcement(request)))
    so_far: list[Bench] = []
    code = 0
    try:
        with console.Steps(margin="  ") as steps:
            so_far.extend(bench.run(request, steps))
    except (KeyboardInterrupt, Interrupted):  # between two runs, or inside one
        code = Interrupted.exit_code
    if not so_far:
        raise Interrupted("interrupted before there was a result")
    if code:
        console.say_text("interrupted: these are the results so far")
    return so_far[-1], code


def record(results: Bench, request: BenchRequest) -> None:
    """Put the results into the record of the project that was benched, and say so in a line.

    Results that were cut short, or of which no model did the work, are not recorded.
    """
    if request.project is None or not results.complete or results.fastest is None:
        return
    from scaffold.commands import bench_record

    try:
        files = bench_record.keep(results, request.project)
    except Interrupted:
        raise
    except ConcgenError as problem:
        console.say_text(f"not recorded: {problem.message}")
    else:
        console.say_text(f"recorded in {' and '.join(files)}")


def show(results: Bench, save: Path | None, *, as_json: bool) -> None:
    """Print the results, and draw them when asked to."""
    if as_json:
        console.answer_json(documents.bench(results))
    else:
        console.say()
        console.answer_lines(bench_views.bench(results, console.width()))
    if save is not None:
        from scaffold.terminal import pictures, saving

        saving.save(save, pictures.of_bench(results, save.suffix))
