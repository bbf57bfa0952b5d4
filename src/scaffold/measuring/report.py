"""The report of a child process: facts, one JSON object a line, that its parent reads (`child`)."""

import json
import threading
from pathlib import Path
from typing import Any


class Report:
    """The facts, written as they become known."""

    def __init__(self, path: str) -> None:
        self._file = Path(path).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115 (kept)
        self._lock = threading.Lock()

    def tell(self, **facts: Any) -> None:
        """Write some facts, all of them values of JSON."""
        with self._lock:
            self._file.write(json.dumps(facts) + "\n")
