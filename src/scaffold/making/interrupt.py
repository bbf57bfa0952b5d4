"""Ctrl-C, SIGTERM, SIGHUP and Ctrl-Break, let in only where an interruption can be undone."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from scaffold.core.errors import Interrupted

# Ctrl-C, a request to end, a closed terminal, and the Ctrl-Break of Windows.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
SIGNALS = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))


class Guard:
    """Holds these signals back, except inside `open()`, where the first raises KeyboardInterrupt.

    A later signal, or a signal outside, is only noted: clean-up is never cut short.
    """

    def __init__(self) -> None:
        self.pending = False
        self._open = False

    @contextmanager
    def open(self) -> Iterator[None]:
        """Let an interruption in; a pending interruption is raised at once."""
        self._open = True
        try:
            self._check()
            yield
            self._check()  # a callback of the garbage collector may have swallowed the exception
        except Exception:
            self._check()  # the error may follow from the interruption
            raise
        finally:
            self._open = False

    def _check(self) -> None:
        if self.pending:
            raise KeyboardInterrupt from None

    def handle(self, _signum: int, _frame: FrameType | None) -> None:
        """Take one signal."""
        self.pending = True
        if self._open:
            self._open = False
            raise KeyboardInterrupt


@contextmanager
def guarded() -> Iterator[Guard]:
    """Install a Guard for SIGNALS, and put back what was there.

    The KeyboardInterrupt that it lets in leaves here as Interrupted. A signal that is ignored
    (nohup) stays so. Outside the main thread, where Python takes no handlers, the guard does
    nothing.
    """
    guard = Guard()
    before = {}
    try:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if (handler := signal.getsignal(number)) not in (signal.SIG_IGN, None):
                    before[number] = handler
                    signal.signal(number, guard.handle)
        yield guard
    except KeyboardInterrupt:
        raise Interrupted("interrupted: nothing was written") from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
