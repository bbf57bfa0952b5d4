"""What goes to the child processes that measure."""

import base64
import pickle
from datetime import date
from decimal import Decimal

from scaffold.measuring.wire import from_text, to_text


class Evil:
    """Raises when it is unpickled."""

    def __reduce__(self):
        return exec, ("raise SystemExit('an item was executed')",)


def test_the_types_of_parquet_arrive():
    """Dates, decimals and bytes are no JSON."""
    request = {"items": [{"day": date(2026, 1, 2), "price": Decimal("1.50"), "raw": b"\0"}]}
    assert from_text(to_text(request).encode()) == request


def test_no_item_is_unpickled():
    """However an item looks, such as one from the web: it is data."""
    data = base64.b64encode(pickle.dumps(Evil())).decode()
    mark = to_text({})[:32]
    items = [{"\0pickled": data}, {mark: data}, [{"": data}]]
    assert from_text(to_text({"items": items})) == {"items": items}
