"""The servers that functions of the benchmarks talk to, each on this machine and only meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DELAY, CAPACITY = 0.02, 8  # of the HTTP server: seconds per request, and requests at a time
STARTS_WITHIN = 30.0  # seconds


@contextmanager
def http() -> Iterator[Mapping[str, str]]:
    """Serve a few requests at a time; give the variable that says where."""
    script = Path(__file__).parent / "peers" / "http_server.py"
    command = [sys.executable, str(script), str(DELAY), str(CAPACITY)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin
        assert server.stdout
        try:
            yield {"BENCH_SERVER": f"http://127.0.0.1:{server.stdout.readline().strip()}"}
        finally:
            server.stdin.close()


def postgres_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, or None where it is not installed."""
    if initdb := shutil.which("initdb"):
        return Path(initdb).resolve().parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return debian[-1].parent if debian else None


@contextmanager
def postgres() -> Iterator[Mapping[str, str]]:
    """Serve an empty database; give the variables that libpq reads."""
    programs = postgres_programs()
    assert programs
    with tempfile.TemporaryDirectory() as name:
        folder, how = Path(name), _unprivileged()
        if how:
            os.chown(folder, how["user"], how["group"])
        data_dir = ["-D", str(folder / "data")]
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **how}
        initdb = [str(programs / "initdb"), *data_dir, "-A", "trust", "-U", "postgres", "--no-sync"]
        subprocess.run(initdb, check=True, cwd=folder, **quiet)
        settings = ["-c", "listen_addresses=", "-c", "fsync=off", "-k", str(folder)]
        server = subprocess.Popen(
            [str(programs / "postgres"), *data_dir, *settings], cwd=folder, **quiet
        )
        try:
            until = time.monotonic() + STARTS_WITHIN
            while not (folder / ".s.PGSQL.5432").exists() and time.monotonic() < until:
                time.sleep(0.05)
            yield {"PGHOST": str(folder), "PGUSER": "postgres", "PGDATABASE": "postgres"}
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait()


def _unprivileged() -> dict[str, Any]:
    """Return who a server runs as that refuses to be root's; nothing where we are not root."""
    if os.geteuid():
        return {}
    import pwd

    user = pwd.getpwnam("nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
