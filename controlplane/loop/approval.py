"""Putting what an alert crossed in scope, on somebody's word. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from controlplane.loop.refusal import CannotApproveError
from controlplane.posture.evidence import merge
from inscope.alert import Alert
from inscope.reference import Entry, Evidence, Standing, can_be_in_scope

SOURCE = "approval"
"""The source of an entry that somebody vouched for."""


def vouched(alert: Alert, known: Mapping[Entry, Evidence], reason: str) -> dict[Entry, Evidence]:
    """The entries that `alert` crossed, approved.

    Raises:
        CannotApproveError: one of them can never be in scope, or `reason` says nothing.
    """
    if not reason.strip():
        raise CannotApproveError(alert.id, "say why it is in scope, for those who read it later")
    entries = [crossing.entry for crossing in alert.crossed]
    never = [str(entry) for entry in entries if not can_be_in_scope(entry)]
    if never:
        why = "a contradiction, or content that could not be hashed, has no identity to vouch for"
        raise CannotApproveError(alert.id, f"{'; '.join(never)} can never be in scope: {why}")
    return {entry: _vouched(alert, known.get(entry)) for entry in entries}


def _vouched(alert: Alert, before: Evidence | None) -> Evidence:
    word = Evidence(alert.time, alert.last_seen, alert.count, 0, (), SOURCE, Standing.APPROVED)
    return merge(before, word) if before else word
