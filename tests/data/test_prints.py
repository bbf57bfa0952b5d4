"""What work() prints and logs, from every worker, beside the progress."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

import pytest
from engines.assembly import MODELS, Project

WORK = """
import logging, sys, time

def work(item):
    for part in ("begin", "-", str(item), "-"):
        print(part, end="")
        time.sleep(0.001)
    print("end")
    logging.warning("logged %s", item)
    return item
"""
COUNT = 40


@pytest.mark.parametrize("model", MODELS[:-1])
def test_lines_are_whole_in_a_pipe(model: str, tmp_path: Path) -> None:
    """No worker's line is cut by another's; stdout and stderr stay apart."""
    items = "".join(f"{n}\n" for n in range(COUNT))
    done = Project.make(model, tmp_path, WORK, items).run("run", "--quiet")
    assert done.returncode == 0
    assert sorted(done.stdout.splitlines()) == sorted(f"begin-{n}-end" for n in range(COUNT))
    logged = [line for line in done.stderr.splitlines() if not line.startswith("pkg: ")]
    assert sorted(line[24:] for line in logged) == sorted(
        f"WARNING root [{n}] logged {n}" for n in range(COUNT)
    )


@pytest.mark.parametrize("model", ["threading", "multiprocessing"])
def test_lines_are_never_glued_to_the_progress(model: str, tmp_path: Path) -> None:
    """On a terminal a line takes the place of the progress, which comes again below."""
    pty = pytest.importorskip("pty")
    items = "".join(f"{n}\n" for n in range(COUNT))
    project = Project.make(model, tmp_path, WORK + "    time.sleep(0.02)\n", items)
    master, slave = pty.openpty()
    process = project.start("run", stdout=slave, stderr=slave)
    os.close(slave)
    text = b""
    with contextlib.suppress(OSError):  # so ends a terminal on Linux
        while data := os.read(master, 4096):
            text += data
    os.close(master)
    assert process.wait(60) == 0
    shown = [line.rpartition("\r")[2].rstrip() for line in text.decode().split("\r\n")]
    assert sorted(line for line in shown if line.startswith("begin")) == sorted(
        f"begin-{n}-end" for n in range(COUNT)
    )
    assert sum("logged" in line for line in shown) == COUNT
    logged = re.compile(r"\S+ \S+ WARNING root \[(\d+)\] logged \1")
    assert all(logged.fullmatch(line) for line in shown if "logged" in line)
