import time

from .blank import work
from .common import Results


def run(results: Results, gap: float) -> None:
    """Run one task after the other: no task can disturb another."""
    for item in results.pending():
        try:
            results.report(item, work(item), None)
        except Exception as exc:  # it costs this item only
            results.report(item, None, exc)
        time.sleep(gap)
