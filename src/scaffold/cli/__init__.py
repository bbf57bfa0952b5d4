"""The command line: Typer signatures, and the one place where errors become exit codes.

Start-up counts here: a command imports what it needs when it runs, not before.
"""

from __future__ import annotations

import gc

gc.disable()  # a command ends soon; collecting garbage would only take 7 ms

import os
import signal
import sys
from typing import TYPE_CHECKING

import typer

from scaffold.cli.app import build

# In the order in which `--help` lists their commands.
# isort: off
from scaffold.cli import making, advice, catalog, projects  # noqa: F401
# isort: on

if TYPE_CHECKING:
    from scaffold.core.errors import ConcgenError

# Typer keeps the root of its usage errors private; it is the base of the public BadParameter.
TyperUsageError: type[Exception] = typer.BadParameter.__bases__[0]


def main() -> None:
    """Run the command line and leave with its exit code.

    It leaves by `os._exit`: everything is flushed, and tearing down the imports would take 10 ms.
    """
    from scaffold.core.errors import Interrupted
    from scaffold.terminal import streams

    try:
        if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:  # as scaffold.__main__ leaves it
            signal.signal(signal.SIGINT, signal.default_int_handler)
        streams.settle()
        code = run()
    except KeyboardInterrupt:  # a second Ctrl-C, while the first is reported
        code = Interrupted.exit_code
    os._exit(code)


def run() -> int:
    """Run the command line; whatever goes wrong ends in one line and an exit code."""
    from scaffold.core.errors import ConcgenError, Interrupted, UsageError
    from scaffold.terminal import streams

    try:
        code = build()(standalone_mode=False) or 0
        if code == Interrupted.exit_code:  # Typer turns Ctrl-C into this code
            raise KeyboardInterrupt
        streams.flush()
    except KeyboardInterrupt:
        code = _report(Interrupted("interrupted; nothing half-finished is left"))
    except ConcgenError as problem:
        code = _report(problem)
    except TyperUsageError as problem:
        message = getattr(problem, "format_message", problem.__str__)()
        context = getattr(problem, "ctx", None)
        command = context.command_path if context else "concgen"
        code = _report(UsageError(message, hint=f"see {command} --help"))
    except Exception as problem:
        from scaffold.terminal import faults

        code = _report(faults.kept(problem))
    finally:
        gc.enable()
        if (spool := sys.modules.get("scaffold.asking.spool")) is not None:
            spool.discard()
    return int(code)


def _report(problem: ConcgenError) -> int:
    from contextlib import suppress

    from scaffold.core.errors import ConcgenError
    from scaffold.terminal import console, streams

    console.error(problem)
    with suppress(ConcgenError):  # one problem is enough
        streams.flush()
    return problem.exit_code
