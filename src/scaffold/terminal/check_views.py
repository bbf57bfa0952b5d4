"""What the user reads of a check: the answer, and the reason when the advice flipped."""

from __future__ import annotations

from scaffold.commands.check import Check


def check(found: Check) -> list[str]:
    """Return the answer, and the reason when it flipped."""
    advice, basis = found.advice, "measured again" if found.measured else "from the record"
    if found.busy:
        return [
            "This machine is too busy to measure on: the decision stands.",
            f"On a quiet machine check again; now it would be {advice.model}.",
        ]
    if not found.flipped and str(advice.model) != found.decided and found.decided:
        return [f"{found.decided} is still right here ({basis}): {advice.model} is hardly faster"]
    if not found.flipped:
        lines = [f"{advice.model} is still right here ({basis}): {advice.headline}"]
        if found.model is not advice.model:
            lines.append(f"The project runs {found.model}, as you chose.")
        return lines
    reasons = [one.reason for one in advice.findings if one.model is advice.model]
    lines = [
        f"The advice flipped: {advice.model}, no longer {found.decided} ({basis})",
        *(f"  {reason}" for reason in reasons),
    ]
    lines.append(f"To follow it: concgen switch {advice.model}")
    return lines
