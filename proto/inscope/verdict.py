"""What was decided about one act."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """`ALLOW` also stands for "nothing was prevented", which is all that observe and detect ever decide."""

    ALLOW = "allow"
    DENY = "deny"
    KILL = "kill"
    QUARANTINE = "quarantine"
