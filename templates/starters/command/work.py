"""What is done with one item: an external program runs with its arguments.

    {"args": ["--sort-keys"], "input": "{\"b\": 1, \"a\": 2}", "cwd": "data", "timeout": 5}

Only `args` is needed. The program is always `PROGRAM`, and no shell reads the arguments: an item
cannot run anything else. The result is {"stdout": ..., "stderr": ...}; an exit code other than 0 is
an error with the end of stderr. The bounds of the output are in `output.py`.
"""

import os
import shutil
import sys
import threading
from typing import Any

from .output import Result
from .program import run

# What runs, with the arguments that every item has: replace it with a program of your own, as in
# ["ffmpeg", "-nostdin", "-i"]. Here it is a formatter for JSON that every Python brings.
PROGRAM = [sys.executable, "-I", "-m", "json.tool"]

# Seconds that one run may take, unless the item says otherwise: then the program is killed, with
# what it has started. Keep --timeout longer: an error by this timeout has the end of stderr.
TIMEOUT = 60.0

# Ends of pipes that one task has open while its program starts: three pipes to the program, one
# that ends it, and one that subprocess needs.
OPEN_FILES = 10


def setup() -> list[str]:
    """Find the program, once; raise FileNotFoundError when it is not there."""
    path = shutil.which(PROGRAM[0])
    if path is None:
        raise FileNotFoundError(f"no program {PROGRAM[0]!r} on the PATH")
    return [os.path.abspath(path), *PROGRAM[1:]]  # absolute, for an item may have a `cwd`


def work(item: dict[str, Any], program: list[str]) -> Result:
    """Return what the program writes for one item.

    Raises ProgramError when it fails, writes too much or takes too long.
    """
    args = item["args"]
    if not isinstance(args, list):  # the letters of a text would become arguments
        raise TypeError(f"args has to be a list, not {args!r}")
    timeout = float(item.get("timeout", TIMEOUT))
    if not 0 < timeout <= threading.TIMEOUT_MAX:
        raise ValueError(f"timeout {timeout:g}: expected seconds above 0")
    return run([*program, *args], item.get("input"), item.get("cwd"), timeout)
