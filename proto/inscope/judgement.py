"""What may happen: the one rule by which a sidecar decides, and by which the control plane proves that it would.

Observe and detect prevent nothing, so their verdict is always `ALLOW`, unless the instance is contained.
"""

from __future__ import annotations

from collections.abc import Collection

from inscope.behaviour import Behaviour, Connect, Listen
from inscope.containment import Containment
from inscope.mode import Mode
from inscope.reference import Entry, missing
from inscope.verdict import Verdict


def verdict_on(behaviour: Behaviour, mode: Mode, containment: Containment, in_scope: Collection[Entry]) -> Verdict:
    """Whether an act may happen: what is missing is denied in enforce, what reaches out is cut off by a containment."""
    if reaches_out(behaviour) and containment is not Containment.FREE:
        return Verdict.QUARANTINE
    return Verdict.DENY if mode is Mode.ENFORCE and missing(behaviour, in_scope) else Verdict.ALLOW


def reaches_out(behaviour: Behaviour) -> bool:
    """Whether it opens a way in or out of the instance."""
    return isinstance(behaviour, Connect | Listen)
