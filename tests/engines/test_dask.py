"""What only a cluster can get wrong: in this process on a shared one, and with real processes."""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from .assembly import STARTED, Project
from .conftest import CLUSTER_SIZE, Model
from .test_processes import errors

pytest.importorskip("distributed")

TASKS = 120
ITEMS = "".join(f"{n}\n" for n in range(TASKS))
SLOW = """
import time
def work(item):
    time.sleep(0.05)
    return item
"""


class Cluster:
    """A scheduler and workers, each a process of its own, with nothing of ours in their path."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.workers = folder, []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        self.scheduler = self._start(
            "scheduler", "--host", self.address, "--dashboard-address", "127.0.0.1:0"
        )

    def add(self, *options: str) -> psutil.Process:
        """One worker more."""
        own = ("--no-nanny", "--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0")
        return self._start("worker", self.address, *own, *options)

    def _start(self, *words: str) -> psutil.Process:
        process = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:]],
            cwd=self.folder,
            start_new_session=True,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "log").open("a"),
        )
        STARTED.append(process)
        return psutil.Process(process.pid)


@pytest.fixture
def processes(tmp_path: Path) -> Cluster:
    """A scheduler with two workers, one of them with two threads."""
    (tmp_path / "elsewhere").mkdir()
    cluster = Cluster(tmp_path / "elsewhere")
    cluster.workers = [cluster.add("--nthreads", "1"), cluster.add("--nthreads", "2")]
    return cluster


def results(project: Project) -> list[dict[str, Any]]:
    """All records so far."""
    path = project.root / "results.jsonl"
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def wait_for(condition: Callable[[], bool]) -> None:
    """Give up after a long time."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def test_a_worker_killed_in_the_middle(processes: Cluster, tmp_path: Path) -> None:
    """Its tasks run again, one that joins late takes part, and each task has one result."""
    project = Project.make("dask", tmp_path / "project", SLOW, ITEMS)
    run = project.start("run", "--scheduler", processes.address)
    wait_for(lambda: len(results(project)) > 10)
    processes.workers[1].kill()
    processes.add("--nthreads", "1")
    _, err = run.communicate(timeout=60)
    assert run.returncode == 0, err
    assert sorted(record["id"] for record in results(project)) == list(range(TASKS))
    assert "dashboard" in err


def test_an_edited_package_goes_to_workers_that_had_the_old_one(
    scheduler: str, tmp_path: Path
) -> None:
    """Every run brings its own code along, to the cluster that the environment names."""
    project = Project.make("dask", tmp_path / "project", SLOW, "1\n2\n3\n")
    environment = os.environ | {"DASK_SCHEDULER_ADDRESS": scheduler}
    for factor in (10, 100):
        text = "from .factor import FACTOR\ndef work(item):\n    return FACTOR * item\n"
        (project.root / "pkg/work.py").write_text(text)
        (project.root / "pkg/factor.py").write_text(f"FACTOR = {factor}\n")
        done = project.run("run", "--fresh", env=environment)
        assert done.returncode == 0, done.stderr
        assert {record["value"] for record in results(project)} == {factor * n for n in (1, 2, 3)}


def test_a_program_runs_on_the_cluster_that_the_environment_names(
    scheduler: str, tmp_path: Path
) -> None:
    """run() needs no more than the other models' do."""
    project = Project.make("dask", tmp_path, "def work(item):\n    return item * 2\n")
    (tmp_path / "program.py").write_text(
        "from pkg.runner.api import run\nprint(sum(outcome.value for outcome in run(range(5))))\n"
    )
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=project.root,
        check=False,
        env=os.environ | {"DASK_SCHEDULER_ADDRESS": scheduler},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.stdout, done.stderr) == ("20\n", "")


