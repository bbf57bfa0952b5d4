"""What travels to the workers of a cluster: the job, and the package where they do not have it.

Everything here is pickled by value, with its code, for the machines that it goes to may know
nothing of this project. So it imports nothing of the package by name.
"""

from __future__ import annotations

import asyncio
import importlib
import pickle
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, cast
from zipfile import ZipFile

import cloudpickle
from distributed import WorkerPlugin, get_worker


class JobPlugin(WorkerPlugin):
    """Unpacked once on each worker, also on those that join later, and cleared away at the end.

    `archive` is the package as pack() makes it, None where workers can import it as it is. A worker
    that serves no other run stands alone: no Ctrl-C reaches it.
    """

    def __init__(self, name: str, package: str, archive: bytes | None, job: bytes) -> None:
        self.name, self._package, self._archive, self._job = name, package, archive, job
        self._executor: Any = None
        self._failure = "a worker was not set up"

    def setup(self, worker: Any) -> None:
        """Import this version of the package. A failure is the reply to the first batch."""
        try:
            if self._archive is None:
                self._workers().stand_alone()
            else:
                _import_from(self._archive, self._package, worker.local_directory)
            executor = importlib.import_module(f"{self._package}.runner.executor")
            self._executor = executor.BatchExecutor(
                pickle.loads(self._job),  # noqa: S301  # from our own cluster
                partial(worker.log_event, self.name),
                shared=self._archive is not None,
            )
        except BaseException as exc:
            self._failure = f"a worker cannot import work(): {type(exc).__name__}: {exc}"

    async def teardown(self, worker: Any) -> None:
        """Close what the user's setup() opened, and let go of the threads that wait.

        A worker that serves no other run is killed then: its exit functions run here.
        """
        try:
            if self._executor is not None:
                await asyncio.to_thread(self._executor.close)
        finally:
            if self._archive is None:
                await asyncio.to_thread(self._workers().finish)

    def _workers(self) -> Any:
        return importlib.import_module(f"{self._package}.runner.workers")

    def serve(self, batch: bytes, timeout: float | None) -> bytes:
        """Run a batch; BatchExecutor.serve() says what is in it, and in the reply."""
        if self._executor is None:
            return pickle.dumps(self._failure)
        reply: bytes = self._executor.serve(batch, timeout)
        return reply


cloudpickle.register_pickle_by_value(sys.modules[__name__])


def delivery(name: str) -> Callable[[bytes, float | None], bytes]:
    """A function that runs a batch on the worker that it is called on, by the plugin of that name.

    Nobody can import it, so it is pickled by value, too.
    """

    def deliver(batch: bytes, timeout: float | None) -> bytes:
        plugin = cast("JobPlugin", get_worker().plugins[name])
        return plugin.serve(batch, timeout)

    return deliver


def pack(package: str) -> bytes:
    """Every file of the package, as a zip archive."""
    folder = Path(str(sys.modules[package].__file__)).parent
    archive = BytesIO()
    with ZipFile(archive, "w", strict_timestamps=False) as files:  # container files are of 1970
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                files.write(path, Path(package, path.relative_to(folder)))
    return archive.getvalue()


def _import_from(archive: bytes, package: str, parent: str) -> None:
    """Import the package from the archive, whatever version was imported before."""
    folder = tempfile.mkdtemp(dir=parent)
    with ZipFile(BytesIO(archive)) as files:
        files.extractall(folder)
    for name in list(sys.modules):
        if name.partition(".")[0] == package:
            del sys.modules[name]
    sys.path.insert(0, folder)
    try:
        importlib.invalidate_caches()
        importlib.import_module(package)  # it finds its modules by itself from then on
    finally:
        sys.path.remove(folder)
