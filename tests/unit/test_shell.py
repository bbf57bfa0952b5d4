"""Lines to type, as the shell reads them that is there."""

import pytest

from scaffold.core import shell

ODD = "it's 100% mine"


@pytest.fixture(params=["posix", "cmd", "powershell"])
def where(request, monkeypatch):
    monkeypatch.setattr("sys.platform", "linux" if request.param == "posix" else "win32")
    monkeypatch.delenv("PROMPT", raising=False)
    if request.param == "cmd":
        monkeypatch.setenv("PROMPT", "$P$G")
    return request.param


def test_a_word_with_spaces_stays_one_word(where):
    lines = {
        "posix": """cd 'it'"'"'s 100% mine'""",
        "cmd": 'cd "it\'s 100% mine"',
        "powershell": "cd 'it''s 100% mine'",
    }
    assert shell.join(["cd", ODD]) == lines[where]


def test_a_plain_word_is_not_quoted(where):
    assert shell.quote("../crawl-2") == "../crawl-2"


def test_a_path_of_windows_is_plain_there(where):
    path = r"C:\work\crawl"
    assert shell.quote(path) == (f"'{path}'" if where == "posix" else path)


def test_commands_follow_one_another(where):
    """The PowerShell that Windows brings knows no &&."""
    assert shell.then("cd a", "ls") == ("cd a; ls" if where == "powershell" else "cd a && ls")
