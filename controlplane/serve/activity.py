"""Whether anybody is using this control plane: the embedded one ends when nobody has for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager


class Activity:
    """Counts calls under way. `clock` is monotonic seconds."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._under_way = 0
        self._last = clock()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """For as long as a call lasts."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._last = self._clock()

    @property
    def under_way(self) -> int:
        """Calls now."""
        return self._under_way

    async def idle_for(self, seconds: float) -> None:
        """Return once there was no call for so long, without a break."""
        while (left := self._left(seconds)) > 0:
            await self._sleep(left)

    def _left(self, seconds: float) -> float:
        return seconds if self._under_way else self._last + seconds - self._clock()
