"""The clock, held against what the services say the time is."""

from __future__ import annotations

from collections.abc import Sequence

from engine.contracts import Diagnosis
from engine.patient import Patient

OFF, FAR_OFF = 10.0, 120.0
"""Seconds: a warning above the first, a problem above the second. A service's answer may be a second or two old."""
REMEDY = "let the clock follow the network's: timedatectl set-ntp true, or chrony"


def examine(patient: Patient) -> Sequence[Diagnosis]:
    """How far this machine's clock is off."""
    known = {one.name: one.ahead for one in patient.standings if one.ahead is not None}
    if not known:
        return [Diagnosis("ok", "not compared: no connection has told the time")]
    name, ahead = max(known.items(), key=lambda one: abs(one[1]))
    off = abs(ahead)
    if off <= OFF:
        return [Diagnosis("ok", f"within {off:.1f} s of the time that {name} tells")]
    way = "behind" if ahead > 0 else "ahead of"
    message = f"this machine's clock is {off:.0f} s {way} the time that {name} tells; times in logs and of triggers are off by as much"
    return [Diagnosis("problem" if off > FAR_OFF else "warning", message, REMEDY)]
