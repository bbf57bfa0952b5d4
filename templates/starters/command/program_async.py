"""Running a program in an event loop."""

import asyncio
import contextlib
import subprocess
from typing import cast

from .group import Group
from .output import LEAVING, Output, Result


class Talk(asyncio.SubprocessProtocol):
    """What the event loop tells about the program, as it happens."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self.exited, self.closed = asyncio.Event(), asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Part of its stdout or of its stderr has come."""
        if fd == 1:
            self._output.add_stdout(data)
        else:
            self._output.add_stderr(data)

    def process_exited(self) -> None:
        """It has ended; programs that it left running may still hold its pipes."""
        self.exited.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended, and so have its pipes."""
        self.closed.set()


async def run(command: list[str], text: str | None, cwd: str | None, seconds: float) -> Result:
    """Run the command with `text` as its input; return its stdout and the end of its stderr.

    Raises OSError when it cannot be started, ProgramError when it fails, writes too much or takes
    more than `seconds`. What it leaves running is killed.
    """
    data = None if text is None else text.encode()
    with Group() as group:
        output = Output(group)
        transport, talk = await asyncio.get_running_loop().subprocess_exec(
            lambda: Talk(output),
            *command,
            stdin=subprocess.DEVNULL if data is None else subprocess.PIPE,
            cwd=cwd,
            **group.options,
        )
        group.adopt(transport.get_pid())
        timer = asyncio.get_running_loop().call_later(seconds, output.expire)
        try:
            if data is not None:
                stdin = cast("asyncio.WriteTransport", transport.get_pipe_transport(0))
                stdin.write(data)
                stdin.close()
            await talk.exited.wait()
        finally:
            timer.cancel()
            group.kill()  # programs that it left running would keep the pipes open
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LEAVING):
                    await talk.closed.wait()
            transport.close()
    return output.result(cast("int", transport.get_returncode()), seconds)
