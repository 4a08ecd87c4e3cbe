"""What was decided about one act."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """What became of the act. `ALLOW`: it happened, which is all that observe and detect ever decide of who is not
    contained. `DENY`: it was refused. `KILL`: it was found out, and its process ended. `QUARANTINE`: it would have
    reached out of an instance that is cut off, and was refused whether it is in scope or not.
    """

    ALLOW = "allow"
    DENY = "deny"
    KILL = "kill"
    QUARANTINE = "quarantine"
