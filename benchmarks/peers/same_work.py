"""The work of a generated project, over its own items: same_work.py loop|joblib FOLDER PACKAGE N.

What one writes around a worker function by hand: a plain loop, or joblib on N processes. The
results are kept in memory, in place of a file.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Run all items; any error ends it."""
    how, folder, package, workers = sys.argv[1:]
    os.chdir(folder)
    # joblib's processes import it too
    os.environ["PYTHONPATH"] = folder
    sys.path.insert(0, folder)
    work = importlib.import_module(f"{package}.work").work
    lines = Path("items.jsonl").read_text(encoding="utf-8").splitlines()
    items = map(json.loads, lines)
    results = [work(item) for item in items] if how == "loop" else parallel(work, items, workers)
    if len(results) != len(lines):
        raise RuntimeError(f"{len(results)} results of {len(lines)}")


def parallel(work: Any, items: Any, workers: str) -> list[Any]:
    """Joblib with loky, its own choice of batches."""
    from joblib import Parallel, delayed

    call = delayed(work)
    return list(Parallel(n_jobs=int(workers))(call(item) for item in items))


if __name__ == "__main__":
    main()
