"""The advice for programs and for the commands, with this machine and its measured costs."""

from collections.abc import Collection

from scaffold.core import advice
from scaffold.core.domain import Machine, Model, Recommendation, Workload
from scaffold.making.inventory import available_models
from scaffold.measuring import calibration
from scaffold.measuring.machine import inspect as inspect_machine

__all__ = ["inspect_machine", "recommend"]


def recommend(
    workload: Workload,
    machine: Machine | None = None,
    *,
    models: Collection[Model] | None = None,
) -> Recommendation:
    """Choose how to run `workload`, with the reasons, the estimates and what would flip it.

    `machine` is where the work will run, by default this machine and interpreter. `models` are the
    models to choose from, by default all that concgen generates; sequential is always among them.
    The estimates rest on the costs that `concgen doctor --calibrate` measured here, or on typical
    costs for another machine; the last of the `notes` says which.
    """
    facts = inspect_machine() if machine is None else machine
    offered = available_models() if models is None else {Model.SEQUENTIAL, *models}
    kept = calibration.load(facts)
    advised = advice.recommend(workload, facts, costs=kept.costs, models=offered)
    return advised._replace(notes=(*advised.notes, kept.note))
