"""Run `concgen` in this process, quickly, and see what a user would see."""

import io
import json
import sys
from dataclasses import dataclass

import pytest
from hypothesis import settings

from scaffold import cli

# A busy machine is no failure: how long an example takes is nobody's property.
settings.register_profile("concgen", deadline=None)
settings.load_profile("concgen")


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
