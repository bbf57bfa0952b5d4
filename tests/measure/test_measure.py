"""Measuring real functions: what they do with their time and the GIL, and every way to fail."""

import subprocess
import sys
import time

import pytest

from scaffold.asking.target import parse_target
from scaffold.core.errors import UsageError
from scaffold.making.items import read_items
from scaffold.measuring.machine import gil_enabled, runner
from scaffold.measuring.measure import measure

BUSY = "the machine is too busy to tell"
NO_GIL = "this interpreter runs without the GIL"


def profile(module, items, function, budget=2.0):
    target = parse_target(f"{module}:{function}")
    return measure(target, read_items(items), budget, repeat=True)


@pytest.mark.parametrize(
    ("function", "cpu", "gil"),
    [
        ("loop", 1, 1),
        ("tiny", 1, 1),
        ("parse", 1, 1),
        ("order", 1, 1),
        ("digest", 1, 0),
        ("pack", 1, 0),
        ("wait", 0, None),
        ("wait_async", 0, None),
        ("compute_async", 1, 1),
    ],
)
def test_shares_of_known_functions(module, items, function, cpu, gil):
    """Within 0.15 of the truth, or an honest word that the machine is too busy.

    Other tests come and go beside it, faster than the busy share tells: it has three tries.
    """
    if gil and not gil_enabled():
        gil = 0
    for tries_left in (2, 1, 0):
        measured = profile(module, items, function, budget=2.0)
        off = abs((measured.gil_fraction or 0) - gil) if gil is not None else 0
        if off <= 0.15 or not tries_left:
            break
    if measured.cpu_fraction is None:
        assert measured.reasons["cpu_fraction"] == BUSY
    else:
        assert measured.cpu_fraction == pytest.approx(cpu, abs=0.15)
    if measured.gil_fraction is None and measured.busy_fraction > 0.2:
        gil = None
    if gil is None or measured.reasons.get("gil_fraction") in (BUSY, NO_GIL):
        assert measured.gil_fraction is None
        assert measured.reasons["gil_fraction"]
    else:
        busy = measured.busy_fraction > 0.1
        assert measured.gil_fraction == pytest.approx(gil, abs=0.5 if busy else 0.15)


def test_the_gil_held_too_briefly_to_see_is_not_guessed(module, items):
    """It is held for less than a late wake-up takes to show: two threads tell, or nobody does."""
    measured = profile(module, items, "nibble")
    if measured.thread_gain is None:
        assert measured.gil_fraction is None
        reason = measured.reasons["gil_fraction"]
        known = "too briefly" in reason or "hardly computes" in reason
        assert known or reason in (BUSY, NO_GIL)


@pytest.mark.parametrize(("function", "threads"), [("loop", 1), ("digest", 2)])
def test_what_two_threads_and_two_processes_gain(module, items, function, threads):
    """One after the other where the GIL is held, twice as much where it is not; or too busy."""
    if not gil_enabled():
        threads = 2
    measured = profile(module, items, function, budget=3.0)
    for name, gain in (("thread_gain", threads), ("process_gain", 2)):
        measured_gain = getattr(measured, name)
        if measured_gain is None:
            assert measured.reasons[name]
        else:
            assert measured_gain == pytest.approx(gain, abs=0.4)


@pytest.mark.parametrize("function", ["loop", "sometimes", "wait", "wait_async", "compute_async"])
def test_no_item_runs_twice_unasked(tmp_path, module, items, function):
    """Every process that takes part in measuring writes down what it ran."""
    log = tmp_path / "log"
    (tmp_path / "logging_work.py").write_text(
        f"import sys; sys.path.append({str(module.parent)!r})\n"
        f"from functions import {function} as inner\n"
        "import inspect\n"
        "def note(item):\n"
        f"    with open({str(log)!r}, 'a') as out: print(item, file=out)\n"
        "if inspect.iscoroutinefunction(inner):\n"
        "    async def f(item): note(item); return await inner(item)\n"
        "else:\n"
        "    def f(item): note(item); return inner(item)\n"
    )
    target = parse_target(f"{tmp_path / 'logging_work.py'}:f")
    measure(target, read_items(items), 2.0)
    ran = log.read_text().split()
    assert len(ran) == len(set(ran)) > 0


def test_what_waits_is_called_no_more_often_than_allowed(module, items):
    """There is somebody at the other end."""
    target = parse_target(f"{module}:wait")
    assert measure(target, read_items(items), 3.0, repeat=True, calls=7).calls <= 7


def test_a_function_that_only_fails_is_not_called_on(module, items):
    """Ten failures in a row are enough."""
    assert profile(module, items, "fails").calls == 10


