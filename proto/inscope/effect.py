"""What is really done in an instance, by the word of its inscope-init, as against what it was told to do."""

from __future__ import annotations

from dataclasses import dataclass

from inscope.containment import Containment
from inscope.mode import Mode


@dataclass(frozen=True, slots=True)
class Effect:
    """`lapsed` is when the control plane had last been away for longer than the reference's time to live, in seconds
    since the epoch; 0: never.
    """

    mode: Mode
    containment: Containment
    lapsed: float = 0.0
