"""What a feed brings, and how often it could not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

MAX_REASONS = 100
"""Different reasons that are counted apart."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A document as it was stored, plain or gzip, from `name`."""

    name: str
    stream: BinaryIO


Take = Callable[[Delivery], None]
"""What becomes of a delivery: once it returns, what was in it is kept. Raises where it is not: it comes again then."""


@dataclass(slots=True)
class Counted:
    """`taken` deliveries, `duplicates` that had been before, and what was left where it is, by the reason why."""

    taken: int = 0
    duplicates: int = 0
    left: Counter[str] = field(default_factory=Counter)

    def leave(self, reason: str) -> None:
        """Count one."""
        self.left[reason if reason in self.left or len(self.left) < MAX_REASONS else "…"] += 1


class Feed(Protocol):
    """One source of deliveries."""

    counted: Counted

    def poll(self, take: Take) -> int:
        """Hand over what is there now; how many there were.

        Raises:
            FeedError: it cannot be asked now. Nothing is lost: the next poll begins where this one did.
        """


class FeedError(Exception):
    """The cloud did not answer, or refused. The message says what."""
