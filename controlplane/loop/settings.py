"""The loop's bounds and gates."""

from __future__ import annotations

from dataclasses import dataclass, field

from controlplane.posture.gate import GateSettings
from inscope.reaction import Reaction


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """Bounds per workload, and the gates. What is over a bound is dropped and counted as rejected.

    `spool_seconds` is how long before a workload was first heard of its acts may have happened: a sidecar spools
    while it cannot enrol. `denial_seconds` is how long what would have been denied is kept when room is needed:
    longer than the month that a dry run is usually asked about. `max_credentials` bounds the issued credentials that
    are followed. `on_crossing` is what follows in enforce where a log tells of a deviation. Service accounts of
    `ignored_namespaces` are the cluster's own, and not watched by its log.
    """

    gates: GateSettings = field(default_factory=GateSettings)
    max_entries: int = 200_000
    max_alerts: int = 10_000
    max_denials: int = 10_000
    denial_seconds: float = 35 * 86_400.0
    max_binaries: int = 200_000
    spool_seconds: float = 86_400.0
    max_credentials: int = 100_000
    on_crossing: Reaction = Reaction.ALERT
    ignored_namespaces: frozenset[str] = frozenset({"kube-system", "kube-public", "kube-node-lease"})


DEFAULTS = LoopSettings()
"""The design's."""
