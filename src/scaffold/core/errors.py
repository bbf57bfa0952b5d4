"""What can go wrong, for the user's eyes: one line each, with an exit code.

    ConcgenError      1   a fault of ours
    ├── UsageError    2   an invalid value, or an answer that is missing
    ├── Refused       3   something of the user's would be lost
    └── Interrupted 130   Ctrl-C or SIGTERM; nothing half-made is left

The message says what is wrong, with which value; `hint` says what to do about it.
"""

from __future__ import annotations


class ConcgenError(Exception):
    """Root of every error that a command may end with."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ConcgenError):
    """The command line, an answer or an input file is not valid."""

    exit_code = 2


class Refused(ConcgenError):
    """Going on would overwrite or lose something that belongs to the user."""

    exit_code = 3


class Interrupted(ConcgenError):
    """The user, or the system, asked us to stop."""

    exit_code = 130
