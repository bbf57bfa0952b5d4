"""Shell completion: the protocol that the shells speak, and real shells where there are some."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from scaffold import cli
from scaffold.core.rules import RULES
from scaffold.making import starters
from scaffold.making.inventory import available_models

pexpect = pytest.importorskip("pexpect")
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX"),
    # pytest-xdist has a thread; the child only execs
    pytest.mark.filterwarnings("ignore:.*forkpty:DeprecationWarning"),
]

SCRIPTS = sysconfig.get_path("scripts")
CONCGEN = str(Path(SCRIPTS) / "concgen")
# `concgen` is found as a user's shell finds it.
ON_PATH = {**os.environ, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", "TERM": "dumb"}
TAB, PATIENCE = "\t", 30


@pytest.fixture
def ask(monkeypatch, capsys):
    """Return a function: what concgen answers to a shell about an unfinished line."""

    def answer(shell, line):
        variables = {
            "_CONCGEN_COMPLETE": f"complete_{shell}",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(f"{line}|".split()) - 1),
            "_TYPER_COMPLETE_ARGS": line,
            "_TYPER_COMPLETE_WORD_TO_COMPLETE": line.rpartition(" ")[2],
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["concgen"])
        with pytest.raises(SystemExit) as ended:
            cli.run()
        assert not ended.value.code
        printed = capsys.readouterr()
        assert not printed.err
        return printed.out

    return answer


@pytest.fixture
def script(tmp_path):
    """Return a function that writes a shell's script to a file, as the documentation says."""

    def write(shell):
        """`--show-completion` takes the shell that it is called from; this one is named."""
        variables = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
        done = subprocess.run(
            [CONCGEN, "--show-completion", shell],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=True,
        )
        path = tmp_path / f"concgen.{shell}"
        path.write_text(done.stdout)
        return path

    return write


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("concgen n", ["new"]),
        ("concgen un", ["undo"]),
        ("concgen new --mo", ["--model"]),
        ("concgen new --workload ", ["io", "cpu", "mixed"]),
        ("concgen switch ", list(available_models())),
        ("concgen new --model ", ["auto", *available_models()]),
        ("concgen new --starter ", list(starters.names())),
        ("concgen starters ", list(starters.names())),
        ("concgen rules ", [rule.id for rule in RULES]),
        ("concgen switch th", ["threading"]),
        ("concgen new --answers ", []),  # nothing of ours: the shell offers its files
        ("concgen measure ", []),
    ],
)
def test_commands_options_and_values(ask, line, offered):
    assert ask("bash", line).split() == offered
    names = [answer.partition("\t")[0] for answer in ask("fish", line).splitlines()]
    assert [name for name in names if name] == offered


@pytest.mark.parametrize("shell", ["zsh", "fish", "powershell", "pwsh"])
def test_every_offer_says_what_it_means(ask, shell):
    """Where the shell can show it."""
    assert "thousands of tasks that wait" in ask(shell, "concgen switch as")
    assert "Take back" in ask(shell, "concgen un")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell", "pwsh"])
def test_every_shell_gets_a_script(script, shell):
    text = script(shell).read_text()
    assert "_CONCGEN_COMPLETE" in text
    assert "concgen" in text


def type_into(command, *setup):
    """Start an interactive shell, and type the lines of `setup`."""
    child = pexpect.spawn(command[0], list(command[1:]), env=ON_PATH, encoding="utf-8")
    child.timeout = PATIENCE
    for line in setup:
        child.sendline(line)
    child.sendline("echo rea''dy")
    child.expect("ready")
    return child


def test_a_real_bash(script):
    child = type_into(["bash", "--norc", "-i"], f"source {script('bash')}")
    child.send(f"concgen sw{TAB}")
    child.expect("concgen switch ")
    child.send(f"th{TAB}")
    child.expect("threading ")
    child.sendline("--help")
    child.expect("Usage: concgen switch")
    child.close(force=True)


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh here")
def test_a_real_zsh(script, tmp_path):
    dump = tmp_path / "dump"
    child = type_into(
        ["zsh", "-f", "-i"],
        f"autoload -U compinit; compinit -u -d {dump}",
        f"source {script('zsh')}",
    )
    child.send(f"concgen sw{TAB}")
    child.expect("itch")
    child.send(f"th{TAB}")
    child.expect("reading")
    child.sendline("--help")
    child.expect("Usage: concgen switch")
    child.close(force=True)


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish here")
def test_a_real_fish(script, tmp_path):
    def complete(line):
        command = f"source {script('fish')}; complete -C '{line}'"
        env = {**ON_PATH, "HOME": str(tmp_path)}
        done = subprocess.run(
            ["fish", "--no-config", "-c", command],
            env=env, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return [answer.partition("\t")[0] for answer in done.stdout.splitlines()]

    assert complete("concgen sw") == ["switch"]
    assert complete("concgen switch th") == ["threading"]


@pytest.mark.skipif(shutil.which("pwsh") is None, reason="no PowerShell here")
def test_a_real_powershell(script):
    line = "concgen switch th"
    command = (
        f". {script('pwsh')}; (TabExpansion2 '{line}' {len(line)}).CompletionMatches.CompletionText"
    )
    done = subprocess.run(
        ["pwsh", "-NoProfile", "-Command", command],
        env=ON_PATH, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["threading"]
