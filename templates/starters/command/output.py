"""What a program has written, within bounds, and whether that is a result or an error."""

import signal

from .group import Group

# Bytes of stdout that one item may bring. A program that writes more is killed: a result that was
# cut off would look whole.
MAX_OUTPUT = 1_000_000

# The encoding of stdout; output in another is an error, for replaced characters would look right.
ENCODING = "utf-8"

# Bytes of stderr that are kept, of its end: that is where a program says why it failed.
MAX_STDERR = 2_000

# Seconds that output may still arrive after the program has ended.
LEAVING = 1.0


Result = dict[str, str]  # stdout, and the end of stderr


class ProgramError(Exception):
    """The program failed, wrote too much or took too long."""


class Output:
    """The output of the program in `group`, as it comes."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._stdout, self._stderr = bytearray(), bytearray()
        self._late = False

    def add_stdout(self, data: bytes) -> None:
        """Keep the data, or kill the program when it is too much."""
        self._stdout += data
        if len(self._stdout) > MAX_OUTPUT:
            del self._stdout[MAX_OUTPUT + 1 :]
            self._group.kill()

    def add_stderr(self, data: bytes) -> None:
        """Keep the end of it."""
        self._stderr += data
        del self._stderr[:-MAX_STDERR]

    def expire(self) -> None:
        """Its time is over: kill it."""
        self._late = True
        self._group.kill()

    def result(self, code: int, seconds: float) -> Result:
        """Return stdout and the end of stderr as text; raise ProgramError for a failure.

        `code` is the exit code, or minus the number of the signal that ended the program; `seconds`
        is the time that it had.
        """
        stderr = self._stderr.decode(errors="replace").strip()
        if len(self._stdout) > MAX_OUTPUT:
            raise ProgramError(f"killed: it wrote more than {MAX_OUTPUT:,} bytes")
        if code and self._late:
            raise ProgramError(f"killed after {seconds:g} s: {stderr}")
        if code:
            raise ProgramError(f"{_reason(code)}: {stderr}")
        try:
            stdout = self._stdout.decode(ENCODING)
        except UnicodeDecodeError as error:
            raise ProgramError(f"its output is not {ENCODING} (ENCODING): {error}") from None
        return {"stdout": stdout, "stderr": stderr}


def _reason(code: int) -> str:
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"exit code {code}"
