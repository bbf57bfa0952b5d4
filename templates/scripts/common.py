import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .sequential import run

stop = threading.Event()  # set by Ctrl-C: nothing new begins
Report = Callable[[Any, Any, BaseException | None], None]  # item, value, error
# ---


class Results:
    """The results file: what is done already, and a line for each task that finishes."""

    def __init__(self, path: Path, field: str | None) -> None:
        self.ok, self.failed, self.told = 0, 0, time.monotonic()
        self.key: Callable[[Any], Any] = lambda item: item[field] if field else item
        self.file = path.open("a+", encoding="utf-8", newline="\n")
        self.file.seek(0)
        whole, end, _ = self.file.read().rpartition("\n")  # a crash may have cut off the last line
        rows = map(json.loads, whole.splitlines())  # what is no results file ends here, untouched
        self.done = {json.dumps(row["key"]) for row in rows if row["ok"]}
        self.file.truncate(len((whole + end).encode()))

    def pending(self, path: Path) -> Iterator[Any]:
        """The items that have no good result yet: JSON Lines, or plain text in a .txt."""
        with path.open(encoding="utf-8-sig") as lines:
            for line in filter(str.strip, lines):
                item = line.strip() if path.suffix == ".txt" else json.loads(line)
                if json.dumps(self.key(item)) not in self.done:
                    yield item

    def report(self, item: Any, value: Any, error: BaseException | None) -> None:
        """Write down what became of an item, at once; say how far it is, once a second."""
        row = {"key": self.key(item), "ok": not error, "value": value, "error": error}
        print(json.dumps(row, default=repr), file=self.file, flush=True)  # repr of what is no JSON
        self.ok, self.failed = self.ok + (error is None), self.failed + (error is not None)
        if time.monotonic() - self.told > 1:
            self.told = time.monotonic()
            print(f"{self.ok} ok, {self.failed} failed", file=sys.stderr)


def rate(text: str) -> float:
    """Seconds between two tasks, from 10/s, 600/min or 5000/h."""
    count, _, unit = text.partition("/")
    return 60.0 ** ("s", "min", "h").index(unit) / float(count)


def main() -> int:
    """Exit code: 0 all ok, 1 some failed, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser()
    parser.add_argument("items", type=Path, help="JSON Lines, or plain text in a .txt")
    parser.add_argument("--results", type=Path, default=Path("results.jsonl"))
    parser.add_argument("--key", metavar="FIELD", help="names an item; by default all of it does")
    parser.add_argument("--rate", type=rate, default=0.0, help="such as 10/s, 600/min or 5000/h")
    args = parser.parse_args()
    if not args.items.is_file():
        parser.error(f"there is no file {args.items}")
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    results = Results(args.results, args.key)
    run(results.pending(args.items), args.rate, results.report)
    print(f"{results.ok} ok, {results.failed} failed", file=sys.stderr)
    return 130 if stop.is_set() else int(results.failed > 0)


if __name__ == "__main__":
    sys.exit(main())
