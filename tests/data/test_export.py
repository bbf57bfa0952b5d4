"""`export`, `try` and `status`: what they print, and that they write nothing else."""

from __future__ import annotations

import csv
import json
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from engines.assembly import Project

from .conftest import Load

WORK = """
def work(item):
    n = int(item["n"])
    if n < 0:
        raise ValueError("below zero")
    return {"root": n, "more": {"a": [1, n]}}
"""
TABLE = 'id,n,note\na,1,"x, y"\nb,-2,\nc,3,z\nd,-4,\n'
FILES = ["--items", "items.csv", "--key", "id"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A table of four rows, two of which have failed."""
    made = Project.make("threading", tmp_path, WORK)
    (tmp_path / "items.csv").write_text(TABLE)
    assert made.run("run", *FILES).returncode == 1
    return made


def test_a_table(project: Project) -> None:
    """Rows come in the order of the input, nested values as columns of their own."""
    assert project.run("export", *FILES, "out.csv").returncode == 0
    with (project.root / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == ["a", "b", "c", "d"]
    assert [row["value.root"] for row in rows] == ["1", "", "3", ""]
    assert rows[0]["note"] == "x, y"
    assert rows[0]["value.more.a"] == "[1, 1]"
    assert rows[1]["error"] == "ValueError: below zero"
    assert rows[1]["where"] == "work.py:5 in work"
    assert rows[1]["result.id"] == "1"  # the items have an id of their own


def test_lines(project: Project) -> None:
    """Without a file it is JSON Lines on stdout; --ok leaves out failures."""
    done = project.run("export", *FILES, "--ok")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["id"], row["key"], row["value"]["root"]) for row in rows] == [
        (0, "a", 1),
        (2, "c", 3),
    ]
    assert rows[0]["item"] == {"id": "a", "n": "1", "note": "x, y"}


@pytest.mark.parametrize("name", ["failed.csv", "failed.jsonl"])
def test_what_failed_can_be_fed_in_again(project: Project, name: str) -> None:
    """--failed writes the items as they were; corrected, they run."""
    assert project.run("export", *FILES, "--failed", name).returncode == 0
    file = project.root / name
    file.write_text(file.read_text().replace("-", ""))
    files = ["--items", name, "--key", "id", "--results", "again.jsonl"]
    assert project.run("run", *files).returncode == 0
    rows = [json.loads(line) for line in project.run("export", *files).stdout.splitlines()]
    assert [(row["key"], row["value"]["root"]) for row in rows] == [("b", 2), ("d", 4)]


def test_parquet(project: Project) -> None:
    """Columns have the type that holds them; without pyarrow it is named."""
    done = project.run("export", *FILES, "out.parquet")
    try:
        import pyarrow.parquet as pq  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        assert (done.returncode, "pip install pyarrow" in done.stderr) == (2, True)
        assert not (project.root / "out.parquet").exists()
        return
    table = pq.read_table(project.root / "out.parquet")
    assert table.column("value.root").to_pylist() == [1, None, 3, None]


def test_parquet_in_and_out(tmp_path: Path) -> None:
    """Rows of Parquet are items: their times, bytes, gaps and large numbers come out again."""
    pq = pytest.importorskip("pyarrow.parquet")
    import pyarrow as pa

    rows = [
        {
            "id": "007",
            "at": datetime(2026, 1, n % 28 + 1),
            "raw": b"ab",
            "x": None,
            "big": 2**63 + n,
        }
        | {"price": Decimal("1.10"), "tags": ["a", "b"], "part": float("nan") if n % 2 else 0.5}
        for n in range(2500)
    ]
    schema = pa.schema([("id", pa.string()), ("at", pa.timestamp("us")), ("raw", pa.binary())])
    more = [("x", pa.int64()), ("big", pa.uint64()), ("price", pa.decimal128(9, 2))]
    more += [("tags", pa.list_(pa.string())), ("part", pa.float64())]
    table = pa.Table.from_pylist(rows, schema=pa.schema([*schema, *more]))
    pq.write_table(table, tmp_path / "items.parquet")
    work = (
        "def work(item):\n    return {'at': item['at'], 'big': item['big'], 'raw': item['raw']}\n"
    )
    project = Project.make("threading", tmp_path, work)
    files = ["--items", "items.parquet"]
    assert project.run("run", *files).returncode == 0
    assert project.run("run", *files).returncode == 0  # which finds them all done
    assert project.run("export", *files, "out.parquet").returncode == 0
    out = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert len(out) == 2500
    first = {"id": "007", "at": datetime(2026, 1, 1), "raw": b"ab", "x": None, "big": 2**63}
    first |= {"price": Decimal("1.10"), "tags": ["a", "b"], "part": 0.5, "ok": True, "result.id": 0}
    first |= {"value.at": "2026-01-01T00:00:00", "value.big": str(2**63), "value.raw": "YWI="}
    assert out[0].items() >= first.items()
    assert (out[1]["part"], out[1]["big"]) == (None, 2**63 + 1)
    for name in ("out.csv", "out.jsonl"):
        done = project.run("export", *files, name)
        assert (done.returncode, done.stderr) == (0, f"pkg: 2,500 rows in {name}\n")
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert json.loads(lines[1])["item"]["part"] is None


def test_no_rows_in_parquet(tmp_path: Path) -> None:
    """None is no error, in and out."""
    pq = pytest.importorskip("pyarrow.parquet")
    import pyarrow as pa

    pq.write_table(pa.table({"id": pa.array([], pa.string())}), tmp_path / "items.parquet")
    project = Project.make("sequential", tmp_path, WORK)
    assert project.run("run", "--items", "items.parquet").returncode == 0
    done = project.run("export", "--items", "items.parquet", "out.parquet")
    assert (done.returncode, "0 rows in out.parquet" in done.stderr) == (0, True)
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 0


@pytest.mark.parametrize("name", ["out.xlsx", "items.csv", "no/out.csv"])
def test_what_cannot_be_written(project: Project, name: str) -> None:
    """Another kind, the input itself and a directory that is not there are refused in words."""
    done = project.run("export", *FILES, name)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert name in done.stderr
    assert (project.root / "items.csv").read_text() == TABLE


def test_a_link_and_a_mode_stay(project: Project) -> None:
    """An export is where the last one was, as private, and whole or not at all."""
    (project.root / "big.csv").touch(mode=0o600)
    (project.root / "out.csv").symlink_to("big.csv")
    assert project.run("export", *FILES, "out.csv").returncode == 0
    assert (project.root / "out.csv").is_symlink()
    assert (project.root / "big.csv").stat().st_mode & 0o777 == 0o600
    assert not list(project.root.glob("*.new"))


def test_changed_items_are_not_joined(project: Project) -> None:
    """A result is not put beside an item that it is not of."""
    (project.root / "items.csv").write_text(TABLE.replace("a,1", "a,7"))
    done = project.run("export", *FILES)
    assert (done.returncode, "line 2: the item has changed" in done.stderr) == (2, True)


def test_try(project: Project) -> None:
    """One task, by its key, its position or as JSON; by itself the first that failed."""
    before = (project.root / "results.jsonl").read_bytes()
    assert json.loads(project.run("try", "c", *FILES).stdout)["root"] == 3
    assert json.loads(project.run("try", "2", "--items", "items.csv").stdout)["root"] == 3
    assert json.loads(project.run("try", "--item", '{"n": 5}').stdout)["root"] == 5
    none = project.run("try", *FILES, "--results", "none.jsonl")  # not run yet: the first item
    assert json.loads(none.stdout)["root"] == 1
    failed = project.run("try", *FILES)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert 'raise ValueError("below zero")' in failed.stderr
    assert "runner" not in failed.stderr
    for wrong in (["x"], ["--item", "{"]):
        done = project.run("try", *wrong, *FILES)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert (project.root / "results.jsonl").read_bytes() == before


def test_pdb_stops_where_it_fails(project: Project) -> None:
    """The debugger is in the user's frame."""
    process = project.start("try", "b", *FILES, "--pdb", stdin=-1)
    out, _ = process.communicate("p n * 21\nq\n", timeout=60)
    assert "-42" in out


def test_status(project: Project) -> None:
    """What is done, why tasks failed, what is left."""
    with (project.root / "items.csv").open("a") as file:
        file.write("e,5,\n")
    done = project.run("status", *FILES)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "2 ok",
        "2 failed",
        "  2 \N{MULTIPLICATION SIGN} ValueError at work.py:5 in work",
        "1 left",
    ]


@pytest.mark.parametrize("command", ["status", "export"])
def test_before_the_first_run(tmp_path: Path, command: str) -> None:
    """That there are no results yet is said."""
    done = Project.make("sequential", tmp_path, WORK, "1\n").run(command)
    assert (done.returncode, "run first" in done.stderr) == (2, True)


def test_places_of_results_beyond_those_in_memory(
    project: Project, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are in a file, wherever in the results a result is."""
    lines = (project.root / "results.jsonl").read_text().splitlines(keepends=True)
    (project.root / "results.jsonl").write_text("".join(reversed(lines)))
    export, items = load("export"), load("items")
    monkeypatch.setattr(export, "HELD", 1)
    with (
        closing(export.Snapshot(str(project.root / "results.jsonl"))) as snapshot,
        closing(items.Items(str(project.root / "items.csv"))) as source,
    ):
        joined = list(snapshot.join(source))
    assert [(position, result["id"]) for position, _, result in joined] == [
        (n, n) for n in range(4)
    ]
    assert (snapshot.ok, snapshot.failed) == (2, 2)
