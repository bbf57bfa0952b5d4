"""Runs of the database starter on a PostgreSQL server that crashes and comes back."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scaffold.core.domain import Model
from scaffold.making import project

NAPS, WORKERS = 400, 4
NAP = '\nREADS["nap"] = "SELECT 1 AS one FROM pg_sleep(0.02)"\n'
ENDS_WITHIN = 120.0  # seconds; a bound for a very busy machine


@pytest.fixture(params=[Model.THREADING, Model.ASYNCIO, Model.MULTIPROCESSING, Model.HYBRID])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A project whose items each wait 20 ms in the server."""
    path = tmp_path / "made"
    project.create(path, {"name": "made", "starter": "database", "model": request.param})
    with (path / "made/work.py").open("a") as work:
        work.write(NAP)
    (path / "items.jsonl").write_text('{"query": "nap"}\n' * NAPS)
    return path


@pytest.fixture
def server(made: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The server that the project's own tests start."""
    monkeypatch.syspath_prepend(made)
    spec = importlib.util.spec_from_file_location("made_conftest", made / "tests/conftest.py")
    assert spec is not None
    assert spec.loader is not None
    conftest = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(conftest)
    for name in [name for name in sys.modules if name.partition(".")[0] == "made"]:
        del sys.modules[name]
    programs = conftest.installed()
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = conftest.Postgres(programs, Path(folder))
        yield server
        server.crash()


def test_a_run_outlives_a_crash_of_the_server(made: Path, server: Any) -> None:
    """Tasks fail while it is away, are tried again, and all of them succeed, once each."""
    options = ["--max-workers", str(WORKERS), "--retries", "10", "--quiet"]
    run = subprocess.Popen(
        [sys.executable, "-m", "made", "run", *options],
        cwd=made,
        env=os.environ | {"DATABASE_URL": server.url},
        stderr=subprocess.PIPE,
        text=True,
    )
    results = made / "results.jsonl"
    # A worker that begins meanwhile would have no connection, and that ends a run.
    while not results.exists() or not results.read_text() or _sessions(server) < WORKERS:
        assert run.poll() is None, run.communicate()
        time.sleep(0.01)
    server.crash()
    server.start()
    _, err = run.communicate(timeout=ENDS_WITHIN)
    assert run.returncode == 0, err
    records = [json.loads(line) for line in results.read_text().splitlines()]
    assert sorted(record["id"] for record in records) == list(range(NAPS))
    assert all(record["ok"] for record in records)
    assert any(record["attempts"] > 1 for record in records)


def _sessions(server: Any) -> int:
    """How many connections others have."""
    import psycopg  # where the project's own tests need it, too

    query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
    with psycopg.connect(server.url) as own:
        return len(own.execute(query).fetchall()) - 1
