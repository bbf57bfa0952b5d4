"""What is done with one item: hash a file and parse it, or sum up a folder of files.

An item is a path:

    "reports/2024.csv"      a file: its size and digest, and what a parser for its kind found
    "reports"               a folder: all files below it, summed up
    "reports/**/*.csv"      the files that match, summed up; `**` is any number of folders

A file is read once, in pieces, and hashed on the way: the digest is of the very bytes that were
parsed, and memory stays flat. A file that cannot be read or parsed is an error of its item. In a
folder it is counted and listed, and the other files go on.
"""

import csv
import hashlib
import io
import json
import os
import stat
from collections.abc import Callable, Iterator
from typing import Any

from .walk import find, is_pattern, split

OPEN_FILES = 1  # files that one task has open

DIGEST = "sha256"  # processors of the last years compute it faster than blake2b
PIECE = 1 << 18  # bytes read at once, as hashlib.file_digest does
LINE_LIMIT = 1 << 20  # characters in a line of CSV or JSON Lines, which is held whole
JSON_LIMIT = 1 << 25  # bytes of JSON, which is held whole: parsed it is about ten times larger
MOST_ERRORS = 20  # that the result of a folder lists

Facts = dict[str, Any]
Parse = Callable[[io.BufferedReader], Facts]


class Hashing(io.RawIOBase):
    """A file, read from start to end, that hashes and counts what is read from it."""

    def __init__(self, path: str) -> None:
        self._file = io.FileIO(path)
        self.digest = hashlib.new(DIGEST, usedforsecurity=False)
        self.size = 0  # bytes

    def readable(self) -> bool:
        """Return True: the buffer around it asks."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, as far as the file goes. Hashing large pieces releases the GIL."""
        count = self._file.readinto(buffer)
        self.digest.update(memoryview(buffer)[:count])
        self.size += count
        return count

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def parse_csv(file: io.BufferedReader) -> Facts:
    """Return the header and the number of rows after it."""
    rows = csv.reader(lines(file), strict=True)
    return {"columns": next(rows, []), "rows": sum(map(bool, rows))}  # an empty line is no row


def parse_json(file: io.BufferedReader) -> Facts:
    """Return the type of the document and how many entries it has."""
    data = file.read(JSON_LIMIT + 1)
    if len(data) > JSON_LIMIT:
        raise ValueError(f"larger than JSON_LIMIT, {JSON_LIMIT:,} bytes")
    document = json.loads(data)
    entries = len(document) if isinstance(document, dict | list) else 1
    return {"type": type(document).__name__, "entries": entries}


def parse_json_lines(file: io.BufferedReader) -> Facts:
    """Return the number of records, after parsing each of them."""
    records = 0
    for number, line in enumerate(lines(file), 1):
        if not line.isspace():
            try:
                json.loads(line)
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None
            records += 1
    return {"records": records}


def parse_text(file: io.BufferedReader) -> Facts:
    """Return the number of lines and words, in any encoding that knows ASCII.

    Raises ValueError for a NUL: in UTF-16 lines and words would be counted wrong.
    """
    newlines = words = 0
    in_word = False  # the piece before ended in a word
    while piece := file.read(PIECE):
        if b"\0" in piece:
            raise ValueError("not text, or in UTF-16: it has a NUL byte")
        newlines += piece.count(b"\n")
        words += len(piece.split()) - (in_word and not piece[:1].isspace())
        in_word = not piece[-1:].isspace()
    return {"lines": newlines, "words": words}


def parse_nothing(file: io.BufferedReader) -> Facts:
    """Read the file for its digest alone."""
    while file.read(PIECE):
        pass
    return {}


# By suffix. Another kind is one more function and one more entry.
PARSERS: dict[str, Parse] = {
    ".csv": parse_csv,
    ".json": parse_json,
    ".jsonl": parse_json_lines,
    ".log": parse_text,
    ".md": parse_text,
    ".py": parse_text,
    ".txt": parse_text,
}


def lines(file: io.BufferedReader) -> Iterator[str]:
    """Yield the lines of a text in UTF-8; raise ValueError for a line that is too long."""
    readline = io.TextIOWrapper(file, "utf-8-sig", newline="").readline
    while line := readline(LINE_LIMIT + 1):
        if len(line) > LINE_LIMIT:
            raise ValueError(f"a line is longer than LINE_LIMIT, {LINE_LIMIT:,} characters")
        yield line


def work(item: str) -> Facts:
    """Answer one item: a file, a folder or a pattern.

    Raises OSError for what cannot be read, ValueError for what cannot be parsed, naming the path.
    """
    if not isinstance(item, str):
        raise TypeError(f"an item is a path, not {item!r}")
    if os.path.isdir(item) or is_pattern(item):
        return sum_up(item)
    return read(item)


def read(path: str) -> Facts:
    """Hash and parse one file."""
    if not stat.S_ISREG(os.stat(path).st_mode):  # a FIFO would wait for ever, a device do anything
        raise OSError(f"{path} is not a regular file")
    parse = PARSERS.get(os.path.splitext(path)[1].lower(), parse_nothing)
    with Hashing(path) as raw:
        try:
            facts = parse(io.BufferedReader(raw, PIECE))
        except (ValueError, csv.Error, RecursionError) as error:
            raise ValueError(f"{path}: {error}") from error
        return {"path": path, "bytes": raw.size, DIGEST: raw.digest.hexdigest(), **facts}


def sum_up(where: str) -> Facts:
    """Hash and parse every file of a folder or pattern, one after another.

    The digest is of all their names and contents: two copies of a folder have the same.
    """
    root, _ = split(where)
    digest = hashlib.new(DIGEST, usedforsecurity=False)
    files = size = failed = 0
    errors: list[str] = []

    def fail(error: Exception) -> None:
        nonlocal failed
        failed += 1
        if failed <= MOST_ERRORS:
            errors.append(str(error))

    for path in find(where, fail):
        try:
            facts = read(path)
        except (OSError, ValueError) as error:
            fail(error)
            continue
        files += 1
        size += facts["bytes"]
        digest.update(json.dumps([os.path.relpath(path, root), facts[DIGEST]]).encode())
    if not files + failed and is_pattern(where):
        raise FileNotFoundError(f"no file matches {where}")
    facts = {"path": where, "bytes": size, DIGEST: digest.hexdigest(), "files": files}
    return facts | {"failed": failed, "errors": errors}
