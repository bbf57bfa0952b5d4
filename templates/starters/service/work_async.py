"""What is done with one item, of `items.jsonl` or of the service's clients: plan a round trip.

`work(item)` gets an item such as {"stops": [[0, 0], [3, 4], [6, 0]], "wait": 0.02} and returns the
order in which to visit the stops and the length of the whole way. What it raises becomes the error
of that item: in the results, or in the answer.

The other tasks move on only while this one awaits: computing that takes longer than some 50 ms
belongs in `await asyncio.to_thread(...)`, or in the hybrid model.
"""

import asyncio
from typing import Any

from .route import shortest_round

MOST = 200  # stops: the time grows with their square, and 200 take about a second


async def work(item: dict[str, Any]) -> dict[str, Any]:
    """Plan the round through item["stops"]. Raises ValueError unless they are 1 to MOST points."""
    stops = [(float(x), float(y)) for x, y in item["stops"]]
    if not 1 <= len(stops) <= MOST:
        raise ValueError(f"{len(stops):,} stops: expected 1 to {MOST}")
    await asyncio.sleep(item.get("wait", 0))  # seconds; in place of asking a map
    order, length = shortest_round(stops)
    return {"order": order, "length": round(length, 3)}