def test_dask_prints_no_traceback_of_its_own(scheduler: str, tmp_path: Path) -> None:
    """What goes wrong at the end of a run is in the outcomes, or is said in a line."""
    project = Project.make("dask", tmp_path, SLOW, ITEMS)
    script = project.root / "loggers.py"
    script.write_text(
        "import logging\n"
        "from pkg.runner.cluster import connect\n"
        "from pkg.runner.plugin import JobPlugin\n"
        f"with connect({scheduler!r}, 1):\n"
        "    for name in logging.root.manager.loggerDict:\n"
        "        is_dask = name.partition('.')[0] in ('distributed', 'tornado', 'asyncio')\n"
        "        if is_dask and logging.getLogger(name).isEnabledFor(logging.ERROR):\n"
        "            print(name)\n"
    )
    done = subprocess.run(
        [sys.executable, script],
        check=False,
        cwd=project.root,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_the_workers_do_not_have_ends_the_run(scheduler: str, tmp_path: Path) -> None:
    """A module beside the package stays behind, and one line says so."""
    project = Project.make("dask", tmp_path / "project", "import beside\n" + SLOW, ITEMS)
    (project.root / "beside.py").touch()
    done = project.run("run", "--scheduler", scheduler)
    assert done.returncode == 1
    assert "cannot import work(): ModuleNotFoundError: No module named 'beside'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_lost_scheduler_ends_the_run(tmp_path: Path) -> None:
    """With one line, and what was done is kept."""
    project = impatient(Project.make("dask", tmp_path / "project", SLOW, ITEMS))
    cluster = Cluster(tmp_path)
    cluster.add("--nthreads", "1")
    run = project.start("run", "--scheduler", cluster.address)
    wait_for(lambda: len(results(project)) > 10)
    cluster.scheduler.kill()
    _, err = run.communicate(timeout=60)
    assert run.returncode == 1
    assert "error: lost the scheduler" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense:::"])
def test_no_scheduler_is_one_line(tmp_path: Path, address: str) -> None:
    """The address and the reason."""
    project = impatient(Project.make("dask", tmp_path, SLOW, ITEMS))
    done = project.run("run", "--scheduler", address)
    assert done.returncode == 1
    assert f"error: no scheduler at {address}: " in done.stderr
    assert "Traceback" not in done.stderr


def impatient(project: Project) -> Project:
    """The same, but it gives up soon on a scheduler that does not answer."""
    cluster = project.root / "pkg/runner/cluster.py"
    text = cluster.read_text()
    cluster.write_text(text.replace("CONNECTING = 10.0", "CONNECTING = 2.0"))
    assert cluster.read_text() != text
    return project


def test_without_distributed_the_way_to_it_is_said(tmp_path: Path) -> None:
    """Exit 2, one line, and `--help` works all the same."""
    project = Project.make("dask", tmp_path, SLOW, ITEMS)
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['distributed'] = None\n")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = project.run("run", env=environment)
    assert done.returncode == 2
    assert "pip install -e ." in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "--scheduler" in project.run("run", "--help", env=environment).stdout


def test_a_worker_killed_while_it_starts(tmp_path: Path) -> None:
    """The cluster of the run is started again, and every task has one result."""
    project = Project.make("dask", tmp_path, SLOW, ITEMS)
    run = project.start("run", "--max-workers", "2")
    starting: list[psutil.Process] = []

    def seen() -> bool:
        children = psutil.Process(run.pid).children()
        starting[:] = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        return bool(starting)

    wait_for(seen)
    starting[0].kill()
    err = run.communicate()[1]
    assert run.returncode == 0, err
    assert len({record["id"] for record in results(project)}) == len(ITEMS.splitlines())


@pytest.mark.skipif(sys.platform == "win32", reason="no signal is blocked there")
def test_a_worker_that_hangs_as_it_starts_again_does_not_keep_the_run(tmp_path: Path) -> None:
    """It ignores SIGTERM, which is blocked then; the run ends, and so does it."""
    dies_once = SLOW.replace(
        "    time",
        "    if item == 0 and not FLAG.exists():\n        FLAG.touch()\n"
        "        os._exit(3)\n    time",
    )
    work = f"import os, pathlib\nFLAG = pathlib.Path({str(tmp_path / 'died')!r})\n{dies_once}"
    project = Project.make("dask", tmp_path, work, ITEMS)
    (tmp_path / "sitecustomize.py").write_text(
        f"""
import os, pathlib, signal, sys, time
if "spawn_main" in " ".join(sys.orig_argv) and pathlib.Path({str(tmp_path / "died")!r}).exists():
    with open({str(tmp_path / "hangs")!r}, "a") as file:
        print(os.getpid(), file=file)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(600)
"""
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = project.run("run", "--max-workers", "2", env=environment)
    assert done.returncode == 0, done.stderr
    assert len(results(project)) == TASKS
    hanging = [int(line) for line in (tmp_path / "hangs").read_text().split()]
    assert hanging
    wait_for(lambda: not any(psutil.pid_exists(pid) for pid in hanging))


@pytest.mark.usefixtures("models")
def test_a_worker_that_hangs_as_the_cluster_starts_is_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its death ends the start, which is tried again."""
    module = importlib.import_module("assembled_dask.runner.cluster")
    killed, started = threading.Event(), []

    def hangs_at_first(**_: Any) -> str:
        started.append(1)
        if len(started) == 1:
            assert killed.wait(60)
            raise RuntimeError("Nanny failed to start.")
        return "cluster"

    monkeypatch.setattr("distributed.LocalCluster", hangs_at_first)
    monkeypatch.setattr(module, "STARTING", 0.01)
    assert module._start(2, killed.set) == "cluster"
    assert len(started) == 2


def test_a_cluster_that_cannot_start_says_why(tmp_path: Path) -> None:
    """It is not tried for ever: one line with the reason, and no process is left."""
    project = Project.make("dask", tmp_path, SLOW, ITEMS)
    dies = "import os, sys\nif 'spawn_main' in ' '.join(sys.orig_argv):\n    os._exit(3)\n"
    (tmp_path / "sitecustomize.py").write_text(dies)
    done = project.run("run", env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    assert "no cluster could be started here: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_dead_worker_costs_one_task(cluster: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever kills its workers again and again is found, and the others are run again."""
    monkeypatch.setattr("assembled_dask.runner.engine.DEATHS", 1)
    [error] = errors(cluster, "def", "_exit", max_workers=CLUSTER_SIZE)
    assert error.startswith("worker died: ")


def test_a_worker_that_died_is_a_failed_attempt(
    cluster: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is retried like any other."""
    monkeypatch.setattr("assembled_dask.runner.engine.DEATHS", 1)
    retry = cluster.task.Retry(times=1, base=0.01)
    outcomes = cluster.run(cluster.job("misbehave"), ["a", "_exit", "b"], retry=retry)
    assert [(o.error is None, o.attempts) for o in outcomes] == [(True, 1), (False, 2), (True, 1)]


def test_killed_workers_cost_nothing(cluster: Model, scheduler: str) -> None:
    """Workers that are killed from outside have their tasks run again, elsewhere."""
    from distributed import Client

    with Client(scheduler, set_as_default=False) as client:
        wait_for(lambda: len(client.nthreads()) == CLUSTER_SIZE)
        _, *victims = client.run(os.getpid).values()  # one is left
    outcomes = []
    for burst in cluster.bursts(cluster.job("slow"), range(300), max_workers=CLUSTER_SIZE):
        outcomes += burst
        if len(outcomes) > 30 and victims:
            os.kill(victims.pop(), signal.SIGKILL)
    assert not victims
    assert sorted((o.id, o.value) for o in outcomes) == [(n, n) for n in range(300)]


def test_nothing_stays_on_the_cluster(cluster: Model, scheduler: str) -> None:
    """No plugin, no module search path, no key of a run that is over."""
    from distributed import Client

    def left(dask_worker: Any) -> list[str]:
        own = dask_worker.local_directory + os.sep  # Dask puts the folder itself there
        folders = [path for path in sys.path if path.startswith(own)]
        return [*filter(lambda name: "assembled" in name, dask_worker.plugins), *folders]

    def keys(dask_scheduler: Any) -> list[str]:
        return [key for key in dask_scheduler.tasks if "assembled" in str(key)]

    cluster.run(cluster.job("square"), range(100))
    with Client(scheduler, set_as_default=False) as client:
        assert set(map(tuple, client.run(left).values())) == {()}
        wait_for(lambda: not client.run_on_scheduler(keys))
