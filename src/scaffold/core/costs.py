"""What running costs: the constants of a machine and its interpreter."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Start(NamedTuple):
    """Seconds that starting a pool of processes costs: once, and per process."""

    pool: float
    process: float


class Costs(NamedTuple):
    """The constants of one machine, in seconds and bytes.

    The defaults are what `concgen doctor --calibrate` found on 2 cores of Linux with CPython 3.13;
    they are of the right order elsewhere. Rates are bytes a second.
    """

    call: float = 3.0e-6  # one task through the engine, sequentially
    thread_start: float = 1.5e-4
    thread_hand_over: float = 5.0e-6
    thread_wake: float = 2.5e-5  # from a wait, while other threads want the GIL
    loop_start: float = 1.0e-3
    loop_hand_over: float = 5.0e-6
    loop_wake: float = 1.2e-5  # from a wait, among many coroutines
    loop_call: float = 2.5e-5  # a coroutine run to its end by itself, in an engine without a loop
    coroutine_start: float = 1.5e-5
    starts: Mapping[str, Start] = MappingProxyType(
        {
            "fork": Start(pool=4.0e-3, process=4.0e-3),
            "forkserver": Start(pool=8.0e-2, process=3.0e-2),
            "spawn": Start(pool=5.0e-2, process=5.0e-2),
        }
    )
    message: float = 6.0e-5  # from one process to another and back (benchmarks/engines.py)
    process_hand_over: float = 1.2e-6
    hybrid_hand_over: float = 8.0e-6
    hybrid_wake: float = 2.1e-5  # from a wait, where each process keeps to a core of its own
    pickle_rate: float = 6.5e8
    read_rate: float = 3.0e8  # of items as JSON Lines
    interpreter_bytes: int = 14_000_000
    thread_bytes: int = 60_000
    coroutine_bytes: int = 8_000


DEFAULT_COSTS = Costs()
