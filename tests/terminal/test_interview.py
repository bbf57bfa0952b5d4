"""The interview on a real pseudo-terminal: as a person would answer, err and leave."""

import os
import signal
import sys
import time

import pytest

pexpect = pytest.importorskip("pexpect")
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX"),
    # pytest-xdist has a thread; the child only execs
    pytest.mark.filterwarnings("ignore:.*forkpty:DeprecationWarning"),
]

PATIENCE = 30


@pytest.fixture
def terminal(tmp_path):
    """Return a function that starts `concgen` on a terminal, in an empty folder."""
    children = []

    def start(*args, columns=100, **variables):
        env = {**os.environ, "TERM": "xterm", **variables}
        for name in {"NO_COLOR", "COLUMNS"} - set(variables):
            env.pop(name, None)
        child = pexpect.spawn(
            sys.executable,
            ["-m", "scaffold", *args],
            cwd=str(tmp_path),
            env=env,
            timeout=PATIENCE,
            encoding="utf-8",
            dimensions=(50, columns),
        )
        children.append(child)
        return child

    yield start
    for child in children:
        child.close(force=True)


def end(child):
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def answer_io(child):
    child.expect("mostly do")
    child.sendline("1")
    child.expect("How many tasks")
    child.sendline("20k")
    child.expect("How long")
    child.sendline("")
    child.expect(r"makes the calls async")
    child.sendline("y")
    child.expect("in flight at once")
    child.sendline("unknown")
    child.expect("limit the rate")
    child.sendline("")


def test_five_answers_make_a_project(terminal, tmp_path):
    """The whole way, ending with the one-line command that does the same."""
    child = terminal("new", "crawl")
    answer_io(child)
    child.expect("asyncio, up to 1,000 in flight")
    child.expect("Use asyncio")
    child.sendline("")
    child.expect("start from")
    child.sendline("")
    child.expect("Created crawl/")
    child.expect("python -m crawl run")
    child.expect("concgen new crawl --workload io --tasks 20k --task-time 200ms --yes")
    assert end(child) == 0
    assert (tmp_path / "crawl" / "crawl" / "runner" / "engine.py").is_file()


def test_wrong_answers_are_asked_again(terminal):
    """The message names the answer and what would be right, and the question comes again."""
    child = terminal("recommend")
    child.expect("Choice")
    child.sendline("9")
    child.expect("'9' is not one of waits, computes, both, not sure")
    child.expect("Choice")
    child.sendline("2")
    child.expect("How many tasks")
    child.sendline("a lot")
    child.expect("'a lot' is not a count")
    child.sendline("2000")
    child.expect("How long")
    child.sendline("50ms")
    child.expect("release the GIL")
    child.sendline("perhaps")
    child.expect("'perhaps' is not yes or no")
    child.sendline("n")
    child.expect("How much data")
    child.sendline("")
    child.expect("How much memory")
    child.sendline("")
    child.expect("in flight: about")
    assert end(child) == 0


def test_questions_break_between_words(terminal):
    """On a terminal of 40 columns nothing is cut, and the word that is shown is an answer."""
    child = terminal("recommend", columns=40)
    child.expect("for the network, a disk,\r\n +a database, another\r\n +program\r\n")
    child.expect("Choice")
    child.sendline("waits")
    child.expect(r"How many tasks\? \(such as 500,\r\n  20k, 1e6\) \[1000\]: ")
    child.sendline("many")
    child.expect("  'many' is not a count, such as 500,\r\n +20k or 1e6\r\n")
    for _ in range(5):
        child.sendline("")
    child.expect("in flight: about")
    assert end(child) == 0


def test_not_sure_measures_the_users_function(terminal, tmp_path):
    """The fourth answer leads to the function and its items, and on to a project that runs it."""
    (tmp_path / "slow.py").write_text(
        "import time\ndef f(x):\n    time.sleep(0.01)\n    return x\n"
    )
    (tmp_path / "items.jsonl").write_text("".join(f"{n}\n" for n in range(40)))
    child = terminal("new", "crawl", "--budget", "1")
    child.expect("not sure")
    child.sendline("4")
    child.expect("Which function")
    child.sendline("slow.py")
    child.expect("is not FILE.py:FUNCTION")
    child.sendline("slow.py:f")
    child.expect("Which items")
    child.sendline("missing.jsonl")
    child.expect("No such file")
    child.expect("Which items")
    child.sendline("")
    child.expect("for real")
    child.expect("Run it")
    child.sendline("")
    child.expect("Use threading")
    child.sendline("y")
    child.expect("--from slow.py:f --items items.jsonl --yes")
    assert end(child) == 0
    assert (tmp_path / "crawl" / "crawl" / "slow.py").is_file()


def test_another_model_than_the_advice(terminal, tmp_path):
    """The user has the last word, and the command line says so."""
    child = terminal("new", "crawl")
    answer_io(child)
    child.expect("Use asyncio")
    child.sendline("threads")
    child.expect(r"did\s+you\s+mean\s+threading")
    child.sendline("threading")
    child.expect("What does the project start from")
    child.sendline("")
    child.expect("Created crawl/")
    child.expect("--model threading --yes")
    assert end(child) == 0
    assert "asyncio" not in (tmp_path / "crawl" / "crawl" / "runner" / "engine.py").read_text(
        "utf-8"
    )


