"""Putting what an alert crossed, or a dry run lists, in scope, on somebody's word. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from controlplane.detect.dry_run import DenialGroup
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
    _require(alert.id, reason)
    entries = [crossing.entry for crossing in alert.crossed]
    never = [str(entry) for entry in entries if not can_be_in_scope(entry)]
    if never:
        why = "a contradiction, or content that could not be hashed, has no identity to vouch for"
        raise CannotApproveError(alert.id, f"{'; '.join(never)} can never be in scope: {why}")
    word = Evidence(alert.time, alert.last_seen, alert.count, 0, (), SOURCE, Standing.APPROVED)
    return {entry: _vouched(word, known.get(entry)) for entry in entries}


def vouched_group(group: DenialGroup, known: Mapping[Entry, Evidence], reason: str) -> dict[Entry, Evidence]:
    """The entries that a group of a dry run lacks, approved.

    Raises:
        CannotApproveError: one of them can never be in scope, or `reason` says nothing.
    """
    _require(group.id, reason)
    if group.never:
        raise CannotApproveError(group.id, group.never)
    word = Evidence(group.first_seen, group.last_seen, group.count, 0, (), SOURCE, Standing.APPROVED)
    return {entry: _vouched(word, known.get(entry)) for entry in group.missing}


def _require(subject: str, reason: str) -> None:
    if not reason.strip():
        raise CannotApproveError(subject, "say why it is in scope, for those who read it later")


def _vouched(word: Evidence, before: Evidence | None) -> Evidence:
    return merge(before, word) if before else word
