"""pandas: a table grouped and joined."""

import numpy as np
import pandas as pd

RANDOM = np.random.default_rng(1)
SALES = pd.DataFrame({"shop": RANDOM.integers(0, 200, 20_000), "euros": RANDOM.random(20_000)})
SHOPS = pd.DataFrame({"shop": range(200), "city": [f"city {n % 20}" for n in range(200)]})


def work(factor):
    sales = SALES.assign(euros=SALES["euros"] * factor)
    cities = sales.merge(SHOPS, on="shop").groupby("city")["euros"].agg(["sum", "mean", "max"])
    return cities["sum"].idxmax()


def items(folder):
    return list(range(1, 351))
