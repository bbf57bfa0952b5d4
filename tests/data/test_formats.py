"""Items out of files and pipes of every kind."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from .conftest import Load


def read(load: Load, path: Path | str, **options: Any) -> list[Any]:
    """All items of it."""
    items = load("items")
    source = items.Items(str(path), **options)
    try:
        return [numbered[1] for numbered in source.pending() if numbered is not None]
    finally:
        source.close()


def refused(load: Load, path: Path, **options: Any) -> str:
    """What is said of it in place of items."""
    with pytest.raises(load("items").ItemsError) as caught:
        read(load, path, **options)
    return str(caught.value)


TABLE = [{"id": "1", "url": "a,b"}, {"id": "2", "url": 'say "x"\nand y'}]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", 'id,url\n1,"a,b"\n2,"say ""x""\nand y"\n'),
        ("bom.csv", '\ufeffid,url\r\n1,"a,b"\r\n\r\n2,"say ""x""\nand y"'),
        ("semicolons.csv", 'id;url\n1;a,b\n2;"say ""x""\nand y"\n'),
        ("pipes.csv", 'id|url\n1|a,b\n2|"say ""x""\nand y"\n'),
        ("a.tsv", 'id\turl\n1\ta,b\n2\t"say ""x""\nand y"\n'),
        ("excel.csv", 'sep=;\r\nid;url\r\n1;a,b\r\n2;"say ""x""\nand y"\r\n;\r\n;\r\n'),
        ("spaces.csv", 'id, url \n1,"a,b"\n2,"say ""x""\nand y"\n'),
        ("A.CSV", '\n\nid,url\n1,"a,b"\n2,"say ""x""\nand y"\n'),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_tables(load: Load, tmp_path: Path, name: str, text: str, encoding: str) -> None:
    """A row is a dict of strings by the header, whatever delimiter, quotes and marked encoding."""
    path = tmp_path / name
    path.write_bytes((text if encoding == "utf-8" else text.lstrip("\ufeff")).encode(encoding))
    assert read(load, path) == TABLE


def test_a_list_in_place_of_lines_is_told(load: Load, tmp_path: Path) -> None:
    """It is one item, which hardly anybody means."""
    path, messages = tmp_path / "a.jsonl", []
    path.write_text("[1, 2, 3]\n")
    assert read(load, path, tell=messages.append) == [[1, 2, 3]]
    assert messages[0].startswith(f"{path}: its only item is a list of 3: jq -c '.[]'")


def test_ids_keep_their_zeros(load: Load, tmp_path: Path) -> None:
    """A table's fields are text, as they are."""
    path = tmp_path / "a.csv"
    path.write_text("id,n\n007, 1\n,0\n")
    assert read(load, path) == [{"id": "007", "n": " 1"}, {"id": "", "n": "0"}]


