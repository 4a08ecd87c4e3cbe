"""How urgent an alert is, 0 to 100: a sum of points that a reader can redo by hand.

The base is that of the gravest entry crossed: code that nobody inventoried outranks a new destination, and a mark of
deceiving the observer outranks everything. Added: a finding had foreseen it (a latent capability used is the surest
sign), it matches a known technique, and each further entry crossed. Taken off: inscope prevented it, and the reference
was learned for less than a day or from one session only, so that much is new to it.
"""

from __future__ import annotations

from collections.abc import Sequence

from inscope.alert import Crossing
from inscope.reference import Dimension
from inscope.verdict import Verdict

BASE = {
    Dimension.CONTRADICTION: 85,
    Dimension.PERMISSION: 65,
    Dimension.ROLE: 65,
    Dimension.CREDENTIAL: 60,
    Dimension.SECRET_READ: 60,
    Dimension.PROGRAM: 60,
    Dimension.LIBRARY: 55,
    Dimension.SYSCALL: 50,
    Dimension.GENERATED_CODE: 50,
    Dimension.DESTINATION: 45,
    Dimension.ATTEMPT: 40,
    Dimension.SERVICE: 40,
    Dimension.CODE_MEMORY: 35,
    Dimension.LISTENER: 35,
    Dimension.PROCESS: 30,
    Dimension.FILE_WRITTEN: 25,
    Dimension.FILE_READ: 20,
}
FORESEEN = 15
TECHNIQUE = 10
FURTHER, FURTHER_AT_MOST = 5, 10
PREVENTED = -15
IMMATURE = -10


def rank(crossed: Sequence[Crossing], techniques: Sequence[str], verdict: Verdict, *, mature: bool) -> int:
    """The points of one alert."""
    points = max((BASE[crossing.entry.dimension] for crossing in crossed), default=0)
    points += FORESEEN if any(crossing.finding for crossing in crossed) else 0
    points += TECHNIQUE if techniques else 0
    points += min(FURTHER * (len(crossed) - 1), FURTHER_AT_MOST) if crossed else 0
    points += PREVENTED if verdict is not Verdict.ALLOW else 0
    points += 0 if mature else IMMATURE
    return max(0, min(points, 100))
