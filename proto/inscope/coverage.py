"""Which sources were connected, for how long, and what they lost. "Unobservable" is never "unused"."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where observations come from. A tripwire whose source is missing is not armed."""

    INIT = "init"
    SOCKETS = "sockets"
    SURVEY = "survey"


class LossCause(StrEnum):
    """Why something that happened is not in the record. Every loss is counted under exactly one cause."""

    INIT_QUEUE = "init-queue"
    NO_SIDECAR = "no-sidecar"
    UNREADABLE = "unreadable"
    MALFORMED = "malformed"
    SIDECAR_QUEUE = "sidecar-queue"
    SPOOL_FULL = "spool-full"
    HASH_FAILED = "hash-failed"
    UNRECONCILED = "unreconciled"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class SourceCoverage:
    """How one source fared in one instance. Times are seconds since the epoch; `until` is 0 while connected."""

    source: Source
    since: float
    until: float
    losses: dict[LossCause, int]
    note: str = ""

    @property
    def connected(self) -> bool:
        """Whether the source is delivering now."""
        return self.until == 0

    @property
    def lost(self) -> int:
        """Everything lost, whatever the cause."""
        return sum(self.losses.values())
