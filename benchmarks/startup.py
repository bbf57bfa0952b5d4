"""Start-up of the command line, against a bare Typer app in the same environment.

    python benchmarks/startup.py [RUNS]

Runs every command in turn, RUNS times (default 15) after one warm-up, and prints medians and the
ratio to the bare app's. Each run is a process of its own, as a user's would be.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

BARE = """
import typer

app = typer.Typer()

@app.command()
def hello(name: str = "you", count: int = 1) -> None:
    print(f"hello {name} " * count)

@app.command()
def bye(name: str = "you") -> None:
    print(f"bye {name}")

app()
"""
RECOMMEND = ["recommend", "--workload", "io", "--tasks", "10k", "--task-time", "200ms", "--yes"]
# What the README promises, as a ratio of medians.
TARGETS = {"--help": 1.25, "recommend": 1.5}


def main() -> None:
    """Measure and print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE, encoding="utf-8")
        concgen = str(Path(sysconfig.get_path("scripts")) / "concgen")
        commands = {
            ("bare Typer app", "--help"): [sys.executable, str(bare), "--help"],
            ("concgen", "--help"): [concgen, "--help"],
            ("bare Typer app", "recommend"): [sys.executable, str(bare), "hello", "--count", "2"],
            ("concgen", "recommend"): [concgen, *RECOMMEND],
        }
        seconds = measure(commands, runs)
    print(f"{runs} runs each, Python {sys.version.split()[0]}; medians of whole processes")
    for case, target in TARGETS.items():
        ours, theirs = seconds["concgen", case], seconds["bare Typer app", case]
        words = "a command" if case == "recommend" else case
        print(
            f"{words:10} bare Typer app {theirs * 1e3:4.0f} ms   concgen {ours * 1e3:4.0f} ms"
            f"   ratio {ours / theirs:.2f} (target {target:.2f})"
        )


def measure(commands: dict[tuple[str, str], list[str]], runs: int) -> dict[tuple[str, str], float]:
    """Return the median seconds of each command, all of them in turn in every round."""
    seconds: dict[tuple[str, str], list[float]] = {name: [] for name in commands}
    for round_number in range(runs + 1):
        for name, command in commands.items():
            begun = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            if round_number:  # the first round warms the caches
                seconds[name].append(time.perf_counter() - begun)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


if __name__ == "__main__":
    main()