def test_several_threads_never_compute_on_more_cores_than_there_are(module, items):
    """What they compute counts, while the caller waits for them."""
    measured = profile(module, items, "crowd")
    if measured.cpu_fraction is None:
        assert measured.reasons["cpu_fraction"] == BUSY
    else:
        assert 0 < measured.cpu_fraction <= runner.allowed_cores()
        assert measured.cpu_fraction > 0.5 or measured.busy_fraction > 0.1


def test_a_program_that_computes_counts_as_computing(module, items):
    """It takes a core, though not this process's."""
    assert profile(module, items, "program").cpu_fraction > 0.05


def test_a_coroutine_function(module, items):
    """It is awaited, and told apart from a plain one."""
    measured = profile(module, items, "wait_async")
    assert measured.is_async
    assert measured.wall_seconds >= 0.01
    assert measured.longest_loop_block_seconds is not None
    assert measured.longest_loop_block_seconds < 0.03


def test_a_coroutine_function_that_blocks_its_loop(module, items):
    """How long it keeps everything else waiting is measured."""
    assert profile(module, items, "block").longest_loop_block_seconds >= 0.03


def test_sizes_and_pickling(module, items):
    """Items and results take a round trip."""
    measured = profile(module, items, "digest")
    assert measured.picklable
    assert measured.picklable_function
    assert 64 < measured.result_bytes < 200
    assert measured.item_bytes < 64


def test_what_cannot_be_pickled_is_null_with_a_reason(module, items):
    """Never a guess."""
    measured = profile(module, items, "lambda_back", budget=2.0)
    assert measured.picklable is False
    assert measured.result_bytes is None
    assert "pickle" in measured.reasons["result_bytes"]


def test_what_cannot_be_written_as_json_is_said_with_a_reason(module, items):
    """A project would find it only at its first task."""
    measured = profile(module, items, "lambda_back", budget=2.0)
    assert measured.writable is False
    assert "JSON has no function" in measured.reasons["writable"]
    assert profile(module, items, "digest").writable


@pytest.mark.parametrize(
    ("body", "writable", "reason"),
    [
        ("return repr(value)", True, ""),
        ("raise OSError('full')", False, "encode() of the result raised OSError: full"),
        ("import time; time.sleep(60)", None, "took too long"),
    ],
)
def test_encode_of_the_users_module_is_asked(tmp_path, module, items, body, writable, reason):
    """As a project asks it before it writes; the rest is measured whatever it does."""
    own = tmp_path / "own.py"
    text = module.read_text(encoding="utf-8")
    own.write_text(f"{text}\n\ndef encode(value):\n    {body}\n", encoding="utf-8")
    measured = profile(own, items, "lambda_back", budget=2.0)
    assert measured.writable is writable
    assert reason in measured.reasons.get("writable", "")
    assert measured.calls


@pytest.mark.parametrize(
    ("function", "error"),
    [
        ("fails", "ValueError: no good"),
        ("fails_oddly", "Odd"),
        ("leaves", "SystemExit"),
        ("cancels", "CancelledError"),
    ],
)
def test_a_function_that_always_raises_is_a_reported_fact(module, items, function, error):
    """Every call is counted as failed, and the first error is named."""
    measured = profile(module, items, function, budget=2.0)
    assert measured.failures == measured.calls > 0
    assert error in measured.first_error


def test_some_failures_are_counted(module, items):
    """Half of the items fail."""
    measured = profile(module, items, "sometimes", budget=2.0)
    assert 0 < measured.failures < measured.calls


def test_a_call_that_hangs_after_others_is_reported(module, items):
    """What was measured before stands; the rest is null."""
    measured = profile(module, items, "hangs_later", budget=2.0)
    assert measured.hung_item == 3
    assert 0 < measured.calls < 30
    assert measured.cpu_fraction is None


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("hangs", "one call did not finish"),
        ("kills", "exit code 7"),
        ("two", "called with one item"),
        ("missing", "its functions: "),
        ("nothing", "not a function"),
    ],
)
def test_a_function_that_cannot_be_measured_is_refused(module, items, function, words):
    """One line that says why."""
    with pytest.raises(UsageError, match=words):
        profile(module, items, function, budget=2.0)


def test_a_machine_too_busy_for_one_call_is_not_blamed_on_the_function(module, items, monkeypatch):
    """The time was over before the first call."""
    facts = {"is_async": False, "overran": True, "calls": 0, "hung_item": None}
    monkeypatch.setattr("scaffold.measuring.measure.run_child", lambda *_: (facts, "exit code 0"))
    with pytest.raises(UsageError, match="too busy for a single call"):
        profile(module, items, "loop")


