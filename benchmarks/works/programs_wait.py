"""subprocess: programs that wait."""

import subprocess


def work(seconds):
    return subprocess.run(["sleep", str(seconds)], check=True).returncode


def items(folder):
    return [0.05] * 120
