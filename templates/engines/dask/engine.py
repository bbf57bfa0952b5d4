"""Dask engine: work(item) on the workers of a cluster, for more than one machine does in time.

    items ──▶ Backlog ──▶ batches of about 0.25 s ══scheduler══▶ workers 1..N: an executor on each
                 ▲                                                     │ threads: work(item)
                 ├── retries ◀────────────── rows of a batch ◀══scheduler══┴──▶ outcomes
                 └── suspects ◀── batches of a worker that is gone at the roll call

With an address it runs on that cluster, and takes the package along; without one it starts a
cluster on this machine. Dask carries, watches and restarts; which worker gets which batch is
decided by the Dispatcher. So it is known what a worker ran when it died: those tasks are suspects.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from importlib.util import find_spec
from typing import TYPE_CHECKING

from .backlog import Backlog
from .cluster import IMPORTING, LEAVING, connect, within
from .dispatcher import Dispatcher
from .failures import describe
from .job import Job
from .machine import NotReady, usable_cores
from .prints import say
from .task import PACKAGE, TEARDOWN, Bursts, EngineError

if TYPE_CHECKING:  # the import takes half a second, and `--help` does without
    from distributed import Client

MODEL = "dask"
AWAITS = "never"
ADAPTS = None  # --max-workers auto is decided before the run
IN_THREADS = False
ADDRESS = "DASK_SCHEDULER_ADDRESS"  # in the environment, where Dask itself looks for it
OPTIONS = {
    "scheduler": ("ADDRESS", f"the cluster, such as tcp://host:8786 [${ADDRESS}, or one here]")
}
ALL = 0  # as max_workers: as many as the cluster has


def default_workers(scheduler: str | None = None) -> int:
    """One process per core of this machine; on a cluster, ALL that it has.

    Raises NotReady where Dask is not installed: before a run has touched anything.
    """
    if find_spec("distributed") is None:
        raise NotReady("the module distributed is not installed: pip install -e .")
    return ALL if scheduler or os.environ.get(ADDRESS) else usable_cores()


def in_one_process(max_workers: int) -> int:
    return 1


def run(
    job: Job, backlog: Backlog, *, timeout: float | None = None, scheduler: str | None = None
) -> Bursts:
    """Yield outcomes in bursts, as they complete; at most `backlog.max_workers` tasks run at once.

    They run on the cluster with that address, or with the one in the environment. Where there is
    none, so many processes are started here.
    """
    from .plugin import JobPlugin, pack

    backlog.put_back(backlog.take(1))
    if backlog.empty:  # there is nothing to start a cluster for
        backlog.raise_failure()
        return
    packed = job.pack()
    name = f"{PACKAGE}-{uuid.uuid4().hex}"
    address = scheduler or os.environ.get(ADDRESS)
    with connect(address, backlog.max_workers) as (client, kill):
        if not job.quiet:
            say(f"dashboard of the cluster: {client.dashboard_link}")
        with contextlib.suppress(OSError):  # of a worker that dies just now: the next ones get it
            client.subscribe_topic(name, _show_record)
            plugin = JobPlugin(name, PACKAGE, pack(PACKAGE) if address else None, packed)
            within(IMPORTING, client.register_plugin, plugin)
        dispatcher = Dispatcher(client, backlog, timeout, name, job.quiet)
        try:
            yield from dispatcher.run()
        except OSError as exc:
            raise EngineError(f"lost the scheduler: {describe(exc)}") from None
        finally:
            kill(dispatcher.dismiss())
            problem = _tear_down(client, name)
        if problem:
            raise EngineError(problem)
    backlog.raise_failure()


def _show_record(event: tuple[float, bytes]) -> None:
    """What a worker has logged."""
    from .logs import handle

    handle(event[1], int)


def _tear_down(client: Client, name: str) -> str:
    """Let the workers tear down what setup() made. Return what was wrong with that."""
    try:
        within(TEARDOWN + LEAVING, client.unregister_worker_plugin, name)
    except EngineError as exc:
        return str(exc)
    except TimeoutError:
        return f"the teardown after setup() still runs after {TEARDOWN:g} s: it is cut off"
    except Exception:  # of a cluster that is gone
        return ""
    return ""
