"""What enforce denies, or would have: an act that lacked an entry, kept so that a dry run can tell of it."""

from __future__ import annotations

from dataclasses import dataclass

from inscope.behaviour import Behaviour


@dataclass(frozen=True, slots=True)
class Denial:
    """`count` acts, of which `denied` really were. Times are seconds since the epoch by the control plane's clock."""

    behaviour: Behaviour
    first_seen: float
    last_seen: float
    count: int
    denied: int
