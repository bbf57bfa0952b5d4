"""A simulated world: one clock, and workers, pipes and an input that live by it.

The pool of processes and its backlog are the real ones; so is what a worker does with a batch. What
is simulated is time, the death of workers, the pipes and the input, all drawn from one seed.
"""

from __future__ import annotations

import bisect
import random
from collections import Counter
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

NEVER = float("inf")
STEPS = 100_000  # of a run, before it counts as one that does not end
TROUBLES = ("error", "refused", "later", "hang", "die", "die late")
ALWAYS = 0.3  # share of troubles that come again at every attempt of the item
BATCH = 4  # tasks in a batch, at most: with few of them, a window that is not bounded shows
CALL = 1e-6  # seconds that even a call without patience takes
KILL = 0.001  # seconds between the signal and the end of the pipe


class Clock:
    """What the modules under test take for `time`."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """The seconds so far: of the worker that runs at present, or of the parent."""
        return self.now

    perf_counter = monotonic  # the same clock, in finer steps

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.now += seconds


class Shared:
    """The memory that a worker shares with its parent: as it was at the parent's own time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._times: list[float] = []
        self._values: list[tuple[float, float]] = []
        self.died = NEVER
        self._latest = [NEVER, NEVER]

    def __setitem__(self, index: int, value: float) -> None:
        self._latest[index] = value
        self._times.append(self._clock.now)
        self._values.append((self._latest[0], self._latest[1]))

    def __getitem__(self, index: int) -> float:
        readable = bisect.bisect_right(self._times, min(self._clock.now, self.died))
        return self._values[readable - 1][index] if readable else NEVER


class World:
    """Everything that one seed decides, and what is seen of the run."""

    def __init__(self, seed: int, modules: SimpleNamespace) -> None:
        self.random = random.Random(seed)
        self.modules, self.clock = modules, Clock()
        self.count = self.random.choice([0, 1, 2, 5, 20, 60])
        self.size = self.random.randint(1, 4)
        self.times = self.random.choice([0, 0, 1, 3])
        self.refusals = self.random.choice([modules.task.Retry().refusals, 0])
        self.timeout = self.random.choice([None, 0.5])
        self.recycle = self.random.choice([None, None, 3])
        self.stop_at = self.random.choice([NEVER, NEVER, NEVER, self.random.uniform(0, 2)])
        self.breaks_at = self.random.choice([None, None, None, self.random.randint(0, 60)])
        self.slow_input = self.random.random() < 0.3
        self.troubles = self.random.choice([0.0, 0.05, 0.3])
        self.rate = self.random.choice([None, None, 10.0, 100.0])
        self.begun: Counter[int] = Counter()
        self.begins: list[float] = []
        self.fate: dict[int, str] = {}  # of an item that meets with the same at every attempt
        self.pulled = self.steps = self.most_ahead = 0
        self.workers: list[Any] = []
        self.trace: list[tuple[Any, ...]] = []

    def is_set(self) -> bool:
        """The stop signal."""
        return self.clock.now >= self.stop_at

    def items(self) -> Iterator[tuple[int, int] | None]:
        """The input: items, at times nothing yet, and at times an end with an error."""
        for index in range(self.count):
            while self.slow_input and self.random.random() < 0.3:
                yield None
            if index == self.breaks_at:
                raise OSError("the input broke")
            self.pulled += 1
            self.most_ahead = max(self.most_ahead, self.pulled - len(self.trace))
            yield index, index

    def call(self, item: int) -> int:
        """work(item): takes its time, and meets with what the seed has for it."""
        self.begun[item] += 1
        self.begins.append(self.clock.now)
        self.clock.now += self.random.choice([1e-5, 1e-3, 0.02, 0.2])
        kind = self.fate.get(item) or self._kind()
        if kind and self.random.random() < ALWAYS:
            self.fate[item] = kind
        self._meet(kind)
        return 2 * item

    def _kind(self) -> str:
        return self.random.choice(TROUBLES) if self.random.random() < self.troubles else ""

    def _meet(self, kind: str) -> None:
        task, shared = self.modules.task, self.running.clock
        if kind == "error":
            raise ValueError("no good")
        if kind == "refused":
            raise task.Overloaded("too much")
        if kind == "later":
            raise task.RetryAfter(self.random.uniform(0.0, 0.5))
        if kind == "hang" and self.timeout:
            self.clock.now = NEVER
        elif kind == "die":
            shared.died = min(shared.died, self.clock.now)
        elif kind == "die late":  # after the task, before the answer
            self.running.dies_late = True

    def wait(self, conns: list[Any], patience: float) -> list[Any]:
        """multiprocessing.connection.wait(): let the time pass until something is there to read."""
        self.steps += 1
        assert self.steps < STEPS, "the run does not end"
        soonest = min((conn.ready_at() for conn in conns), default=NEVER)
        until = min(soonest, self.clock.now + patience)
        self.clock.now = max(self.clock.now + CALL, until)
        return [conn for conn in conns if conn.ready_at() <= self.clock.now]


