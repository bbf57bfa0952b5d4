"""Processes that run the user's function at once, to see what a second worker gains."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import astuple
from queue import Empty, SimpleQueue
from typing import Any

from scaffold.measuring.child import command
from scaffold.measuring.machine import runner
from scaffold.measuring.sharing_child import Side
from scaffold.measuring.wire import to_text


class ProcessPair:
    """Two processes, which import the function while nothing is timed.

    If the function has `native` threads, a third process runs it on two threads that share them;
    the two processes are limited to their part of them, as worker processes are.
    """

    def __init__(self, request: Mapping[str, Any], *, native: bool) -> None:
        threads = dict.fromkeys(runner.THREAD_LIMITS, "1")
        limits = [{**threads, **dict.fromkeys(runner.POOL_LIMITS, "1")}] * 2
        limits += [threads] * native
        self._processes = [
            subprocess.Popen(  # noqa: S603  # our own Python
                command("scaffold.measuring.sharing_child", sys.executable),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**limit, **os.environ},
                text=True,
                encoding="utf-8",
            )
            for limit in limits
        ]
        self._answers: list[SimpleQueue[str]] = [SimpleQueue() for _ in self._processes]
        for process, answers in zip(self._processes, self._answers, strict=True):
            reader = threading.Thread(target=_read, args=(process, answers), daemon=True)
            reader.start()
        for number in range(len(self._processes)):
            self._tell(number, request)

    def ready(self, until: float) -> bool:
        """Tell whether all could import the function by `until`, on the monotonic clock."""
        count = len(self._processes)
        return all("ready" in (self._hear(number, until) or {}) for number in range(count))

    def on_threads(self, items: list[Any], seconds: float, repeat: bool, until: float) -> Side:
        """Return what the calls took on two threads of one process."""
        order = {"items": items, "threads": 2, "seconds": seconds, "repeat": repeat}
        number = 2 if len(self._processes) > 2 else 0
        self._tell(number, order)
        return Side(**(self._hear(number, until) or {}))

    def in_processes(
        self, items: list[Any], seconds: float, repeat: bool, until: float, threads: int = 1
    ) -> Side:
        """Return what the calls took in two processes at once, on `threads` threads in each."""
        for number in (0, 1):
            half = items if repeat else items[number::2]
            order = {"items": half, "threads": threads, "seconds": seconds, "repeat": repeat}
            self._tell(number, order)
        first, second = (Side(**(self._hear(number, until) or {})) for number in (0, 1))
        return Side(
            *(sum(figures) for figures in zip(astuple(first), astuple(second), strict=True))
        )

    def end(self) -> None:
        """Kill the processes."""
        for process in self._processes:
            process.kill()
        for process in self._processes:  # so that their CPU time counts as ours
            process.wait()

    def _tell(self, number: int, order: Mapping[str, Any]) -> None:
        pipe = self._processes[number].stdin
        if pipe is None:
            return
        with suppress(OSError):  # it died: no answer will come
            pipe.write(to_text(order) + "\n")
            pipe.flush()

    def _hear(self, number: int, until: float) -> dict[str, Any] | None:
        try:
            line = self._answers[number].get(timeout=max(0.0, until - time.monotonic()))
            heard: dict[str, Any] = json.loads(line)
        except (Empty, ValueError):
            return None
        return heard


def _read(process: subprocess.Popen[str], answers: SimpleQueue[str]) -> None:
    for line in process.stdout or ():
        answers.put(line)
    answers.put("")  # the process has ended
