"""What the user reads of a check: the answer, and the reason when the advice flipped."""

from __future__ import annotations

from scaffold.commands.check import Check


def check(checked: Check) -> list[str]:
    """Return the answer, and the reason when it flipped."""
    advice, basis = checked.advice, "measured again" if checked.measured else "from the record"
    if checked.busy:
        return [
            "This machine is too busy to measure on: the decision stands.",
            f"On a quiet machine check again; now it would be {advice.model}.",
        ]
    if not checked.flipped and str(advice.model) != checked.decided and checked.decided:
        return [f"{checked.decided} is still right here ({basis}): {advice.model} is hardly faster"]
    if not checked.flipped:
        lines = [f"{advice.model} is still right here ({basis}): {advice.headline}"]
        if checked.model is not advice.model:
            lines.append(f"The project runs {checked.model}, as you chose.")
        return lines
    reasons = [finding.reason for finding in advice.findings if finding.model is advice.model]
    lines = [
        f"The advice flipped: {advice.model}, no longer {checked.decided} ({basis})",
        *(f"  {reason}" for reason in reasons),
    ]
    lines.append(f"To follow it: concgen switch {advice.model}")
    return lines
