"""The recipes of docs/your-code.md, run as they stand, each in the program that it is for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from scaffold.making import project

PAGE = Path(__file__).parents[2] / "docs/your-code.md"
MODELS = ("threading", "asyncio", "multiprocessing")


def recipe(heading: str) -> str:
    """The Python below a heading."""
    block = re.search(
        rf"^## {heading}\n.*?```python\n(.*?)```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert block, heading
    return block[1]


@pytest.fixture(params=MODELS)
def crawl(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The project that the page speaks of, by each model."""
    bound = "cpu" if request.param == "multiprocessing" else "io"
    answers = {"name": "crawl", "package": "crawl", "model": request.param, "bound": bound}
    project.create(tmp_path / "crawl", answers)
    return tmp_path / "crawl"


def run(crawl: Path, text: str) -> subprocess.CompletedProcess[str]:
    (crawl / "program.py").write_text(text)
    return subprocess.run(
        [sys.executable, "program.py"],
        cwd=crawl,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_script(crawl: Path) -> None:
    """It prints the sum of all squares."""
    done = run(crawl, recipe("A script"))
    assert (done.stdout, done.stderr) == (f"{sum(n * n for n in range(1000))}\n", "")


def test_notebook(crawl: Path) -> None:
    """The cell shows the values, in order, under a running event loop."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(recipe("Jupyter"))])
    nbclient.NotebookClient(book, resources={"metadata": {"path": str(crawl)}}).execute()
    (output,) = book.cells[0].outputs
    assert output.data["text/plain"] == "[0, 1, 8, 27, 64]"


def test_a_repository_from_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cells of docs/into.md, in the repository that the page makes."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    page = (PAGE.parent / "into.md").read_text("utf-8")
    shop = tmp_path / "src/shop"
    shop.mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    (shop / "__init__.py").touch()
    thumbs = re.search(r"```python\n# thumbs.py\n(.*?)```", page, re.DOTALL)
    assert thumbs
    (shop / "thumbs.py").write_text(thumbs[1])
    (tmp_path / "items.txt").write_text("a.png\nb.png\nc.png\nd.png\n")
    section = page.partition("## The same from a notebook\n")[2].partition("\n## ")[0]
    cells = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    monkeypatch.setenv("PATH", sysconfig.get_path("scripts"), prepend=os.pathsep)
    book = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)))
    nbclient.NotebookClient(book, resources={"metadata": {"path": str(tmp_path)}}).execute()
    (output,) = book.cells[-1].outputs
    assert output.data["text/plain"] == "['A.PNG', 'B.PNG']"


def test_fastapi(crawl: Path) -> None:
    """The request is answered, and the batch worked through in the background."""
    pytest.importorskip("fastapi")
    pytest.importorskip("httpx")
    client = """
if __name__ == "__main__":
    from fastapi.testclient import TestClient

    with TestClient(app) as client:
        answer = client.post("/batches", json=[{"kind": "square", "n": n} for n in range(5)])
    print(answer.status_code, answer.json(), sorted(done))
"""
    done = run(crawl, recipe("A FastAPI background task") + client)
    assert done.stdout == "202 {'accepted': 5} [0, 1, 4, 9, 16]\n", done.stderr


def test_django(crawl: Path) -> None:
    """`call_command` runs it to its end."""
    pytest.importorskip("django")
    call = """

if __name__ == "__main__":
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.configure()
    django.setup()
    call_command(Command())
"""
    done = run(crawl, recipe("A Django command") + call)
    assert (done.stdout, done.stderr) == ("done\n", "")
