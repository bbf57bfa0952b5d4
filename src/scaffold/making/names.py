"""Names that are safe to write: of a project, and of its import package.

A project's name becomes a directory, a distribution and, by way of `package_name`, a Python
package, so it has to be valid as all three. The destination directory may be called anything.
"""

from __future__ import annotations

import keyword
import os
import re
import sys
import unicodedata
from collections.abc import Container
from pathlib import Path
from typing import NamedTuple

from scaffold.core.errors import UsageError
from scaffold.core.texts import shown

# Windows refuses paths over 260 characters. The name is in a path up to three times (project,
# package, and the metadata in an environment), so three of them leave 68 for all the rest.
MAX_LENGTH = 64

# Distribution names as in PEP 508, ASCII only.
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")

# Windows opens a device instead of a file, whatever the extension and the case.
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)

# Modules of the standard library of 3.11 to 3.15 that some version of them does not list.
_STANDARD_ELSEWHERE = frozenset(
    "aifc annotationlib asynchat asyncore audioop cgi cgitb chunk compression crypt distutils "
    "imghdr imp lib2to3 mailcap msilib nis nntplib ossaudiodev pipes profiling smtpd sndhdr spwd "
    "sunau telnetlib test uu xdrlib".split()
)

# Tools that run in the project's directory and would import the package in place of their own, and
# libraries that the runner imports where a model, or the user's data, needs them.
_IMPORTED = frozenset(
    "cloudpickle colorama concgen dask distributed hatchling iniconfig mypy mypy_extensions numpy "
    "packaging pandas pathspec pip pluggy pyarrow pygments pytest ruff scaffold setuptools "
    "typing_extensions wheel".split()
)

# Directories of the generated project that mean something else.
_DIRECTORIES = frozenset({"build", "dist", "tests"})


class Package(NamedTuple):
    """An import package's name; `reason` says why it is not simply the project's name."""

    name: str
    reason: str | None = None


def check_name(name: str) -> str:
    """Return `name` when it is a sane project name, else raise UsageError."""
    if problem := _problem(name):
        slug = _slug(name)
        hint = f"try {slug}" if slug else "such as my-project"
        raise UsageError(f"{shown(name)} cannot name a project: {problem}", hint=hint)
    return name


def name_for(directory: Path) -> str:
    """Return the project name that `directory` suggests: its own, or close to it.

    "Données 2024" suggests "Donnees-2024". Raises UsageError when nothing natural is left.
    """
    own = directory.name  # a link's own name; Windows changes it in a device's full path
    if not is_device(own):
        own = Path(os.path.abspath(directory)).name  # "." is no name
    problem = _problem(own)
    if problem is None:
        return own
    if slug := _slug(own):
        return slug
    raise UsageError(
        f"{shown(own)} cannot name a project: {problem}",
        hint="choose another directory, or name the project with --name",
    )


def package_name(name: str, taken: Container[str] = frozenset()) -> Package:
    """Return the import package for a checked project `name`.

    `taken` holds further names that are not free, such as the starter's dependencies.
    """
    package = re.sub(r"[-_. ]+", "_", name.lower())
    if package[0].isdigit():
        return Package(f"app_{package}", "a package cannot start with a digit")
    if keyword.iskeyword(package) or keyword.issoftkeyword(package):
        reason = f"{package} is a keyword of Python"
    elif package in sys.stdlib_module_names or package in _STANDARD_ELSEWHERE:
        reason = f"{package} would hide the standard library's module"
    elif package in _IMPORTED or package in taken:
        reason = f"{package} would hide another module of that name"
    elif package in _DIRECTORIES:
        reason = f"{package}/ is a directory of the project"
    else:
        return Package(package)
    return Package(f"{package}_app", reason)


def is_device(name: str) -> bool:
    """Tell whether Windows opens a device instead of a file of that name."""
    return bool(_DEVICE.fullmatch(name))


def _problem(name: str) -> str | None:
    """Say what keeps `name` from naming a project, or None when nothing does."""
    if not name:
        return "it is empty"
    if len(name) > MAX_LENGTH:
        return f"it has {len(name)} characters; over {MAX_LENGTH} paths get too long for Windows"
    if is_device(name):
        return "it is a device on Windows"
    if not _NAME.fullmatch(name):
        return "only letters a-z, digits and . _ - are allowed, a letter or digit at both ends"
    return None


def _slug(text: str) -> str | None:
    """Return `text` without accents and with dashes for spaces, when that makes a sane name."""
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    slug = re.sub(r"[ _-]*[ ][ _-]*", "-", plain.strip(" "))
    return None if _problem(slug) else slug
