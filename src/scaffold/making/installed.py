"""What is installed where the user's function runs: the distributions that have its imports.

That interpreter itself is asked, because it may not be ours.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

# Names differ: PIL is in Pillow, cv2 in one of several. Distributions that share a name, such as
# `google`, are told apart by their files. direct_url.json tells what was installed from a folder.
_ASK = """
import json, sys
from importlib.metadata import distribution, packages_distributions

def owner(module, names):
    for end in range(module.count(".") + 1, 0, -1):
        if len(names) < 2:
            break
        path = "/".join(module.split(".")[:end])
        found = [
            name for name in names
            if any(str(file).startswith((path + "/", path + "."))
                   for file in distribution(name).files or ())
        ]
        names = found or names
    return names[0]

known = packages_distributions()
answer = {}
for module in sys.argv[1:]:
    names = sorted(set(known.get(module.partition(".")[0], ())))
    if names:
        name = owner(module, names)
        direct = json.loads(distribution(name).read_text("direct_url.json") or "{}")
        answer[module] = [name, direct.get("url", "") if "dir_info" in direct else ""]
print(json.dumps(answer))
"""
PATIENCE = 60.0  # seconds; a large environment on a slow disk takes some


class Distribution(NamedTuple):
    """A distribution, and the folder that it was installed from, if it was."""

    name: str
    folder: Path | None


def owners(python: str, modules: Iterable[str]) -> tuple[Distribution, ...]:
    """Return the distributions that have these modules in the environment of `python`."""
    command = [python, "-P", "-c", _ASK, *sorted(modules)]  # with the user site, as measured
    done = subprocess.run(  # noqa: S603  # the interpreter that measured the function
        command, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    sources: dict[str, list[str]] = json.loads(done.stdout or "{}")
    return tuple(sorted({Distribution(name, _folder(url)) for name, url in sources.values()}))


def _folder(url: str) -> Path | None:
    parts = urlsplit(url)
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else None
