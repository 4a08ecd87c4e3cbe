"""`--since`: how long ago, or a time. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from controlplane.cli.exit_codes import CommandError, ExitCode

_AGO = re.compile(r"([0-9]{1,9})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def since_seconds(text: str, now: float) -> float:
    """Seconds since the epoch of `90s`, `15m`, `2h`, `7d` before `now`, or of an RFC 3339 time (UTC where unsaid).

    Raises:
        CommandError: it is neither.
    """
    if ago := _AGO.fullmatch(text):
        return max(0.0, now - int(ago[1]) * _SECONDS[ago[2]])
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(ExitCode.USAGE, f"--since takes 15m, 2h, 7d or an RFC 3339 time, not {text!r}") from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
