import time

from .blank import work
from .common import Results


def run(results: Results, gap: float) -> None:
    """One task after the other: nothing can be in another's way."""
    for item in results.pending():
        try:
            results.report(item, work(item), None)
        except Exception as exc:  # it costs this item only
            results.report(item, None, exc)
        time.sleep(gap)