def test_chatter_stays_in_the_child(module, items, capfd):
    """What the function prints is not part of any answer."""
    assert profile(module, items, "chatters", budget=2.0).failures == 0
    printed = capfd.readouterr()
    assert printed.out == printed.err == ""


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("1/0\ndef f(x): return x", "ZeroDivisionError"),
        ("input()\ndef f(x): return x", "EOFError"),
        ("import sys; sys.exit(4)", "SystemExit"),
        ("import os; os._exit(4)", "exit code 4"),
        ("import time; time.sleep(60)", "importing it did not finish"),
        ("def f(x: return x", "SyntaxError"),
        ("import no_such_module_anywhere", "no_such_module_anywhere"),
    ],
)
def test_a_module_that_cannot_be_imported_is_refused(tmp_path, items, code, words):
    """The error of the import, in one line."""
    file = tmp_path / "broken.py"
    file.write_text(code + "\n")
    with pytest.raises(UsageError, match=words):
        profile(file, items, "f", budget=2.0)


def test_a_module_inside_a_package_is_imported_by_its_full_name(tmp_path, items):
    """So that its relative imports work."""
    package = tmp_path / "shop" / "inner"
    package.mkdir(parents=True)
    (tmp_path / "shop" / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "helper.py").write_text("def double(x): return 2 * x\n")
    (package / "crawl.py").write_text("from .helper import double\ndef f(x): return double(x)\n")
    assert profile(package / "crawl.py", items, "f", budget=2.0).failures == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no sessions to end there")
def test_what_the_function_started_is_ended_with_it(module, items):
    """No orphan process."""
    profile(module, items, "orphan", budget=2.0)
    end = time.monotonic() + 30  # by itself it would end after 60
    while "time.sleep(60)  # orphan" in listed():
        assert time.monotonic() < end
        time.sleep(0.05)


def listed():
    """Return what runs on this machine."""
    command = ["ps", "-eo", "args"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only growth of the peak is told")
def test_the_memory_of_a_task_is_what_a_call_adds_at_its_peak(tmp_path):
    """Within a fifth, whatever the interpreter and its imports take beside it.

    Without a GIL Python keeps what was freed for a while, so that calls in a row add up.
    """
    needed = 120_000_000
    (tmp_path / "large.py").write_text(
        f"BALLAST = bytearray(50_000_000)\ndef fill(item):\n    data = b'x' * {needed}\n"
        "    return len(data)\n"
    )
    items = tmp_path / "items.jsonl"
    items.write_text("1\n2\n3\n4\n")
    target = parse_target(f"{tmp_path / 'large.py'}:fill")
    profile = measure(target, read_items(items), 1.0, repeat=True)
    if gil_enabled():
        assert profile.task_memory_bytes == pytest.approx(needed, rel=0.2)
    else:
        assert profile.task_memory_bytes >= 0.8 * needed


@pytest.mark.skipif(sys.platform != "linux", reason="no other platform forks")
@pytest.mark.parametrize(
    ("code", "method"),
    [("", "fork"), ("Thread(target=sleep, args=(9,), daemon=True).start()", "forkserver")],
)
def test_processes_start_as_the_import_allows(tmp_path, items, code, method):
    """Threads that watch the measuring are none of a project's."""
    file = tmp_path / "starting.py"
    imports = "from threading import Thread\nfrom time import sleep\n"
    file.write_text(f"{imports}{code}\ndef work(item): return item\n")
    assert profile(file, items, "work").start_method == method


@pytest.mark.skipif(sys.platform == "win32", reason="Windows tells of no children")
def test_a_program_that_a_task_starts_counts_as_its_memory(tmp_path):
    """What it imports once is told by itself, for every worker needs it too."""
    needed = 120_000_000
    (tmp_path / "large.py").write_text(
        "import subprocess\nimport sys\n\nBALLAST = b'x' * 50_000_000\n\n\n"
        "def fill(item):\n"
        f"    subprocess.run([sys.executable, '-c', \"b'x' * {needed}\"], check=True)\n"
    )
    items = tmp_path / "items.jsonl"
    items.write_text("1\n2\n3\n4\n")
    target = parse_target(f"{tmp_path / 'large.py'}:fill")
    profile = measure(target, read_items(items), 1.0, repeat=True)
    assert needed < profile.task_memory_bytes < 1.3 * needed
    if sys.platform == "linux":
        assert profile.import_bytes == pytest.approx(50_000_000, rel=0.2)
