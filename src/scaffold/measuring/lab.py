"""Run the very engines that projects get, without making a project.

A laboratory is a temporary package that holds the runtime and every engine, as copied from the
templates. A trial runs one engine on one function in a process of its own (`trial`).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scaffold.core.domain import Model
from scaffold.core.errors import UsageError
from scaffold.core.observed import Measurement
from scaffold.making.inventory import templates_dir
from scaffold.measuring.child import run_child
from scaffold.measuring.target import Target

PACKAGE = "concgen_lab"
# Where each engine stands in the laboratory: by the names that engines use for one another.
MODULES = {
    Model.SEQUENTIAL: "sequential",
    Model.THREADING: "threads",
    Model.ASYNCIO: "coroutines",
    Model.MULTIPROCESSING: "workers",
    Model.HYBRID: "hybrid",
}
# Seconds beyond its limit that a trial gets to stop its workers and to report.
GRACE = 8.0
_ALONE = "`concgen measure` looks at the function alone"


@dataclass(frozen=True)
class Laboratory:
    """A directory that holds the package of engines."""

    folder: Path

    def run(
        self,
        target: Target,
        model: Model,
        max_workers: int,
        items: Mapping[str, Any],
        seconds: float,
        *,
        start_method: str | None = None,
        watch: Callable[[float, int], None] = lambda *_: None,
    ) -> Measurement:
        """Run `model` on the items for at most `seconds`; return what was measured.

        `watch` is told every now and then for how many seconds it has run, and the items done.
        `items` is {"file": path, "limit": n} or {"values": [...], "repeat": n}. Raises UsageError
        when the run could not go on at all.
        """
        request = {
            "folder": str(self.folder),
            "engine": f"{PACKAGE}.{MODULES[model]}",
            "module": target.module,
            "function": target.function,
            "path": list(target.path),
            "max_workers": max_workers,
            "items": dict(items),
            "seconds": seconds,
            "options": {"start_method": start_method} if start_method else {},
        }
        facts, ended = run_child(
            "scaffold.measuring.trial",
            request,
            seconds + GRACE,
            lambda elapsed, so_far: watch(elapsed, so_far.get("so_far", 0)),
        )
        if "refused" in facts:
            raise UsageError(f"{model}: {facts['refused']}", hint=_ALONE)
        if "items" not in facts:
            raise UsageError(f"{model}: the run did not end by itself ({ended})", hint=_ALONE)
        return Measurement(
            model=model,
            max_workers=max_workers,
            seconds=facts["seconds"],
            items=facts["items"],
            failed=facts["failed"],
            complete=facts["complete"],
            first_error=facts["first_error"],
        )


@contextmanager
def laboratory() -> Iterator[Laboratory]:
    """Assemble a laboratory, and remove it at the end."""
    with tempfile.TemporaryDirectory(prefix="concgen-lab-") as name:
        folder = Path(name)
        assemble(folder / PACKAGE)
        yield Laboratory(folder)


def assemble(package: Path) -> None:
    """Copy the runtime and the engines into `package`."""
    templates = templates_dir()
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "settings.py").touch()
    for module in (templates / "project" / "{{package}}").glob("*.py"):
        shutil.copyfile(module, package / module.name)
    for engine in (templates / "engines").glob("*.py"):
        models = [model for model in MODULES if model == engine.stem]
        name = MODULES[models[0]] if models else engine.stem
        shutil.copyfile(engine, package / f"{name}.py")
