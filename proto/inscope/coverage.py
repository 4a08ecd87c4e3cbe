"""Which sources were connected, for how long, and what they lost. "Unobservable" is never "unused"."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where observations come from. A tripwire whose source is missing is not armed."""

    INIT = "init"
    SOCKETS = "sockets"
    SURVEY = "survey"
    KUBERNETES_AUDIT = "kubernetes-audit"
    CLOUDTRAIL = "cloudtrail"
    POSTGRESQL_LOG = "postgresql-log"


class LossCause(StrEnum):
    """Why something is not in the record, or not as it should be. Each is counted under exactly one cause."""

    INIT_QUEUE = "init-queue"
    NO_SIDECAR = "no-sidecar"
    UNREADABLE = "unreadable"
    MALFORMED = "malformed"
    SIDECAR_QUEUE = "sidecar-queue"
    SPOOL_FULL = "spool-full"
    HASH_FAILED = "hash-failed"
    UNRECONCILED = "unreconciled"
    REJECTED = "rejected"


NOT_LOST = frozenset({LossCause.UNRECONCILED})
"""Causes that cost no record: the act is in it, and only what the kernel says of it could not be asked in time."""


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
    def lost(self) -> dict[LossCause, int]:
        """What is not in the record, by cause."""
        return {cause: count for cause, count in self.losses.items() if cause not in NOT_LOST}

    @property
    def unverified(self) -> int:
        """Acts that are in the record as they were claimed, and that nothing was checked against."""
        return sum(count for cause, count in self.losses.items() if cause in NOT_LOST)
