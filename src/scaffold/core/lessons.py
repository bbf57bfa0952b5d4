"""What `concgen demo` teaches: a sentence for each kind of work and model, and the rule behind it.

A lesson is a row that holds on some machines; the first row that holds counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from scaffold.core.domain import Bound, Machine, Model

# Tasks of a demonstration: one for each core of a small machine, and few enough to be drawn.
TASKS = 8


class Lesson(NamedTuple):
    """Why a model took as long as it did. `holds` tells on which machines."""

    bound: Bound
    model: Model
    rule: str
    holds: Callable[[Machine], bool]
    text: str


def lesson(bound: Bound, model: Model, machine: Machine) -> Lesson:
    """Return what `model` teaches on work of this kind, on this machine."""
    return next(
        row for row in LESSONS if row.bound is bound and row.model is model and row.holds(machine)
    )


def shown_by(rule: str, machine: Machine) -> Bound | None:
    """Return the kind of work whose demonstration shows a rule on this machine."""
    return next((row.bound for row in LESSONS if row.rule == rule and row.holds(machine)), None)


def _always(machine: Machine) -> bool:
    return True


def _one_core(machine: Machine) -> bool:
    return machine.workers == 1


def _core_for_each(machine: Machine) -> bool:
    return machine.workers >= TASKS


def _gil(machine: Machine) -> bool:
    return machine.gil


IO, CPU, MIXED = Bound

LESSONS = (
    Lesson(
        IO, Model.SEQUENTIAL, "R3", _always,
        "One task after another: the program waits for each answer before it asks for the next."
        " Waiting takes no core, so it could wait for all of them at once.",
    ),
    Lesson(
        IO, Model.THREADING, "R3", _always,
        "While one thread waits, the others continue: all tasks wait at the same time, and the"
        " code in a thread is ordinary code.",
    ),
    Lesson(
        IO, Model.ASYNCIO, "R5", _always,
        "One thread and an event loop: a task gives way at `await`, so all tasks wait at the same"
        " time. For a few tasks this is no faster than threads; for thousands it is.",
    ),
    Lesson(
        IO, Model.MULTIPROCESSING, "R10", _always,
        "There is one process for each core, and each runs one task at a time. Waiting takes no"
        " core, so the start and the memory of processes gain nothing.",
    ),
    Lesson(
        CPU, Model.SEQUENTIAL, "R11", _one_core,
        "One core computes one thing at a time: nothing is faster than this here.",
    ),
    Lesson(
        CPU, Model.SEQUENTIAL, "R8", _gil,
        "One task after another, on one core: the other cores have nothing to do.",
    ),
    Lesson(
        CPU, Model.SEQUENTIAL, "R12", _always,
        "One task after another, on one core: the other cores have nothing to do.",
    ),
    Lesson(
        CPU, Model.THREADING, "R11", _one_core,
        "The threads take turns on the one core: no faster, and taking turns costs a little.",
    ),
    Lesson(
        CPU, Model.THREADING, "R9", _gil,
        "Threads do not speed up computing in pure Python: only the thread that holds the GIL"
        " runs, and the others are ready and wait for their turn.",
    ),
    Lesson(
        CPU, Model.THREADING, "R12", _always,
        "This Python has no GIL: threads compute at the same time, one on each core, and share"
        " memory.",
    ),
    Lesson(
        CPU, Model.ASYNCIO, "R7", _always,
        "All tasks share one thread. A task that computes never gives way, so the tasks still run"
        " one after another.",
    ),
    Lesson(
        CPU, Model.MULTIPROCESSING, "R11", _one_core,
        "One core has one process: no task runs beside another, and starting it costs extra.",
    ),
    Lesson(
        CPU, Model.MULTIPROCESSING, "R8", _gil,
        "Each process has an interpreter and a GIL of its own, so every core computes. They have"
        " to be started first, which takes a moment.",
    ),
    Lesson(
        CPU, Model.MULTIPROCESSING, "R10", _always,
        "Processes compute on every core, too. Without the GIL threads do the same, and they need"
        " no new interpreter and no copies.",
    ),
    Lesson(
        MIXED, Model.SEQUENTIAL, "R14", _always,
        "One task after another: while it waits no core computes, and while it computes no other"
        " task waits.",
    ),
    Lesson(
        MIXED, Model.THREADING, "R11", _one_core,
        "The tasks wait at the same time, but they take turns to compute on the one core.",
    ),
    Lesson(
        MIXED, Model.THREADING, "R9", _gil,
        "The tasks wait at the same time, but they do not compute at the same time: only the"
        " thread that holds the GIL runs.",
    ),
    Lesson(
        MIXED, Model.THREADING, "R12", _always,
        "The tasks wait at the same time. This Python has no GIL, so they also compute at the same"
        " time: one thread on each core.",
    ),
    Lesson(
        MIXED, Model.ASYNCIO, "R7", _always,
        "The tasks wait at the same time, but they do not compute at the same time: all share one"
        " thread, and a task that computes holds up the others.",
    ),
    Lesson(
        MIXED, Model.MULTIPROCESSING, "R14", _always,
        "A process has one task at a time: while that task waits, the core has nothing to do.",
    ),
    Lesson(
        MIXED, Model.HYBRID, "R11", _one_core,
        "One core has one process with all tasks in flight. It does the same as asyncio, after the"
        " start of a process.",
    ),
    Lesson(
        MIXED, Model.HYBRID, "R14", _core_for_each,
        "A process can have several tasks in flight. Here there is a core for every task, so each"
        " process has one and does what multiprocessing does.",
    ),
    Lesson(
        MIXED, Model.HYBRID, "R14", _always,
        "A process has several tasks in flight: while some wait, another computes, so every core"
        " is busy.",
    ),
)  # fmt: skip
