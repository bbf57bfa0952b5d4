"""Edge profile: an agent that calls tools, waits for them, and reads and writes JSON between."""

import json
import time

CONTEXT = {"messages": [{"role": "tool", "content": "word " * 40, "n": n} for n in range(60)]}


def work(number):
    state = json.dumps(CONTEXT)
    for _ in range(3):  # tools
        time.sleep(0.010)
        state = json.dumps({**json.loads(state), "step": number})
    return len(state)


def items(folder):
    return list(range(120))
