"""Git's merging, without touching any repository of the user's. The only module that runs git.

    2.38 and newer   `merge-tree` in a temporary bare repository of three commits; renames followed
    older            `merge-file`, one file at a time; no renames
    none             nothing is merged, and the caller says so

The user's git settings and variables are left out: a merge gives the same everywhere.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from scaffold.changing.merge import Merged
from scaffold.changing.tree import Files
from scaffold.core.errors import ConcgenError

# `merge-tree --write-tree` came with 2.38; `-z`, `--name-only` and `--messages` with it.
MERGE_TREE = (2, 38)
# Seconds after which git is taken to hang. A merge of a project takes some hundredths of a second,
# but a machine may be busy and its disk slow.
PATIENCE = 60
_SEE = "nothing was written; `concgen doctor` tells of the git that is here"

# The name of the user's side in conflict markers.
YOURS = "yours"


@cache
def version() -> tuple[int, ...] | None:
    """Return git's version, or None without a git that works."""
    try:
        match = re.search(rb"(\d+)\.(\d+)", _run(["--version"]).stdout)
    except ConcgenError:
        return None
    return (int(match[1]), int(match[2])) if match else None


def has_changes(root: Path) -> bool:
    """Tell whether `root` is in a work tree of git and has uncommitted changes."""
    options = ["--no-optional-locks", "-c", "core.fsmonitor=false"]
    try:
        return bool(_run([*options, "status", "--porcelain", "."], root, own=False).stdout)
    except ConcgenError:
        return False


def merge(base: Files, yours: Files, new: Files, label: str) -> Merged:
    """Merge texts: what `new` changed since `base` into `yours`. `label` names `new` in markers.

    Without git nothing is merged, and the result is empty.
    """
    installed = version()
    if installed is None:
        return Merged()
    # The label becomes the name of a reference, so it has to be valid there.
    name = re.sub(r"[^A-Za-z0-9.]+", "-", label).strip("-.") or "new"
    with TemporaryDirectory(prefix="concgen-") as scratch:
        if installed >= MERGE_TREE:
            return _merge_tree(_Repository(Path(scratch)), base, yours, new, name)
        return _merge_files(Path(scratch), base, yours, new, name)


def _merge_tree(
    repository: _Repository, base: Files, yours: Files, new: Files, name: str
) -> Merged:
    repository.commit({"base": base, YOURS: yours, name: new})
    options = ["--write-tree", "-z", "--name-only", "--no-messages"]
    printed = repository.run("merge-tree", *options, YOURS, name, most=1).split(b"\0")
    conflicts = frozenset(path.decode() for path in printed[1:] if path)
    files = {**yours, **repository.changed(printed[0].decode(), yours)}
    renamed = repository.renames("base", YOURS) if base.keys() - yours.keys() else {}
    return Merged(files, conflicts & files.keys(), renamed)


def _merge_files(scratch: Path, base: Files, yours: Files, new: Files, name: str) -> Merged:
    files, conflicts = {}, set()
    for path in base.keys() & yours.keys():
        for side, contents in (("yours", yours), ("base", base), ("new", new)):
            (scratch / side).write_bytes(contents[path])
        labels = ["-L", YOURS, "-L", "base", "-L", name]
        command = ["merge-file", "-p", *labels, "yours", "base", "new"]
        answer = _run(command, scratch, most=127)  # the exit code counts conflicts up to 127
        files[path] = answer.stdout
        if answer.returncode:
            conflicts.add(path)
    return Merged(files, frozenset(conflicts))


class _Repository:
    """A bare repository in a scratch directory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # The part of `git init --bare` that matters, without another process.
        for folder in ("objects", "refs"):
            (path / folder).mkdir()
        (path / "HEAD").write_text("ref: refs/heads/base\n", encoding="utf-8")

    def run(self, *words: str, stdin: bytes = b"", most: int = 0) -> bytes:
        """Run one git command here and return what it prints."""
        options = ["--git-dir", str(self.path), "-c", f"core.attributesFile={os.devnull}"]
        return _run([*options, *words], self.path, stdin=stdin, most=most).stdout

    def commit(self, branches: Mapping[str, Files]) -> None:
        """Make a commit of each branch; the first is the parent of the others."""
        stream: list[str | bytes] = []
        first = ""
        for branch, files in branches.items():
            stream.append(f"commit refs/heads/{branch}\ncommitter concgen <> 0 +0000\ndata 0\n")
            stream.append(f"from {first}\ndeleteall\n" if first else "")
            first = first or f"refs/heads/{branch}"
            for path, data in files.items():
                stream += [f"M 644 inline {_quoted(path)}\ndata {len(data)}\n", data, "\n"]
        encoded = (part.encode() if isinstance(part, str) else part for part in stream)
        self.run("fast-import", "--quiet", "--date-format=raw", stdin=b"".join(encoded))

    def changed(self, tree: str, known: Files) -> dict[str, bytes]:
        """Return the files of `known` that differ in `tree`."""
        wanted = {}
        for row in self.run("ls-tree", "-r", "-z", tree).split(b"\0")[:-1]:
            facts, _, path = row.partition(b"\t")
            name, number = path.decode(), facts.split()[2].decode()
            if name in known and number != _object_name(known[name]):
                wanted[name] = number
        return dict(zip(wanted, self._contents(list(wanted.values())), strict=True))

    def _contents(self, numbers: list[str]) -> list[bytes]:
        if not numbers:
            return []
        output = self.run("cat-file", "--batch", stdin="".join(f"{n}\n" for n in numbers).encode())
        contents = []
        for _ in numbers:
            head, _, output = output.partition(b"\n")
            size = int(head.split()[2])
            contents.append(output[:size])
            output = output[size + 1 :]
        return contents

    def renames(self, old: str, new: str) -> dict[str, str]:
        """Return the new path of every file that `new` has under another name than `old`."""
        output = self.run(
            "diff-tree", "-r", "-z", "-M", "--diff-filter=R", "--name-status", old, new
        )
        words = [word.decode() for word in output.split(b"\0")[:-1]]
        return dict(zip(words[1::3], words[2::3], strict=True))


def _object_name(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _run(
    words: list[str],
    place: Path | None = None,
    *,
    stdin: bytes = b"",
    most: int = 0,
    own: bool = True,
) -> subprocess.CompletedProcess[bytes]:
    """Run one git command; raise ConcgenError when its exit code is above `most`.

    In a repository of our `own`, the user's git settings and a hook's git variables are left out.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    try:
        answer = subprocess.run(
            ["git", *words],
            cwd=place,
            env=environment if own else None,
            input=stdin,
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ConcgenError(f"git did not run: {error}", hint=_SEE) from error
    if not 0 <= answer.returncode <= most:
        reason = answer.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise ConcgenError(f"git failed: {reason or 'no reason given'}", hint=_SEE)
    return answer
