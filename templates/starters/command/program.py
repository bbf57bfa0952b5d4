"""Running a program from a thread that may wait for it."""

import contextlib
import subprocess
import threading
from collections.abc import Callable
from typing import IO, Any

from .group import Group
from .output import LEAVING, Output, Result

PIECE = 65_536  # bytes that a pipe holds


def run(command: list[str], text: str | None, cwd: str | None, seconds: float) -> Result:
    """Run the command with `text` as its input; return its stdout and the end of its stderr.

    Raises OSError when it cannot be started, ProgramError when it fails, writes too much or takes
    more than `seconds`. What it leaves running is killed.
    """
    pipe = subprocess.PIPE
    data = None if text is None else text.encode()
    with Group() as group:
        output = Output(group)
        process = subprocess.Popen(  # noqa: S603  # a list, no shell
            command,
            bufsize=0,
            stdin=subprocess.DEVNULL if data is None else pipe,
            stdout=pipe,
            stderr=pipe,
            cwd=cwd,
            **group.options,
        )
        group.adopt(process.pid)
        threads = [
            _start(_read, process.stdout, output.add_stdout),
            _start(_read, process.stderr, output.add_stderr),
        ]
        if data is not None:
            threads.append(_start(_write, process.stdin, data))
        timer = threading.Timer(seconds, output.expire)
        timer.daemon = True
        timer.start()
        try:
            code = process.wait()
        finally:
            timer.cancel()
    for thread in threads:
        thread.join(LEAVING)
    return output.result(code, seconds)


def _start(target: Callable[..., None], *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments, daemon=True)
    thread.start()
    return thread


def _read(stream: IO[bytes], add: Callable[[bytes], None]) -> None:
    with stream:
        while data := stream.read(PIECE):
            add(data)


def _write(stream: IO[bytes], data: bytes) -> None:
    with contextlib.suppress(OSError), stream:  # it ended without reading all of that
        remaining = memoryview(data)
        while remaining:
            remaining = remaining[stream.write(remaining) :]
