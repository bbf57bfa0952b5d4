"""Naming a function and its items: what is found, and what is refused."""

import json
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffold.asking import spool
from scaffold.asking.target import parse_target
from scaffold.core.domain import Model
from scaffold.core.errors import UsageError
from scaffold.making import items
from scaffold.making.items import SAMPLE, read_items
from scaffold.measuring.lab import Trial, laboratory
from scaffold.measuring.measure import measure


@pytest.mark.parametrize(
    "text", ["", "work.py", "work.py:", ":f", "no.py:f", "a b:f", "work.py:f g", "work.py:1f"]
)
def test_what_names_no_function_is_refused(text):
    """Each in one line."""
    with pytest.raises(UsageError):
        parse_target(text)


def test_a_module_by_name():
    """package.module:function."""
    target = parse_target("os.path:join")
    assert (target.module, target.function, target.file) == ("os.path", "join", None)


@pytest.mark.parametrize("name", ["my-work", "class"])
def test_a_file_that_is_no_module_name_is_refused(tmp_path, name):
    """It could be run, but no worker could import it."""
    (tmp_path / f"{name}.py").touch()
    with pytest.raises(UsageError, match="not a module name"):
        parse_target(f"{tmp_path / name}.py:f")


@given(st.integers(1, 3 * SAMPLE), st.booleans())
def test_the_sample_is_spread_over_all_items(tmp_path_factory, count, blank):
    """As many as asked for, in order, the first among them; blank lines are not items."""
    file = tmp_path_factory.mktemp("items") / "items.jsonl"
    file.write_text("".join(f"{n}\n" + "\n" * blank for n in range(count)))
    items = read_items(file)
    assert items.count == count
    assert len(items.sample) == min(count, SAMPLE)
    assert list(items.sample) == sorted(set(items.sample))
    assert items.sample[0] == 0


def test_text_files_hold_plain_lines(tmp_path):
    """A .txt is not JSON."""
    file = tmp_path / "urls.txt"
    file.write_text("http://a\n\nhttp://b\n")
    assert read_items(file).sample == ("http://a", "http://b")


def test_bad_json_is_named_by_its_line(tmp_path):
    """The second line, not the second item."""
    file = tmp_path / "items.jsonl"
    file.write_text("1\n\n{oops\n")
    with pytest.raises(UsageError, match="line 3"):
        read_items(file)


@pytest.mark.parametrize("content", [b"", b"\n\n \n"])
def test_no_items_are_refused(tmp_path, content):
    """There is nothing to run."""
    file = tmp_path / "items.jsonl"
    file.write_bytes(content)
    with pytest.raises(UsageError, match="no item"):
        read_items(file)


def test_unreadable_items_are_refused(tmp_path):
    """No such file, a directory, bytes that are no text."""
    with pytest.raises(UsageError, match="cannot read"):
        read_items(tmp_path / "none.jsonl")
    with pytest.raises(UsageError, match="cannot read"):
        read_items(tmp_path)
    (tmp_path / "b.jsonl").write_bytes(b"\xff\xfe\n")
    with pytest.raises(UsageError, match="line 1"):
        read_items(tmp_path / "b.jsonl")


def test_a_byte_order_mark_is_no_part_of_the_first_item(tmp_path):
    """As Windows writes it."""
    file = tmp_path / "items.jsonl"
    file.write_text(json.dumps({"a": 1}) + "\n", encoding="utf-8-sig")
    assert read_items(file).sample == ({"a": 1},)


def test_items_out_of_a_pipe_are_kept_until_the_end(tmp_path):
    """They are counted, sampled and read again; the user's name for them stays."""
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("1\n2\n",))
    writer.start()
    items = read_items(pipe)
    writer.join()
    assert (items.count, items.sample, items.given) == (2, (1, 2), pipe)
    assert items.file.read_text() == "1\n2\n"
    spool.discard()
    assert not items.file.exists()


def test_items_that_do_not_end_are_refused(tmp_path, monkeypatch):
    """Nobody can count them."""
    monkeypatch.setattr(spool, "PATIENCE", 0.1)
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match="did not end"):  # nobody writes
        read_items(pipe)
    spool.discard()


def test_an_item_larger_than_any_is_refused(tmp_path, monkeypatch):
    """It is a file, to be named by the item."""
    monkeypatch.setattr(items, "LARGEST", 10)
    file = tmp_path / "items.jsonl"
    file.write_text('1\n"0123456789"\n')
    with pytest.raises(UsageError, match="line 2 is larger"):
        read_items(file)


@pytest.mark.parametrize("name", ["statistics", "__main__"])
def test_a_file_with_the_name_of_a_standard_module_is_loaded_by_its_place(
    tmp_path, monkeypatch, name
):
    """Not the module that is imported already."""
    (tmp_path / f"{name}.py").write_text("def mean(item):\n    return 2 * item\n")
    (tmp_path / "items.jsonl").write_text("1\n2\n3\n")
    target = parse_target(f"{tmp_path / name}.py:mean")
    assert measure(target, read_items(tmp_path / "items.jsonl"), 1.0).failures == 0
    with laboratory() as lab:
        file = {"file": str(tmp_path / "items.jsonl")}
        for model in (Model.SEQUENTIAL, Model.MULTIPROCESSING):
            ran = lab.run(Trial(target, model, 2, file), 20.0)
            assert (ran.items, ran.failed) == (3, 0)


@pytest.mark.parametrize(
    ("name", "text"), [("a.csv", "n,s\n1,x\n2,y\n"), ("a.tsv", "n\ts\n1\tx\n2\ty\n")]
)
def test_tables_are_read_as_a_project_reads_them(tmp_path, name, text):
    """A row is a dict of strings, in the sample and in the project made from it."""
    (tmp_path / name).write_text(text)
    table = read_items(tmp_path / name)
    rows = [{"n": "1", "s": "x"}, {"n": "2", "s": "y"}]
    assert (table.count, list(table.sample)) == (2, rows)
    assert [json.loads(line) for line in items.lines_of(tmp_path / name)] == rows


def test_a_kind_that_nobody_reads_is_named(tmp_path):
    """With those that are read."""
    (tmp_path / "a.xlsx").touch()
    with pytest.raises(UsageError, match=r"\.xlsx is not a kind"):
        read_items(tmp_path / "a.xlsx")
