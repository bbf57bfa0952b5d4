"""What a cluster costs beside the work itself: its constants, and what its scheduler carries."""

from scaffold.core.domain import Workload

# Seconds and bytes: what benchmarks/cluster.py found of distributed 2026.8 on 2 cores of Linux with
# CPython 3.13, where its runs differ by half, and for the largest memory benchmarks/growth.py.
# From the command to the first task: the import, the workers or the connection to them.
START = 1.5
# One item there and back in a batch of many; one batch through client and scheduler.
HAND_OVER = 1.0e-5
MESSAGE = 4.0e-3
# A worker process with Dask and nothing else; the client and the scheduler together.
WORKER_BYTES, SCHEDULER_BYTES = 65_000_000, 120_000_000
# The engine hands out work in batches of about this many seconds, and at most this many tasks.
BATCH_SECONDS, LARGEST_BATCH = 0.25, 2000
# Bytes a second over an ordinary network, of 1 Gbit/s.
NETWORK = 1.2e8


def carrying(work: Workload) -> float:
    """Return the seconds that carrying all items and results takes, whatever the workers do."""
    batch = min(LARGEST_BATCH, max(1.0, BATCH_SECONDS / max(work.task_seconds, 1e-9)))
    return work.tasks * (HAND_OVER + MESSAGE / batch + work.payload_bytes / NETWORK)


def memory(workers: int) -> int:
    """Return the bytes of all processes together, without what the tasks carry."""
    return SCHEDULER_BYTES + workers * WORKER_BYTES
