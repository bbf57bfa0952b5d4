"""Which names are let in, and what becomes of them."""

from __future__ import annotations

import keyword
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffold.core.errors import UsageError
from scaffold.core.texts import shown
from scaffold.making.names import MAX_LENGTH, check_name, name_for, package_name

HOSTILE = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "/etc/passwd",
    "a\\b",
    "C:x",
    "a b",
    " a",
    "a\n",
    "a\nb",
    "a\x00b",
    "\x1b[31mred",
    "a\u202eb",
    "\u200fname",
    "\ufeffname",
    "-rf",
    "--help",
    ".hidden",
    "a-",
    "a.",
    "_private",
    "CON",
    "nul",
    "Aux.txt",
    "com1",
    "LPT9.tar.gz",
    "$HOME",
    "$(reboot)",
    "`id`",
    "a;b",
    "a&b",
    "a|b",
    "a>b",
    "a*",
    "a'b",
    'a"b',
    "{{ 7*7 }}",
    "{% include 'x' %}",
    "{#x#}",
    "%s",
    "données",
    "проект",
    "名前",
    "a\u0301",
    "١٢٣",
    "ﬁle",
    "a" * (MAX_LENGTH + 1),
    "a" * 300,
    "\ud800",
]
ORDINARY = ["a", "crawl", "my-project", "My.Project", "a_b", "x86", "3d", "A" * MAX_LENGTH]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_refused(name: str) -> None:
    """It is a usage error of one printable line, which offers a way out."""
    with pytest.raises(UsageError) as caught:
        check_name(name)
    assert caught.value.exit_code == 2
    assert caught.value.message.isprintable()
    assert caught.value.message.isascii() or name.isprintable()
    assert caught.value.hint


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_name_is_taken_as_it_is(name: str) -> None:
    """What is valid for a distribution and a directory needs no change."""
    assert check_name(name) == name


@given(st.text(max_size=80))
def test_a_name_is_either_refused_or_gives_a_package(name: str) -> None:
    """Whatever passes the check becomes an identifier that hides nothing."""
    try:
        check_name(name)
    except UsageError:
        return
    package = package_name(name).name
    assert package.isidentifier()
    assert package.isascii()
    assert package == package.lower()
    assert not keyword.iskeyword(package)
    assert package not in sys.stdlib_module_names


@given(st.text(max_size=300))
def test_a_value_is_shown_on_one_line(value: str) -> None:
    """Nothing in a message can move the cursor or turn the text around."""
    assert shown(value).isprintable()
    assert len(shown(value)) <= 80


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("crawl", "crawl"),
        ("My.Big--project_2", "my_big_project_2"),
        ("json", "json_app"),
        ("JSON", "json_app"),
        ("concurrent.futures", "concurrent_futures"),
        ("annotationlib", "annotationlib_app"),
        ("distutils", "distutils_app"),
        ("class", "class_app"),
        ("match", "match_app"),
        ("tests", "tests_app"),
        ("build", "build_app"),
        ("pytest", "pytest_app"),
        ("aiohttp", "aiohttp_app"),
        ("dask", "dask_app"),
        ("3d", "app_3d"),
    ],
)
def test_package_name(name: str, package: str) -> None:
    """A package that would hide something gets another name, and the reason is told."""
    made = package_name(name, taken={"aiohttp"})
    assert made.name == package
    assert (made.reason is None) == (name in ("crawl", "My.Big--project_2", "concurrent.futures"))


@pytest.mark.parametrize(
    ("directory", "name"),
    [
        ("crawl", "crawl"),
        ("a/b/crawl", "crawl"),
        ("crawl/", "crawl"),
        ("My project", "My-project"),
        ("Données  2024", "Donnees-2024"),
        ("a - b", "a-b"),
    ],
)
def test_a_directory_suggests_a_name(directory: str, name: str) -> None:
    """Its own, or the same without accents and blanks."""
    assert name_for(Path(directory)) == name


@pytest.mark.parametrize("directory", ["проект", "a (1)", ".config", "CON", "/", "{{ 7*7 }}"])
def test_a_directory_that_suggests_no_name(directory: str) -> None:
    """The error says how to give one."""
    with pytest.raises(UsageError) as caught:
        name_for(Path(directory))
    assert "--name" in (caught.value.hint or "")


def test_the_current_directory_suggests_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A destination of "." stands for the directory's own name."""
    (tmp_path / "crawl").mkdir()
    monkeypatch.chdir(tmp_path / "crawl")
    assert name_for(Path()) == "crawl"