def test_another_delimiter_is_said(load: Load, tmp_path: Path) -> None:
    """What was found out about the file is told."""
    path, messages = tmp_path / "a.csv", []
    path.write_text("a;b\n1;2\n")
    assert read(load, path, tell=messages.append) == [{"a": "1", "b": "2"}]
    assert messages == [f"{path}: its fields are separated by ';'"]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.csv", b"a,b\n1,2,3\n", "line 2: 3 fields under a header of 2"),
        ("a.csv", b"a,b\n1\n", "line 2: 1 fields under a header of 2"),
        ("a.csv", b"a,a\n1,2\n", "two columns have the name 'a': rename one"),
        (
            "a.csv",
            b"a,b,\xe9\n",
            "line 1: the byte 0xe9 is not UTF-8; save it as UTF-8, such as by",
        ),
        ("a.csv", b'a,b\n1,"2\n3,4\n', "unexpected end of data"),
        ("a.csv", b"a\n\xe9\n", "line 2: the byte 0xe9 is not UTF-8; save it as UTF-8"),
        ("a.csv", b"PK\x03\x04rest", "Excel"),
        ("a.jsonl", b"\x1f\x8brest", "gzip"),
        ("a.jsonl", b"PAR1rest", "name it .parquet"),
        ("a.txt", "one\ntwo".encode("utf-16-le"), "UTF-16"),
        ("a.jsonl", b"1\n{oops\n", "line 2: "),
        (
            "a.xlsx",
            b"",
            ".xlsx is not a kind of input: .jsonl, .ndjson, .csv, .tsv, .txt, .parquet",
        ),
        ("a.json", b"[]", ".json is not a kind"),
        ("a.json", b"[]", "a.json > items.jsonl makes a line of each of its items"),
        ("a.csv.gz", b"", "are read: unpack it first"),
        ("a.xlsx", b"", "are read: save it as .csv"),
        ("a.jsonl", b'[\n  {"a": 1}\n]\n', "line 1: it is one JSON document on many lines: jq"),
    ],
)
def test_what_cannot_be_read_is_named(
    load: Load, tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    """The message says where, what is wrong, and what kinds there are."""
    path = tmp_path / name
    path.write_bytes(data)
    assert words in refused(load, path)


def test_parquet(load: Load, tmp_path: Path) -> None:
    """Rows of Parquet are dicts of its types; without pyarrow it is named."""
    path = tmp_path / "a.parquet"
    try:
        import pyarrow as pa  # type: ignore[import-not-found,unused-ignore]
        import pyarrow.parquet as pq  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        path.write_bytes(b"PAR1")
        assert "pip install pyarrow" in refused(load, path)
        return
    rows = [{"id": n, "name": str(n)} for n in range(2500)]
    pq.write_table(pa.Table.from_pylist(rows), path)
    assert read(load, path) == rows
    path.write_bytes(b"PAR1")
    assert str(path) in refused(load, path)


@pytest.mark.parametrize("size", [1, 7, 1 << 16])
def test_a_pipe_gives_lines_however_they_come(load: Load, tmp_path: Path, size: int) -> None:
    """Cut anywhere, in a mark, a character or a quoted field, the items are the same."""
    fifo = tmp_path / "pipe.csv"
    os.mkfifo(fifo)
    data = '\ufeffid,url\n1,"ä,b"\n2,"say ""x""\nand y"\n'.encode()

    def write() -> None:
        with fifo.open("wb", buffering=0) as file:
            for start in range(0, len(data), size):
                file.write(data[start : start + size])

    threading.Thread(target=write).start()
    assert read(load, fifo) == [{"id": "1", "url": "ä,b"}, TABLE[1]]


def test_a_long_line_is_joined_once(load: Load, tmp_path: Path) -> None:
    """Chunks of a line are kept apart until its end: the bytes copied do not grow as its square."""
    formats = load("formats")
    path = tmp_path / "long.txt"
    path.write_bytes(b"x" * 10 * formats.CHUNK + b"\ny\n")
    with path.open("rb") as file:
        lines = formats.Lines(file)
        assert [len(line) for line in lines] == [10 * formats.CHUNK, 1, 0]


def test_a_line_that_is_still_written_is_waited_for(load: Load, tmp_path: Path) -> None:
    """The last line of a file without its end is an item when nobody has touched it for a while."""
    items = load("items")
    path = tmp_path / "items.jsonl"
    path.write_text("1\n12")
    source = items.Items(str(path))
    pending = source.pending()
    assert [next(pending), next(pending)] == [(0, 1), None]
    with path.open("a") as file:
        file.write("34")
    os.utime(path, (0, 0))  # long ago
    assert next(entry for entry in pending if entry) == (1, 1234)
    source.close()


def test_keys(load: Load, tmp_path: Path) -> None:
    """Each item has its own key; duplicates are told, and a key that is missing is an error."""
    items, messages = load("items"), []
    path = tmp_path / "a.jsonl"
    path.write_text('{"k": "a"}\n{"k": 2}\n{"k": "a"}\n')
    source = items.Items(str(path), "k", messages.append)
    list(source.pending())
    source.close()
    assert source.keys == {0: "a", 1: 2, 2: "a"}
    assert messages == [f"{path}, line 3: the key 'a' was used before"]
    path.write_text('{"k": 1, "l": 2}\n')
    assert "line 1: no field 'x' for --key: k, l" in refused(load, path, key="x")
    path.write_text('{"k": [1]}\n')
    assert "neither text nor a number" in refused(load, path, key="k")
    path.write_text("5\n")
    assert "no field 'k'" in refused(load, path, key="k")
