"""What a sidecar does when the control plane has been away for longer than its reference's time to live."""

from __future__ import annotations

from enum import StrEnum


class Lapse(StrEnum):
    """`KEEP`: go on by the last good reference, and say so. `OBSERVE`: deny nothing any more."""

    KEEP = "keep"
    OBSERVE = "observe"
