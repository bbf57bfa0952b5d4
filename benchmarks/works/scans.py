"""SQLite: a table searched from its start to its end."""

import sqlite3
from pathlib import Path


def work(item):
    path, number = item
    base = sqlite3.connect(path)
    try:
        query = "select count(*), sum(price) from sales where note like ? and price > ?"
        return base.execute(query, (f"%{number}%", number)).fetchone()
    finally:
        base.close()


def items(folder):
    path = str(Path(folder) / "sales.db")
    base = sqlite3.connect(path)
    base.execute("create table sales (price real, note text)")
    rows = ((n * 7919 % 1000, f"note {n} of {n % 97}") for n in range(60_000))
    base.executemany("insert into sales values (?, ?)", rows)
    base.commit()
    base.close()
    return [[path, n] for n in range(150)]
