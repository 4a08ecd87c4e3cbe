"""Which events were told lately: one is told twice where its request takes long, and again where a post is resent."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

MOST = 100_000
"""Events that are remembered; 20 MiB at the most. Whoever keeps them knows the older ones by their id."""


class Recent:
    """A set of ids that forgets the oldest."""

    def __init__(self, most: int = MOST) -> None:
        self._ids: set[str] = set()
        self._order: deque[str] = deque()
        self._most = most

    def __contains__(self, number: object) -> bool:
        return number in self._ids

    def __iter__(self) -> Iterator[str]:
        return iter(self._order)

    def add(self, number: str) -> None:
        """Remember it."""
        if number in self._ids:
            return
        self._ids.add(number)
        self._order.append(number)
        if len(self._order) > self._most:
            self._ids.discard(self._order.popleft())

    def update(self, numbers: Iterable[str]) -> None:
        """Remember them all."""
        for number in numbers:
            self.add(number)
