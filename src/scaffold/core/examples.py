"""Workloads that show a rule firing, or keeping silent; `concgen rules ID` quotes them."""

from dataclasses import replace
from typing import NamedTuple

from scaffold.core.domain import Bound, Machine, Source, Workload


class Case(NamedTuple):
    """An example: a workload on a machine, and the words for it."""

    text: str
    workload: Workload
    machine: Machine


_TWO_CORES = Machine(2.0, 8 * 10**9, "3.13.0", True, "forkserver", 1024, "linux")
_ONE_CORE = _TWO_CORES._replace(cores=1.0)
_NO_GIL = _TWO_CORES._replace(gil=False)
_PYTHON_3_14 = _TWO_CORES._replace(python="3.14.0")

_FEW_WAITS = Workload(Bound.IO, tasks=20, task_seconds=0.1)
_MANY_WAITS = Workload(Bound.IO, tasks=10_000, task_seconds=0.2)
_SYNC_WAITS = replace(_MANY_WAITS, async_client=False)
_COMPUTING = Workload(
    Bound.CPU, tasks=2000, task_seconds=0.05, cpu_fraction=1.0, async_client=False
)
_NATIVE = replace(_COMPUTING, gil_fraction=0.0)
_MIXED = Workload(Bound.MIXED, tasks=1000, task_seconds=0.02, cpu_fraction=0.5)

FEW_WAITS = Case("20 tasks that wait 100 ms each", _FEW_WAITS, _TWO_CORES)
COROUTINES = Case(
    "20 calls of an `async def` that wait 100 ms each",
    replace(_FEW_WAITS, sources={"async_client": Source.MEASURED}),
    _TWO_CORES,
)
MANY_WAITS = Case("10,000 tasks that wait 200 ms, with an async client", _MANY_WAITS, _TWO_CORES)
COMPUTING = Case(
    "2,000 tasks that compute 50 ms and hold the GIL, on 2 cores", _COMPUTING, _TWO_CORES
)
ON_3_14 = Case(
    "2,000 tasks that compute 50 ms and hold the GIL, on 2 cores with Python 3.14",
    _COMPUTING,
    _PYTHON_3_14,
)
ON_ONE_CORE = Case("2,000 tasks that compute 50 ms each, on 1 core", _COMPUTING, _ONE_CORE)
NATIVE = Case("2,000 tasks of 50 ms in code that releases the GIL, on 2 cores", _NATIVE, _TWO_CORES)
NO_GIL = Case("2,000 tasks that compute 50 ms, on free-threaded Python", _COMPUTING, _NO_GIL)
MIXED = Case("1,000 tasks that wait 10 ms and compute 10 ms, on 2 cores", _MIXED, _TWO_CORES)
SYNC_WAITS = Case("10,000 tasks that wait 200 ms in a blocking client", _SYNC_WAITS, _TWO_CORES)
ONE_TASK = Case("one task of 10 s", Workload(Bound.IO, 1, 10.0), _TWO_CORES)
ONE_AT_A_TIME = Case(
    "10,000 tasks that wait 200 ms each, one at a time",
    replace(_MANY_WAITS, max_in_flight=1),
    _TWO_CORES,
)
SLOW_RATE = Case(
    "3,000 requests of 200 ms, where 2 a second are allowed",
    replace(_MANY_WAITS, tasks=3000, rate_per_second=2.0),
    _TWO_CORES,
)
RATE = Case(
    "3,000 requests of 200 ms, where 10 a second are allowed",
    replace(_MANY_WAITS, tasks=3000, rate_per_second=10.0),
    _TWO_CORES,
)
LARGE_TASKS = Case(
    "2,000 tasks that compute 50 ms in 700 MB each, with 1 GB left",
    replace(_COMPUTING, task_memory_bytes=700_000_000),
    _TWO_CORES._replace(memory_left_bytes=10**9),
)
LARGE_PAYLOAD = Case(
    "2,000 tasks that compute 50 ms on 20 MB each",
    replace(_COMPUTING, payload_bytes=20_000_000),
    _TWO_CORES,
)
