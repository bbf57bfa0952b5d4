import time
from typing import Any


def work(item: Any) -> Any:
    """Answer one item: replace this by your own. What it returns is written as JSON."""
    time.sleep(0.1)  # in place of a request, a query, a computation
    return item * item
