"""Run `concgen` in this process, quickly, and see what a user would see."""

import io
import json
import math
import os
import signal
import sys
from dataclasses import dataclass

import pytest
import rendering
from hypothesis import settings

from scaffold import cli
from scaffold.measuring.machine import runner

# A busy machine is no failure: how long an example takes is nobody's property.
settings.register_profile("concgen", deadline=None)
settings.load_profile("concgen")

# A signal that is ignored here is ignored in every program that a test starts, too: SIGHUP under
# nohup, SIGINT in the background of a shell without job control. The tests send both.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


# Modules are compiled once, whatever the shell says, and not in every program that a test starts.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_xdist_auto_num_workers():
    """Twice as many as there are cores: half of the time is spent waiting for programs."""
    return math.ceil(2 * runner.core_time())


@pytest.fixture(scope="session", autouse=True)
def _renders_quickly():
    """Nine tenths of the time are saved, and what is written is the same."""
    with pytest.MonkeyPatch.context() as patch:
        rendering.reads_and_compiles_once(patch)
        rendering.asks_no_git(patch)
        yield


@pytest.fixture
def with_gil(monkeypatch):
    """A machine whose Python has a GIL, whatever runs the tests: the advice rests on it."""
    monkeypatch.setattr("scaffold.measuring.machine.gil_enabled", lambda: True)


@dataclass
class Result:
    """What one run ended with and printed."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """The one document on stdout."""
        return json.loads(self.out)

    @property
    def actions(self):
        """What the document of a plan says of each file."""
        return {file["path"]: file["action"] for file in self.json["files"]}


@pytest.fixture
def concgen(monkeypatch, capsys):
    """Return a function that runs the command line with arguments, and what is `typed` to it."""

    def run(*args, typed=""):
        monkeypatch.setattr(sys, "argv", ["concgen", *map(str, args)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        code = cli.run()
        printed = capsys.readouterr()
        return Result(code, printed.out, printed.err)

    return run
