import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

from .sequential import run

stop: list[int] = []  # the signals of Ctrl-C: no task begins any more, running tasks finish
# ---


class Results:
    """The results file: what is done already, and a line for each task that finishes."""

    def __init__(self, items: Path, path: Path, field: str | None) -> None:
        self.ok, self.failed, self.told = 0, 0, time.monotonic()
        self.key: Callable[[Any], Any] = lambda item: item[field] if field else item
        self.items, self.file = items.open("rb"), path.open("a+", encoding="utf-8", newline="\n")
        self.file.seek(0)
        try:
            complete, end, cut = self.file.read().rpartition("\n")  # a crash may cut off a line
            rows = map(json.loads, (complete or cut.partition('{"key"')[0]).splitlines())
            self.done = {json.dumps(row["key"]) for row in rows if row["ok"]}
        except (LookupError, TypeError, ValueError) as exc:
            raise ValueError(f"{path} holds no results: give --results another name") from exc
        self.todo = sum(1 for _ in self.pending())  # a bad line is reported before anything runs
        self.file.truncate(len((complete + end).encode()))

    def pending(self) -> Iterator[Any]:
        """The items that have no good result yet, until Ctrl-C: JSON Lines, or text in a .txt."""
        self.items.seek(0)
        for n, line in enumerate(takewhile(lambda _: not stop, self.items), 1):
            try:
                text = line.decode("utf-8-sig").strip()
                item = text if not text or self.items.name.endswith(".txt") else json.loads(text)
                if text and json.dumps(self.key(item)) not in self.done:
                    yield item
            except (LookupError, TypeError, ValueError) as exc:
                raise ValueError(f"{self.items.name}, line {n}: no JSON or no --key field") from exc

    def report(self, item: Any, value: Any, error: BaseException | None) -> None:
        """Write down what became of an item, at once; say how far it is, once a second."""
        row = {"key": self.key(item), "ok": not error, "value": value, "error": error}
        print(json.dumps(row, default=repr), file=self.file, flush=True)  # repr of what is no JSON
        self.ok, self.failed = self.ok + (error is None), self.failed + (error is not None)
        if time.monotonic() - self.told > 1:
            self.told = time.monotonic()
            print(f"{self.ok} ok, {self.failed} failed of {self.todo}", file=sys.stderr)


# ---


def rate(text: str) -> float:
    count, _, unit = text.partition("/")
    if not float(count) > 1e-6:
        raise ValueError  # argparse names the option and the text
    return 60.0 ** ("s", "min", "h").index(unit) / float(count)  # seconds between two tasks


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("items", type=Path, help="JSON Lines, or plain text in a .txt")
    parser.add_argument("--results", type=Path, default=Path("results.jsonl"))
    parser.add_argument("--key", metavar="FIELD", help="names an item; by default all of it does")
    parser.add_argument("--rate", type=rate, default=0.0, help="such as 10/s, 600/min or 5000/h")
    args = parser.parse_args()
    signal.signal(signal.SIGINT, lambda number, _: stop.append(number))
    try:
        results = Results(args.items, args.results, args.key)
        run(results, args.rate)
    except (OSError, TypeError, ValueError, RuntimeError) as exc:  # also of a process that died
        parser.exit(2, f"error: {exc}\n")
    print(f"{results.ok} ok, {results.failed} failed", file=sys.stderr)
    return 130 if stop else int(results.failed > 0)  # 2 is for what cannot be run at all


if __name__ == "__main__":
    sys.exit(main())
