"""What goes to the terminal: our own messages, and what work() prints, in whole lines.

Many threads and processes write to one terminal or file. So a line that work() prints is held back
until it is whole, by each thread for itself, and goes out in one write.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.machinery import PathFinder
from typing import Any

from .task import PACKAGE, EngineError


def say(text: str) -> None:
    """One line for the user, on stderr."""
    tell(f"{PACKAGE}: {text}\n")


def tell(text: str) -> None:
    """Write to stderr; do not fail where nobody can read it any more."""
    try:
        stderr = getattr(sys.stderr, "stream", sys.stderr)  # past WholeLines, also half a line
        stderr.write(text)
        stderr.flush()
    except Exception:  # the terminal is closed, `tee` has ended, the disk is full
        with contextlib.suppress(Exception):  # what was not written would fail again at the exit
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, sys.stderr.fileno())
            os.close(null)


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """Wrap printing to stdout: a reader that has left is no error, others raise EngineError."""
    try:
        yield
        sys.stdout.flush()
    except OSError as exc:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still to flush
        invalid = sys.platform == "win32" and exc.errno == errno.EINVAL  # as Windows calls that
        if not (invalid or isinstance(exc, BrokenPipeError)):
            raise EngineError(f"cannot print the results: {exc.strerror or exc}") from None


def to_type(words: Sequence[str]) -> str:
    """Return the words as a command line, quoted for the shell of this system."""
    if sys.platform == "win32":
        import subprocess

        return subprocess.list2cmdline(words)
    import shlex

    return shlex.join(words)


def whole_lines() -> None:
    """Let this process print whole lines from now on."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, WholeLines):
            setattr(sys, name, WholeLines(stream))


def show_records(keys: Mapping[int, Any] | None = None) -> None:
    """Show log records from now on. `keys` has the keys of items by their positions."""

    def show() -> None:
        from . import logs

        logs.show({} if keys is None else keys)

    when_logging(show)


def when_logging(then: Callable[[], object]) -> None:
    """Call `then` once `logging` is imported: the import takes 5 ms, and many never need it."""
    if "logging" in sys.modules:
        then()
    else:
        sys.meta_path.insert(0, _Awaited(then))


class _Awaited:
    """A finder of modules that only waits for the import of `logging`."""

    def __init__(self, then: Callable[[], object]) -> None:
        self._then = then

    def find_spec(self, name: str, *_: object) -> Any:
        """Find `logging` as Python would, but call `then` once it is imported."""
        if name != "logging" or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        spec: Any = PathFinder.find_spec(name)
        execute = spec.loader.exec_module

        def execute_and_then(module: Any) -> None:
            execute(module)
            self._then()

        spec.loader.exec_module = execute_and_then
        return spec


class WholeLines:
    """A stream that passes on whole lines. `stream` takes everything at once."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self._over = stream.isatty() and sys.stderr.isatty()  # where the progress is
        self._begun: dict[int, str] = {}  # by thread
        atexit.register(self._end)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write the lines that are whole now, and hold the rest."""
        thread = threading.get_ident()
        lines, end, unfinished = (self._begun.pop(thread, "") + text).rpartition("\n")
        if unfinished:
            self._begun[thread] = unfinished
        if end:
            self._put(lines + end)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def _put(self, text: str) -> None:
        if self._over:
            from shutil import get_terminal_size  # workers do without: 3 ms

            first, _, more = text.partition("\n")
            text = f"\r{first.ljust(get_terminal_size().columns - 1)}\n{more}"
        self.stream.write(text)
        self.stream.flush()

    def _end(self) -> None:
        """Write the lines that were begun and never ended."""
        while self._begun:
            self._put(self._begun.popitem()[1] + "\n")
