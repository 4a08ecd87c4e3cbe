"""Numbers and times as a reader wants them in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

_UNITS = ((86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute"), (1.0, "second"))


def counted(number: int, one: str, many: str = "") -> str:
    """`1 day`, `1,843 days`, `no days`."""
    noun = one if number == 1 else many or f"{one}s"
    return f"{number:,} {noun}" if number else f"no {noun}"


def was(number: int) -> str:
    """The verb that goes with a number."""
    return "was" if number == 1 else "were"


def duration(seconds: float) -> str:
    """The largest unit of which there are two, or one second: `36 hours`, `3 days`."""
    for size, name in _UNITS:
        if seconds >= 2 * size or name == "second":
            return counted(max(int(seconds // size), 1), name)
    raise AssertionError("unreachable: seconds always match")


def moment(seconds: float) -> str:
    """`2026-03-01 10:20:30 UTC`; out of the calendar's range, the number itself."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return f"{seconds:g} s"


def listed(items: Sequence[str], shown: int = 3) -> str:
    """`a`, `a and b`, `a, b, c and 4 more`."""
    head, rest = list(items[:shown]), len(items) - shown
    if rest > 0:
        return f"{', '.join(head)} and {rest:,} more"
    return " and ".join([", ".join(head[:-1]), head[-1]] if len(head) > 1 else head)