class Pipe:
    """The parent's end of a worker's pipe, and the worker at the other end of it."""

    def __init__(self, world: World, worker: Any) -> None:
        self._world, self._worker = world, worker
        self._replies: list[tuple[float, bytes]] = []
        self._free = world.clock.now + world.random.uniform(0.005, 0.05)  # when it has started
        if world.random.random() < 0.02:
            worker.clock.died = self._free  # as it starts
        else:
            self._at(self._free, lambda: worker.clock.__setitem__(0, -1.0))

    def _at(self, when: float, call: Callable[[], Any]) -> Any:
        clock, before = self._world.clock, self._world.clock.now
        clock.now = when
        try:
            return call()
        finally:
            self._free, clock.now = clock.now, before

    def send_bytes(self, data: bytes) -> None:
        """The worker takes it when it is free, and answers in its own time."""
        began = max(self._free, self._world.clock.now)
        if data:
            self._at(began, lambda: self._serve(data))
        else:  # it was told to leave, and says that it does
            self._replies.append((began, b""))

    def _serve(self, data: bytes) -> None:
        worker, world, engine = self._worker, self._world, self._world.modules.engine
        if world.clock.now >= worker.clock.died:
            return
        world.running, worker.dies_late = worker, False
        worker.clock[0], worker.clock[1] = engine.WHOLE, world.clock.now
        reply = engine._run_batch(world.call, data, worker.clock)
        worker.clock[1] = NEVER
        if worker.dies_late:
            worker.clock.died = min(worker.clock.died, world.clock.now)
        self._replies.append((world.clock.now, reply))

    def ready_at(self) -> float:
        """When there is something to read: a reply, or the end."""
        end = self._worker.clock.died + KILL
        reply = self._replies[0][0] if self._replies else NEVER
        return min(end, reply if reply < self._worker.clock.died else NEVER)

    def recv_bytes(self) -> bytes:
        """Read what is there."""
        if self._replies and self._replies[0][0] < self._worker.clock.died:
            return self._replies.pop(0)[1]
        raise EOFError

    def close(self) -> None:
        """Nothing to close."""


def worker_class(world: World) -> type:
    """A BatchWorker that is no process."""
    from collections import deque

    class SimulatedWorker(world.modules.engine.BatchWorker):  # type: ignore[misc,name-defined]
        """Its clock and its pipe are the simulation's."""

        def __init__(self, pool: Any) -> None:
            self.batches = deque()
            self.clock = Shared(world.clock)
            self.verdict = None
            self.dies_late = False
            self.process = SimpleNamespace(exitcode=None)
            self.conn = Pipe(world, self)
            world.workers.append(self)

        def kill(self) -> None:
            """The end, a moment later."""
            self.clock.died = min(self.clock.died, world.clock.now)

        def bury(self) -> int:
            """Its pipe has ended."""
            return -9

    return SimulatedWorker


def simulate(
    seed: int,
    modules: SimpleNamespace,
    patch: Callable[[ModuleType, str, Any], None],
    **decided: Any,
) -> World:
    """Run one seed to its end; `decided` is what is not left to it."""
    world = World(seed, modules)
    vars(world).update(decided)
    task, engine, pool, pacing = modules.task, modules.engine, modules.pool, modules.pacing
    for module in (module for module in (modules.backlog, engine, pool) if hasattr(module, "time")):
        patch(module, "time", world.clock)
    patch(engine, "LARGEST", BATCH)
    patch(engine, "BatchWorker", worker_class(world))
    patch(pool, "wait", world.wait)
    patch(pool.ProcessPool, "_dismiss", lambda _: None)
    random.seed(seed)  # the jitter of retries
    pacer = None
    if world.rate:
        pacer = pacing.Pacer([pacing.Rate(world.rate, 1.0)])
    job = SimpleNamespace(pack=lambda: b"", quiet=True)
    retry = task.Retry(world.times, refusals=world.refusals)
    backlog = modules.backlog.Backlog(
        world.items(), world.size, retry=retry, stop=world, pacer=pacer
    )
    run = engine.run(job, backlog, timeout=world.timeout, recycle=world.recycle)
    world.error = None
    try:
        for burst in run:
            for outcome in burst:
                world.trace.append((outcome.id, outcome.value, outcome.error, outcome.attempts))
            world.clock.now += world.random.choice([0.0, 0.0, 0.01])  # the consumer takes its time
    except (OSError, task.EngineError) as exc:
        world.error = exc
    return world
