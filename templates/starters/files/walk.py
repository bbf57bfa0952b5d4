"""Which files there are: `python -m PACKAGE.walk FOLDER...` prints one item for each.

A file stands for itself, a folder for every file below it, and a pattern such as "logs/**/*.log"
for what matches: `*`, `?` and `[...]` within a name, `**` any number of folders. Hidden files
count; links to folders are not followed, so that a loop of links has an end.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatch

OnError = Callable[[OSError], object]  # is told why a folder cannot be listed

SIGNS = "*?["  # of which a pattern has one or more
FOLDERS = "**"


def is_pattern(where: str) -> bool:
    """Is it a pattern, and not the name of something that is there?"""
    return any(sign in os.path.splitdrive(where)[1] for sign in SIGNS) and not os.path.lexists(
        where
    )


def find(where: str, on_error: OnError) -> Iterator[str]:
    """Yield the paths that `where` stands for, in the same order every time.

    One folder is held in memory at a time; a folder that cannot be listed is left out.
    """
    root, pattern = split(where)
    if not pattern and os.path.lexists(root) and not os.path.isdir(root):
        yield root
        return
    for folder, folders, names in os.walk(root, onerror=on_error):
        above = [] if folder == root else os.path.relpath(folder, root).split(os.sep)
        folders.sort()
        if pattern and FOLDERS not in pattern and len(above) == len(pattern) - 1:
            folders.clear()  # too deep to match
        for name in sorted(names):
            if not pattern or matches([*above, name], pattern):
                yield os.path.join(folder, name)


def split(where: str) -> tuple[str, list[str]]:
    """Return the folder where a search begins, and the names that a pattern has after it."""
    if not is_pattern(where):
        return where, []
    drive, path = os.path.splitdrive(where)  # on Windows; C: without what follows is another folder
    parts = path.replace(os.sep, "/").split("/")
    first = next(n for n, part in enumerate(parts) if any(sign in part for sign in SIGNS))
    root = os.sep.join(parts[:first]) or (os.sep if first else ".")
    return drive + root, parts[first:]


def matches(names: Sequence[str], pattern: Sequence[str]) -> bool:
    """Do the names of a path match, one by one?"""
    if not pattern:
        return not names
    if pattern[0] == FOLDERS:
        return any(matches(names[skip:], pattern[1:]) for skip in range(len(names) + 1))
    return bool(names) and fnmatch(names[0], pattern[0]) and matches(names[1:], pattern[1:])


def show(items: Callable[[OnError], Iterable[object]]) -> int:
    """Print items, one line each, as they are found.

    Return the exit code: 1 when a folder could not be listed, which is said; 130 when interrupted.
    """
    unlisted: list[OSError] = []

    def report(error: OSError) -> None:
        unlisted.append(error)
        print(f"error: cannot list {error.filename}: {error.strerror}", file=sys.stderr)

    try:
        for item in items(report):
            print(json.dumps(item))  # in ASCII, in which a path may hold any byte
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still to flush
        # A reader that has left is no failure; Windows calls that an invalid argument.
        invalid = sys.platform == "win32" and error.errno == errno.EINVAL
        if not (invalid or isinstance(error, BrokenPipeError)):
            print(f"error: cannot print: {error.strerror or error}", file=sys.stderr)
            return 1
    except KeyboardInterrupt:
        return 130
    return 1 if unlisted else 0


def main() -> int:
    """Print an item for each file of the command line's files, folders and patterns."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {__package__}.walk", description="print one item for each file"
    )
    parser.add_argument("where", nargs="+", help="a file, a folder, or a pattern in quotes")
    places = parser.parse_args().where
    return show(lambda report: (path for where in places for path in find(where, report)))


if __name__ == "__main__":
    sys.exit(main())
