"""The rules of thumb: what the article teaches, and what the facts of a machine add to it.

A rule is a row in `RULES`: what it says, where it comes from, when it fires, and an example of
both. Rules speak first and estimates second: only `forbid` takes a model off the list, `prefer`
and `avoid` are the reasons that the user reads.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from scaffold.core import examples, reasons
from scaffold.core.domain import Finding, Machine, Model, Verdict, Workload
from scaffold.core.examples import Case
from scaffold.core.models import BASELINE, SIDE_BY_SIDE
from scaffold.core.reasons import (
    DEAR_SHARE,
    MANY_THREADS,
    SUB_INTERPRETERS_SINCE,
    TINY_SECONDS,
)
from scaffold.core.units import show_seconds

ARTICLE = "Multithreading VS Multiprocessing VS Asyncio (With Code examples), Akshay Kaushik"
BEYOND = "beyond the article"
_SINCE = ".".join(map(str, SUB_INTERPRETERS_SINCE))


class Rule(NamedTuple):
    """One rule of thumb. `reason` returns why it fires here, or None when it does not."""

    id: str
    title: str
    article: str
    explanation: str
    says: Mapping[Model, Verdict]
    reason: Callable[[Workload, Machine], str | None]
    fires: Case
    silent: Case


def findings(workload: Workload, machine: Machine) -> tuple[Finding, ...]:
    """Return what every rule has to say, in the order of the table."""
    return tuple(
        Finding(rule.id, rule.article, model, verdict, reason)
        for rule in RULES
        if (reason := rule.reason(workload, machine)) is not None
        for model, verdict in rule.says.items()
    )


def forbidden(findings: Sequence[Finding]) -> frozenset[Model]:
    """Return the models that some finding forbids."""
    return frozenset(finding.model for finding in findings if finding.verdict is Verdict.FORBID)


RULES: tuple[Rule, ...] = (
    Rule(
        "R1",
        "Nothing to win",
        BEYOND,
        "Workers cost time to start and code to understand. For one task, or for a total of"
        f" {show_seconds(TINY_SECONDS)} or less, this never pays.",
        {BASELINE: Verdict.PREFER, **dict.fromkeys(SIDE_BY_SIDE, Verdict.FORBID)},
        reasons.nothing_to_win,
        fires=examples.ONE_TASK,
        silent=examples.FEW_WAITS,
    ),
    Rule(
        "R2",
        "One at a time",
        BEYOND,
        "With a limit of one task in flight (a licence, a strict server) the work is sequential.",
        dict.fromkeys(SIDE_BY_SIDE, Verdict.FORBID),
        reasons.one_at_a_time,
        fires=examples.ONE_AT_A_TIME,
        silent=examples.MANY_WAITS,
    ),
    Rule(
        "R3",
        "Waiting needs threads",
        "FAQs: When should I use multithreading vs multiprocessing?",
        "A thread that waits for the network, a disk or a database lets the others run, and"
        " the code in it is ordinary blocking code. So threads are the first choice for"
        " I/O-bound work, unless there are too many tasks for them.",
        {Model.THREADING: Verdict.PREFER},
        reasons.waiting_needs_threads,
        fires=examples.FEW_WAITS,
        silent=examples.COMPUTING,
    ),
    Rule(
        "R4",
        "Threading is about workers, asynchrony about tasks",
        "Asyncio in Python",
        "A thread is a worker: a few hundred are plenty. A coroutine is a task: thousands may"
        f" wait at once on one event loop. Above {MANY_THREADS} tasks in flight, use coroutines.",
        {Model.ASYNCIO: Verdict.PREFER},
        reasons.tasks_not_workers,
        fires=examples.MANY_WAITS,
        silent=examples.FEW_WAITS,
    ),
    Rule(
        "R5",
        "Asyncio has the steeper curve",
        "Asyncio in Python",
        "Every call in the event loop has to be written for it. As long as all tasks in flight fit"
        f" into threads (up to {MANY_THREADS}), that effort gains little.",
        {Model.ASYNCIO: Verdict.AVOID},
        reasons.steeper_curve,
        fires=examples.FEW_WAITS,
        silent=examples.MANY_WAITS,
    ),
    Rule(
        "R6",
        "An event loop needs an async client",
        "Asyncio in Python",
        "The event loop runs tasks in turn on one thread and relies on them to give way while they"
        " wait. A blocking client never gives way, so every task would need a thread after all.",
        {Model.ASYNCIO: Verdict.FORBID},
        reasons.loop_needs_async_client,
        fires=examples.SYNC_WAITS,
        silent=examples.MANY_WAITS,
    ),
    Rule(
        "R7",
        "Asyncio does not compute in parallel",
        "Asyncio in Python",
        "Coroutines share one thread: nothing runs in parallel, and one that computes delays all.",
        {Model.ASYNCIO: Verdict.FORBID},
        reasons.loop_does_not_compute,
        fires=examples.COMPUTING,
        silent=examples.MANY_WAITS,
    ),
    Rule(
        "R8",
        "Computing needs processes",
        "FAQs: How can I achieve true parallelism in Python?",
        "Each process has an interpreter and a GIL of its own, so Python code runs on every core.",
        {Model.MULTIPROCESSING: Verdict.PREFER},
        reasons.computing_needs_processes,
        fires=examples.COMPUTING,
        silent=examples.FEW_WAITS,
    ),
    Rule(
        "R9",
        "The GIL forbids threads that compute",
        "FAQs: What is the Global Interpreter Lock (GIL) in Python?",
        "Only the thread that holds the GIL runs Python code. Threads that compute take turns"
        " on one core, and the turns themselves cost a little.",
        {Model.THREADING: Verdict.FORBID},
        reasons.gil_forbids_threads,
        fires=examples.COMPUTING,
        silent=examples.NATIVE,
    ),
    Rule(
        "R10",
        "Processes cost memory, start-up and carrying",
        "Multiprocessing in Python",
        "Each process is a further interpreter, and all data that goes in or out is pickled. Work"
        " that only waits gains nothing from this.",
        {Model.MULTIPROCESSING: Verdict.AVOID, Model.HYBRID: Verdict.AVOID},
        reasons.processes_only_wait,
        fires=examples.MANY_WAITS,
        silent=examples.COMPUTING,
    ),
    Rule(
        "R11",
        "One core computes one thing at a time",
        BEYOND,
        "If affinity or a container's quota leaves one core, a second worker that computes only"
        " takes time from the first.",
        {
            Model.THREADING: Verdict.FORBID,
            Model.MULTIPROCESSING: Verdict.FORBID,
            Model.HYBRID: Verdict.FORBID,
        },
        reasons.one_core,
        fires=examples.ON_ONE_CORE,
        silent=examples.COMPUTING,
    ),
    Rule(
        "R12",
        "Free-threaded Python computes in threads",
        BEYOND,
        "On an interpreter without the GIL, threads run Python code on every core, share memory and"
        " pickle nothing.",
        {Model.THREADING: Verdict.PREFER},
        reasons.threads_compute,
        fires=examples.NO_GIL,
        silent=examples.COMPUTING,
    ),
    Rule(
        "R13",
        "Native code releases the GIL",
        BEYOND,
        "hashlib, zlib and much of NumPy and Pillow release the GIL while they compute. Then"
        " threads are as parallel as processes, and nothing is pickled.",
        {Model.THREADING: Verdict.PREFER},
        reasons.native_code,
        fires=examples.NATIVE,
        silent=examples.COMPUTING,
    ),
    Rule(
        "R14",
        "Work that waits and computes needs both",
        BEYOND,
        "A process with one task leaves its core idle while the task waits. Threads and event loops"
        " compute on one core. Processes with several tasks in flight each avoid both.",
        {Model.HYBRID: Verdict.PREFER},
        reasons.both,
        fires=examples.MIXED,
        silent=examples.COMPUTING,
    ),
    Rule(
        "R15",
        "Large payloads make processes expensive",
        "FAQs: What are the differences between multiprocessing and multithreading?",
        "Threads share memory; processes copy. When pickling and carrying an item and its"
        f" result costs over {DEAR_SHARE:.0%} of the task itself, send a path or a key"
        " instead, or use threads.",
        {Model.MULTIPROCESSING: Verdict.AVOID, Model.HYBRID: Verdict.AVOID},
        reasons.dear_payload,
        fires=examples.LARGE_PAYLOAD,
        silent=examples.COMPUTING,
    ),
    Rule(
        "R16",
        "A coroutine function needs an event loop",
        BEYOND,
        "An `async def` function can be awaited as it is on one event loop. With threads, each"
        " worker would open its own loop and run one task at a time on it.",
        {Model.ASYNCIO: Verdict.PREFER, Model.THREADING: Verdict.FORBID},
        reasons.coroutine_needs_loop,
        fires=examples.COROUTINES,
        silent=examples.FEW_WAITS,
    ),
    Rule(
        "R17",
        "One at a time reaches the rate",
        BEYOND,
        "With a rate limit no model is faster than tasks divided by rate. If a task ends before the"
        " next task may begin, further workers only wait for their turn.",
        dict.fromkeys(SIDE_BY_SIDE, Verdict.FORBID),
        reasons.one_reaches_the_rate,
        fires=examples.SLOW_RATE,
        silent=examples.RATE,
    ),
    Rule(
        "R18",
        "Rate times latency is enough in flight",
        BEYOND,
        "By Little's law a rate of r a second with tasks of s seconds keeps r times s tasks in"
        " flight, however many workers there are. If that number is small, threads reach the rate.",
        {Model.THREADING: Verdict.PREFER},
        reasons.few_reach_the_rate,
        fires=examples.RATE,
        silent=examples.MANY_WAITS,
    ),
    Rule(
        "R19",
        "Memory limits what runs at once",
        BEYOND,
        "Each running task needs its own peak memory. The free memory (within the container's"
        " limit) divided by that peak is the number of tasks that may run at once. With one more,"
        " the kernel kills a worker.",
        {Model.MULTIPROCESSING: Verdict.AVOID, Model.HYBRID: Verdict.AVOID},
        reasons.memory_is_short,
        fires=examples.LARGE_TASKS,
        silent=examples.COMPUTING,
    ),
    Rule(
        "R20",
        "Sub-interpreters load pure Python only",
        BEYOND,
        f"From Python {_SINCE} on, interpreters with a GIL of their own compute in the threads of"
        " one process. For pure Python they would be a model; it is not offered yet, for NumPy and"
        " pyarrow do not load in them. Processes compute on as many cores, and load everything.",
        {Model.MULTIPROCESSING: Verdict.PREFER},
        reasons.sub_interpreters_load_little,
        fires=examples.ON_3_14,
        silent=examples.COMPUTING,
    ),
)
