"""Alerts to those who follow them. A follower that does not keep up is told so and dropped, never waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import grpc

from controlplane.serve.status import RefusedError
from inscope.alert import Alert

MAX_BEHIND = 1_024
"""Alerts a follower may be behind."""


class Follower:
    """One follower's bounded queue."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Alert] = asyncio.Queue(MAX_BEHIND)
        self._overflowed = False

    def offer(self, alert: Alert) -> None:
        """Queue it if there is room; without room the follower is lost."""
        try:
            self._waiting.put_nowait(alert)
        except asyncio.QueueFull:
            self._overflowed = True

    async def next(self) -> Alert:
        """The next alert, in order.

        Raises:
            RefusedError: some were missed, because nobody called this often enough.
        """
        if self._overflowed:
            behind = (
                f"this follower is more than {MAX_BEHIND} alerts behind and misses some; list them and follow again"
            )
            raise RefusedError(grpc.StatusCode.RESOURCE_EXHAUSTED, behind)
        return await self._waiting.get()


class Followers:
    """Everybody who follows. Lives in the event loop's thread."""

    def __init__(self) -> None:
        self._followers: set[Follower] = set()

    @contextmanager
    def following(self) -> Iterator[Follower]:
        """A follower of what is published from now on."""
        follower = Follower()
        self._followers.add(follower)
        try:
            yield follower
        finally:
            self._followers.discard(follower)

    def publish(self, alerts: Iterable[Alert]) -> None:
        """Offer alerts to everybody."""
        for alert in alerts:
            for follower in self._followers:
                follower.offer(alert)
