"""What inscope does about a deviation: learn it, alert on it, or deny it."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """Ordered by strictness; a workload moves along it without a restart."""

    OBSERVE = "observe"
    DETECT = "detect"
    ENFORCE = "enforce"
