"""The child process that runs the user's code, and its request and report."""

from scaffold.measuring.child import run_child

SLOW = """
import json, sys, time
from scaffold.measuring.wire import from_text
time.sleep(0.5)

def main():
    request = from_text(sys.stdin.read())
    with open(request["report"], "a") as report:
        print(json.dumps({"items": len(request["items"])}), file=report)
"""


def test_a_child_that_starts_slowly_gets_all_of_a_large_request(tmp_path, monkeypatch):
    """What a pipe does not hold is not lost when the first look at the child comes before it."""
    (tmp_path / "slow_child.py").write_text(SLOW)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    looks = []
    facts, ended = run_child(
        "slow_child", {"items": ["x" * 1000] * 5000}, 30, lambda *look: looks.append(look)
    )
    assert facts == {"items": 5000}, ended
    assert ended == "exit code 0"
    assert looks
