"""Naming a function and its items: what is found, and what is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffold.asking.target import SAMPLE, parse_target, read_items
from scaffold.core.errors import UsageError


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


def test_a_file_that_is_no_module_name_is_refused(tmp_path):
    """It could be run, but no worker could import it."""
    (tmp_path / "my-work.py").touch()
    with pytest.raises(UsageError, match="no module's name"):
        parse_target(f"{tmp_path / 'my-work.py'}:f")


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
