"""One package per model, assembled once and imported; the contract runs over all of them."""

from __future__ import annotations

import importlib
import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from .assembly import MODELS, PROCESS_MODELS, assemble, end_all

CLUSTER_SIZE = 3
HOME = f"""
import sys
from home.runner.cluster import connect
with connect(None, {CLUSTER_SIZE}) as (client, _):
    print(client.scheduler.address, flush=True)
    sys.stdin.read()
"""
WORKS = Path(__file__).with_name("works.py").read_text()


# What every worker process of an engine imports first: here its parent has it, once for all tests.
if sys.platform != "win32":
    multiprocessing.set_forkserver_preload(["asyncio", "concurrent.futures", "logging"])

# Modules of an assembled package, for the tests.
PARTS = ("engine", "task", "backlog", "failures", "items", "results", "machine", "pacing")


class Model(SimpleNamespace):
    """The modules of an assembled package, and a shortcut to run its engine."""

    name: str
    options: dict[str, Any]  # of its engine, in every test
    engine: Any
    task: Any
    backlog: Any
    works: Any

    def job(self, work: str, kind: str = "def", setup: str | None = None) -> Any:
        """A job with a function of works.py."""
        return self.works.job(work, kind, setup)

    def bursts(self, job: Any, items: Any, **options: Any) -> Iterator[list[Any]]:
        """The engine's own interface, on items that are numbered here."""
        return self.numbered(job, enumerate(items), **options)

    def numbered(
        self, job: Any, items: Any, *, max_workers: int = 2, **options: Any
    ) -> Iterator[list[Any]]:
        """The same on items that are numbered already."""
        options = self.options | options
        bounds = {name: options.pop(name) for name in ("retry", "stop", "pacer") if name in options}
        backlog = self.backlog.Backlog(items, max_workers, **bounds)
        return self.engine.run(job, backlog, **options)  # type: ignore[no-any-return]

    def run(self, job: Any, items: Any, **options: Any) -> list[Any]:
        """All outcomes, in the order of the input."""
        outcomes = [outcome for burst in self.bursts(job, items, **options) for outcome in burst]
        return sorted(outcomes, key=lambda outcome: outcome.id)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Model]:
    """Every model, by name."""
    root = tmp_path_factory.mktemp("packages")
    sys.path.insert(0, str(root))
    by_name = {}
    for name in MODELS:
        package = f"assembled_{name}"
        target = assemble(name, root, "", package)
        (target / "works.py").write_text(f"{WORKS}\n\nFOLDER = Path({str(target)!r})\n")
        modules = {part: importlib.import_module(f"{package}.runner.{part}") for part in PARTS}
        if name in PROCESS_MODELS:
            for part in ("pool", "processes"):
                modules[part] = importlib.import_module(f"{package}.runner.{part}")
        modules["works"] = importlib.import_module(f"{package}.works")
        by_name[name] = Model(name=name, options={}, **modules)
    return by_name


@pytest.fixture(scope="package")  # an idle cluster takes a tenth of a core: it ends with its tests
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a cluster that all tests share; its processes know nothing of the packages.

    It is one as the engine starts it here, in a process of its own: what is killed comes back.
    """
    pytest.importorskip("distributed")
    home = tmp_path_factory.mktemp("home")
    assemble("dask", home, "", "home")
    with subprocess.Popen(
        [sys.executable, "-c", HOME],
        cwd=home,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.communicate()  # the end of its input ends it


@pytest.fixture(scope="package")
def cluster(models: dict[str, Model], scheduler: str) -> Model:
    """The model that runs on a cluster, with the threads already there that Dask keeps."""
    model = models["dask"]
    model.options = {"scheduler": scheduler}
    model.run(model.job("square"), range(1))
    return model


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest, models: dict[str, Model]) -> Model:
    """Each model in turn."""
    if request.param == "dask":
        return request.getfixturevalue("cluster")  # type: ignore[no-any-return]
    return models[request.param]


@pytest.fixture(params=["def", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of work() in turn."""
    return str(request.param)


@pytest.fixture(autouse=True)
def _no_process_survives_its_test() -> Iterator[None]:
    yield
    end_all()


def paying(model: Model) -> tuple[Any, list[int]]:
    """A pacer of tasks that cost a token each, and the items that were paid for."""
    paid: list[int] = []

    def cost(item: int) -> int:
        paid.append(item)
        return 1

    return model.pacing.Pacer([model.pacing.Rate.parse("1000 tokens/s")], cost=cost), paid
