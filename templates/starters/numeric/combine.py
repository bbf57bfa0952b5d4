"""Put the parts together: `python -m PACKAGE.combine [results.jsonl]` prints a line per strike.

The order of the results does not count: the sums are exact before they are rounded (math.fsum).
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

Part = dict[str, Any]


def combine(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield for each strike the estimate and the standard error of all its paths.

    Raises ValueError for a stream that a strike has twice: the same numbers count once.
    """
    strikes: dict[float, dict[int, Part]] = defaultdict(dict)
    for part in parts:
        strike, stream = part["strike"], part["stream"]
        if stream in strikes[strike]:
            raise ValueError(f"strike {strike} has stream {stream} twice, the same numbers")
        strikes[strike][stream] = part
    for strike in sorted(strikes):
        yield {"strike": strike, **pool(list(strikes[strike].values()))}


def pool(parts: list[Part]) -> Part:
    """Return estimate and error as if all paths had been simulated in one part."""
    paths = sum(part["paths"] for part in parts)
    mean = math.fsum(part["paths"] * part["estimate"] for part in parts) / paths
    squares = math.fsum(  # of the deviations: within the parts, and between them
        part["paths"] * ((part["paths"] - 1) * part["error"] ** 2 + (part["estimate"] - mean) ** 2)
        for part in parts
    )
    return {"paths": paths, "estimate": mean, "error": math.sqrt(squares / (paths - 1) / paths)}


def main() -> int:
    """Print the sums; exit code 1 when parts failed, which are left out, 2 for unusable results."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {__package__}.combine",
        description="put the parts of a simulation together",
    )
    parser.add_argument("results", nargs="?", default="results.jsonl", help="[%(default)s]")
    name = parser.parse_args().results
    try:
        with open(name, encoding="utf-8") as file:
            records = [json.loads(line) for line in file]
        for total in combine(record["value"] for record in records if record["ok"]):
            print(json.dumps(total))
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"error: cannot combine {name}: {error}", file=sys.stderr)
        return 2
    if failed := sum(not record["ok"] for record in records):
        print(f"{failed} failed parts are left out", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
