"""polars: a query, on its own pool of threads."""

import polars as pl

TABLE = pl.DataFrame({"key": [n * 7919 % 500 for n in range(200_000)], "value": range(200_000)})


def work(factor):
    query = TABLE.lazy().filter(pl.col("value") % 7 != factor % 7).group_by("key")
    return query.agg(pl.col("value").sum() * factor).sort("value").collect().item(-1, 0)


def items(folder):
    return list(range(1, 351))