def test_no_goes_back_to_the_answers(terminal, tmp_path):
    """They are the defaults then; q ends without a project."""
    child = terminal("new", "crawl")
    answer_io(child)
    child.expect("You said: .*tasks: 20,000")
    child.expect("Use asyncio")
    child.sendline("n")
    child.expect("mostly do")
    child.sendline("")
    child.expect(r"How many tasks\? \(.*\) \[20k\]: ")
    child.sendline("don't know")
    for question in ("How long", "makes the calls async", "in flight at once", "limit the rate"):
        child.expect(question)
        child.sendline("")
    child.expect("Assumed: tasks: 1,000")
    child.expect("Use threading|Use asyncio")
    child.sendline("q")
    child.expect("Nothing was written")
    assert end(child) == 0
    assert list(tmp_path.iterdir()) == []


def test_no_stops_where_nothing_was_asked(terminal, tmp_path):
    """There are no answers to go back to."""
    (tmp_path / "answers.toml").write_text(
        'workload = "io"\ntasks = 20\ntask-time = "1s"\nasync-client = false\n'
        'max-in-flight = "none"\nrate = "none"\n'
    )
    child = terminal("new", "crawl", "--answers", "answers.toml")
    child.expect("Use ")
    child.sendline("?")
    child.expect("n stops")
    child.sendline("n")
    child.expect("Nothing was written")
    assert end(child) == 0


def test_a_place_that_will_not_do_is_asked_again(terminal, tmp_path):
    """As nothing can be written there, or no project can have its name."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.py").touch()
    child = terminal("new")
    child.expect("Where does")
    child.sendline("full")
    child.expect("is not empty")
    child.expect("Where does")
    child.sendline("no name!")
    child.expect("cannot name a project")
    child.expect("Where does")
    child.sendline("?")
    child.expect("A new directory")
    child.sendcontrol("c")
    assert end(child) == 130


def test_ctrl_c_at_a_question_exits_130(terminal, tmp_path):
    """One line, no traceback, nothing on disk."""
    child = terminal("new", "crawl")
    child.expect_exact("[1]: ")
    time.sleep(0.3)  # it reads by now: a signal just before the read waits for the next key
    child.sendintr()
    child.expect("interrupted")
    assert end(child) == 130
    assert "Traceback" not in (child.before or "")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_d_at_a_question_exits_2(terminal, tmp_path):
    """The end of the input is a missing answer."""
    child = terminal("new", "crawl")
    child.expect("Choice")
    child.sendeof()
    child.expect("ended before every question")
    assert end(child) == 2
    assert list(tmp_path.iterdir()) == []


def test_sigterm_at_a_question_ends_at_once(terminal, tmp_path):
    """Nothing hangs on to the terminal."""
    child = terminal("new", "crawl")
    child.expect("Choice")
    child.kill(signal.SIGTERM)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130 or child.signalstatus == signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_where_none_is_wanted(terminal, variables):
    """No escape sequence at all."""
    child = terminal("recommend", "--yes", **variables)
    child.expect(pexpect.EOF)
    assert "\033" not in child.before


def test_a_full_destination_is_refused_before_any_question(terminal, tmp_path):
    """Five answers for nothing would be rude."""
    (tmp_path / "crawl").mkdir()
    (tmp_path / "crawl" / "mine.py").write_text("x = 1\n")
    child = terminal("new", "crawl")
    child.expect("not empty")
    assert end(child) == 3


def test_an_error_breaks_between_words_where_it_is_narrow(terminal):
    """And every word of it is there."""
    child = terminal("new", "--starter", "databse", "--yes", columns=40, NO_COLOR="1")
    child.expect(pexpect.EOF)
    lines = child.before.split("\r\n")
    assert max(map(len, lines)) <= 40
    words = [word.strip("'`\"?,.;") for word in " ".join(lines).split()]
    assert words[0] == "error:"
    assert {"databse", "database"} <= set(words)


def test_every_line_breaks_between_words_where_it_is_narrow(terminal):
    """Only a command to copy and a single long word, such as a path, may be wider."""
    for command in (
        "new class --model threading --yes",
        "switch hybrid --project class",
        "check --project class",
        "undo --project class",
        "update --project class",
        "diff --project class",
        "rules",
        "rules R4",
        "starters",
        "starters http",
        "models",
    ):
        child = terminal(*command.split(), columns=40, NO_COLOR="1")
        child.expect(pexpect.EOF)
        wide = [line for line in child.before.split("\r\n") if len(line) > 40]
        sentences = [line for line in wide if " " in line.strip()]
        assert [line for line in sentences if not line.startswith("  concgen ")] == [], command
        assert end(child) == 0, command


def test_the_line_that_moves_leaves_room_for_ctrl_c(terminal):
    """The terminal shows ^C in its row, which is wiped: it does not move on to the next."""
    child = terminal("demo", "io", columns=60, NO_COLOR="1")
    child.expect(r"\r([^\r\n]*s left *)\r")
    assert len(child.match.group(1)) == 60 - 1 - len("^C")
    child.sendintr()
    child.expect(r"\^C[^\n]*\r {59}\r")
    assert end(child) == 130
