"""What follows where a tripwire fires that nothing could prevent: the act was authorised elsewhere and has happened."""

from __future__ import annotations

from enum import StrEnum


class Reaction(StrEnum):
    """`QUARANTINE` cuts the workload off, in enforce, until somebody releases it."""

    ALERT = "alert"
    QUARANTINE = "quarantine"
