"""How long a reference holds while the control plane is away: a timer that runs only then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """What an event loop offers of a clock: monotonic seconds."""

    def time(self) -> float: ...
    def call_at(self, when: float, callback: Callable[[], None]) -> asyncio.TimerHandle: ...


class Lease:
    """Calls `lapsed` when the control plane was away for longer than the time to live."""

    def __init__(self, timer: Timer, lapsed: Callable[[], None]) -> None:
        self._timer = timer
        self._lapsed = lapsed
        self._alarm: asyncio.TimerHandle | None = None

    def away(self, ttl: float) -> None:
        """The control plane is gone, for now; nothing new where that is known. A `ttl` of 0 seconds is for ever."""
        if ttl and self._alarm is None:
            self._alarm = self._timer.call_at(self._timer.time() + ttl, self._lapsed)

    def back(self) -> None:
        """It is there."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
