"""subprocess: programs that compute."""

import subprocess

COUNT = "i=0; while [ $i -lt 10000 ]; do i=$((i+1)); done; echo $i"


def work(number):
    ran = subprocess.run(["sh", "-c", COUNT], check=True, capture_output=True, text=True)
    return int(ran.stdout) + number


def items(folder):
    return list(range(120))
