"""`new --from`: what is copied, what stays where it is, and what has to be installed for it."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from scaffold.asking.target import parse_target
from scaffold.commands import bench
from scaffold.core.errors import UsageError
from scaffold.making import imports, installed, user_code
from scaffold.making.items import read_items
from scaffold.making.user_code import UserCode

WORK = "def work(item):\n    return 2 * item\n"
PROJECT = """
[build-system]
requires = ["{backend}"]
build-backend = "{backend}.build_meta"
[project]
name = "shop"
requires-python = "{python}"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with spaces in its name, entered, with some items."""
    place = tmp_path / "a place"
    place.mkdir()
    (place / "items.jsonl").write_text("1\n2\n")
    monkeypatch.chdir(place)
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    return place


def write(here: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(text)


def gathered(target: str) -> UserCode:
    return user_code.gather(parse_target(target), read_items(Path("items.jsonl")))


@pytest.mark.parametrize(
    ("files", "target", "copied"),
    [
        ({"slow.py": WORK}, "slow.py:work", True),
        ({"slow.py": f"import helper\n{WORK}", "helper.py": ""}, "slow.py:work", False),
        ({"slow.py": f"HERE = __file__\n{WORK}"}, "slow.py:work", False),
        ({"shop/__init__.py": "", "shop/slow.py": WORK}, "shop/slow.py:work", False),
        ({"shop/slow.py": WORK}, "shop.slow:work", False),
    ],
    ids=["alone", "neighbour", "its place", "package", "namespace"],
)
def test_only_a_lone_file_is_copied(
    here: Path, files: dict[str, str], target: str, copied: bool
) -> None:
    """All else needs what is around it."""
    write(here, files)
    assert (gathered(target).copied is not None) is copied


@pytest.mark.parametrize(
    ("files", "python", "installs"),
    [
        ({"src/shop/__init__.py": ""}, ">=3.9", True),
        ({"src/shop/__init__.py": ""}, ">=3.12", False),
        ({"src/shop/__init__.py": "", "src/shop/slow.py": "import other\n"}, ">=3.9,<4", True),
    ],
    ids=["src", "newer", "imports"],
)
def test_a_package_is_installed_from_where_it_is_where_that_is_sure_to_work(
    here: Path, concgen: Any, files: dict[str, str], python: str, installs: bool
) -> None:
    """Else it is imported by its path; either way it is told, and Next is one line."""
    write(here, {"src/shop/slow.py": ""} | files)
    with (here / "src/shop/slow.py").open("a") as file:
        file.write(WORK)
    (here / "src/other.py").touch()
    write(here, {"pyproject.toml": PROJECT.format(backend="setuptools", python=python)})
    done = concgen("new", "out", "--from", "src/shop/slow.py:work", "--items", "items.jsonl",
                   "--model", "sequential", "--yes")  # fmt: skip
    assert done.code == 0, done.err
    about = tomllib.loads((here / "out/pyproject.toml").read_text())
    sources = about.get("tool", {}).get("uv", {}).get("sources", {})
    assert sources == ({"shop": {"path": "..", "editable": True}} if installs else {})
    assert ("shop" in about["project"]["dependencies"]) is installs
    assert ("sys.path" in (here / "out/out/work.py").read_text()) is not installs
    assert ("is installed" if installs else "is imported") in done.out
    readme = (here / "out/README.md").read_text()
    assert ('pip install -e ".." -e .' in readme) is installs
    assert concgen("update", "--project", "out").code == 0


def test_setuptools_would_not_choose_among_several_packages(here: Path) -> None:
    """So the path it is."""
    write(here, {"shop/__init__.py": "", "shop/slow.py": WORK})
    write(here, {"pyproject.toml": PROJECT.format(backend="setuptools", python=">=3.11")})
    assert gathered("shop/slow.py:work").local == {"shop": here}
    write(here, {"extra/__init__.py": ""})
    assert gathered("shop/slow.py:work").folder == here


def test_what_neighbours_import_is_a_dependency_too(here: Path) -> None:
    """By the name of the distribution, which need not be that of the module."""
    write(
        here,
        {
            "shop/__init__.py": "",
            "shop/slow.py": f"from . import deep\nfrom shop.wide import x\n{WORK}",
            "shop/deep.py": "def late():\n    import yaml.nodes\n",
            "shop/wide/__init__.py": "import json, jinja2 as j, not_here\n",
        },
    )
    dependencies = {name.lower() for name in gathered("shop/slow.py:work").dependencies}
    assert dependencies == {"pyyaml", "jinja2"}


def test_names_are_those_of_the_standard_library_or_from_elsewhere(here: Path) -> None:
    """Neighbours are neither, also where an attribute of one is imported."""
    write(here, {"one.py": "import os.path, two, three.four, two.value\nfrom two import value\n"})
    write(here, {"two.py": ""})
    code = imports.follow(here, "one", here / "one.py")
    assert code.foreign == {"three.four"}


@pytest.mark.parametrize(
    ("files", "target", "name"),
    [
        ({"slow.py": f"import helper\n{WORK}", "helper.py": ""}, "slow.py:work", "helper"),
        ({"slow.py": f"import yaml\n{WORK}"}, "slow.py:work", "yaml"),
        ({"slow.py": f"import yaml\n{WORK}"}, "slow.py:work", "PyYAML"),
        ({"shop/__init__.py": "", "shop/slow.py": WORK}, "shop/slow.py:work", "Shop"),
    ],
    ids=["neighbour", "module", "distribution", "package"],
)
def test_a_project_hides_nothing_that_the_code_imports(
    here: Path, files: dict[str, str], target: str, name: str, concgen: Any
) -> None:
    """A project of that name has a package of another, and so is another distribution."""
    write(here, files)
    options = ("--items", "items.jsonl", "--json", "--dry-run", "--yes")
    made = concgen("new", f"made/{name}", "--from", target, *options)
    assert made.json["project"]["package"] == f"{name.lower()}_app"


def test_a_project_may_have_the_name_of_the_file_that_is_copied(here: Path) -> None:
    """It is a module in the package then."""
    write(here, {"slow.py": f"import yaml\n{WORK}"})
    assert "slow" not in gathered("slow.py:work").taken


@pytest.mark.parametrize("name", ["Work", "RUNNER", "settings", "__main__"])
def test_a_copied_file_takes_the_place_of_none(here: Path, name: str) -> None:
    """Also where a file system ignores the case."""
    write(here, {f"{name}.py": WORK})
    assert gathered(f"{name}.py:work").module == f"my_{name}"


def test_a_neighbour_that_hides_the_standard_library_is_refused(here: Path) -> None:
    """A project would have either; a file that nobody imports, or a built-in module, is no harm."""
    write(here, {"slow.py": f"import sys, time\n{WORK}", "calendar.py": "", "time.py": ""})
    assert gathered("slow.py:work").copied
    write(here, {"slow.py": f"from calendar import own\n{WORK}"})
    with pytest.raises(UsageError, match="'slow.py' imports calendar"):
        gathered("slow.py:work")


@pytest.mark.skipif(sys.platform == "win32", reason="a script in place of a Python")
def test_distributions_that_share_a_name_are_told_apart_by_their_files(here: Path) -> None:
    """As those of `google` are."""
    site = here / "site"
    for name in ("alpha", "beta"):
        write(
            site,
            {
                f"shared/{name}/__init__.py": "",
                f"the_{name}-1.dist-info/METADATA": f"Name: the-{name}\nVersion: 1\n",
                f"the_{name}-1.dist-info/RECORD": f"shared/{name}/__init__.py,,\n",
            },
        )
    folder = here.as_uri()
    write(
        site, {"the_beta-1.dist-info/direct_url.json": f'{{"url": "{folder}", "dir_info": {{}}}}'}
    )
    python = here / "python"
    python.write_text(f'#!/bin/sh\nshift\nPYTHONPATH="{site}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    owners = installed.owners(str(python), ["shared.alpha.x", "shared.beta"])
    assert owners == (("the-alpha", None), ("the-beta", here))


def test_parquet_stays_as_it_is(here: Path, concgen: Any) -> None:
    """Its times, decimals and bytes reach the function, when it is measured and in the project."""
    pa, pq = (pytest.importorskip(name) for name in ("pyarrow", "pyarrow.parquet"))
    rows = [
        {"k": f"r{n}", "at": datetime(2026, 1, 1), "raw": b"\xff", "price": Decimal("1.10")}
        | {"part": float("nan")}
        for n in range(10)
    ]
    pq.write_table(pa.Table.from_pylist(rows), here / "rows.parquet")
    work = "return item['at'].year, item['raw'][0], 2 * item['price'], str(item['part'])"
    write(here, {"job.py": f"import time\ndef price(item):\n    time.sleep(0.01)\n    {work}\n"})
    words = ("--from", "job.py:price", "--items", "rows.parquet", "--key", "k", "--yes")
    made = concgen("new", "proj", *words)
    assert made.code == 0, made.err
    assert "The items are items.parquet" in made.out
    needed = tomllib.loads((here / "proj/pyproject.toml").read_text())["project"]["dependencies"]
    assert "pyarrow" in needed
    done = subprocess.run(
        [sys.executable, "-m", "proj", "run"],
        cwd="proj",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in (here / "proj/results.jsonl").read_text().splitlines()]
    assert {result["key"] for result in results} == {f"r{n}" for n in range(10)}
    assert results[0]["value"] == [2026, 255, "2.20", "nan"]
    write(here, {"proj/items.jsonl": "1\n"})  # a stray one is not what bench takes
    _, items = bench.project_target(here / "proj", None)
    assert items.file.name == "items.parquet"


def test_a_path_in_the_code_is_found_from_where_it_was_measured(here: Path, concgen: Any) -> None:
    """Next runs the project there, and what it prints works."""
    write(here, {"prices.txt": "7", "slow.py": "def work(item):\n"
                 "    return item * int(open('prices.txt').read())\n"})  # fmt: skip
    done = concgen("new", "out", "--from", "slow.py:work", "--items", "items.jsonl",
                   "--model", "sequential", "--yes")  # fmt: skip
    assert done.code == 0, done.err
    assert "'prices.txt'. Run it here." in done.out
    (line,) = [line for line in done.out.splitlines() if "python -m out run" in line]
    words = line.rpartition("python")[2].split()
    ran = subprocess.run(
        [sys.executable, *words],
        env={"PYTHONPATH": str(here / "out")},
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert '"value": 14' in (here / "out/results.jsonl").read_text()
