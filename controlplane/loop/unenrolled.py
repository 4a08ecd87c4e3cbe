"""Runs that a join token announced and whose sidecar never enrolled: what they did is in no record. Pure.

A sidecar that is killed before it has enrolled cannot say so; its token, issued and not redeemed, can.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from controlplane.posture.wording import moment
from controlplane.store.port import JoinTokenRow
from inscope.workload import InstanceId

KEPT_SECONDS = 30 * 86_400.0
"""How long a lost run is remembered: twice the two weeks for which a workload is observed."""

MOST_KEPT = 1_000
"""Lost runs remembered of one workload, the newest: a crash loop makes many."""


@dataclass(frozen=True, slots=True)
class UnenrolledRun:
    """A run that may still enrol, or that is `lost`: its token has expired. Times are seconds since the epoch."""

    instance: InstanceId
    issued: float
    expires: float
    lost: bool

    @property
    def sentence(self) -> str:
        """What is known of it."""
        announced = f"announced {moment(self.issued)} and"
        if self.lost:
            return f"{announced} never enrolled: whatever it did is not in the record"
        return f"{announced} not enrolled yet; it is lost if it has not by {moment(self.expires)}"


def unenrolled(tokens: Iterable[JoinTokenRow], now: float) -> tuple[UnenrolledRun, ...]:
    """The runs behind `tokens`, which nobody has redeemed."""
    return tuple(UnenrolledRun(row.instance, row.issued, row.expires, row.expires <= now) for row in tokens)


def forgettable(tokens: Iterable[JoinTokenRow], now: float) -> tuple[str, ...]:
    """The hashes of the tokens of one workload that need not be kept: expired long ago, or one of too many."""
    expired = sorted((row for row in tokens if row.expires <= now), key=lambda row: row.expires, reverse=True)
    kept = [row for row in expired[:MOST_KEPT] if row.expires > now - KEPT_SECONDS]
    return tuple(row.token_sha256 for row in expired[len(kept) :])
