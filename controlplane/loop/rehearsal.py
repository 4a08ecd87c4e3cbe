"""The proof of the tripwires: what each finding says is possible is done, in a scratch copy, by the loop itself.

Nothing here judges. The made-up act goes in as a batch of the last instance, through the same `enter` and `receive`
as a real one, and only the alert that comes out counts. Its verdict is what a sidecar would give that holds what is
in force, by the rule that it judges by: in enforce the alert must say that the act was denied.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from controlplane.detect.proof import crossing_of, no_crossing, not_armed, proof_of
from controlplane.detect.two_way import TwoWayFinding
from controlplane.loop.batch import InForce, Outcome, ReceivedBatch
from controlplane.loop.logged import LoggedAct, Taken
from controlplane.loop.remembered import Remembered
from controlplane.store.port import InstanceRow
from inscope.behaviour import Behaviour, CredentialUse, PermissionUse, RoleAssumption
from inscope.containment import Containment
from inscope.coverage import Source, SourceCoverage
from inscope.finding import Finding
from inscope.judgement import verdict_on
from inscope.mode import Mode
from inscope.observation import Observation, Sighting
from inscope.reference import TOLD_BY_LOGS
from inscope.verdict import Verdict
from inscope.workload import Instance, InstanceId, Workload


class Stage(Protocol):
    """The part of a loop that a sidecar's stream uses; here, one over a scratch copy."""

    def enter(self, instance: Instance, mode: Mode, now: float) -> InstanceRow: ...
    def in_force(self, workload: Workload) -> InForce: ...
    def receive(self, instance: InstanceId, batch: ReceivedBatch, now: float) -> Outcome: ...
    def witness(self, workload: Workload, source: Source, acts: Sequence[LoggedAct], now: float) -> Taken: ...


def rehearse(
    stage: Stage,
    state: Remembered,
    found: Sequence[Finding],
    player: Instance | None,
    now: float,
    fresh: Callable[[], str],
) -> list[TwoWayFinding]:
    """What became of each of `found`, which are the findings over `state.latent`, crossed by `player`: an instance, and
    for what only logs can tell of, a log.
    """
    then = max([now, *(each.since for each in found), *(held.surveyed_at for held in state.capabilities.values())])
    seen = Player(player, Held(stage.in_force(player.workload))) if player else None
    told = Teller(state.row.workload)
    proofs = []
    for finding, latent in zip(found, state.latent, strict=True):
        act = crossing_of(latent, state.used, fresh) if finding.tripwire.armed else None
        proofs.append(_prove(stage, finding, act, told if finding.reference.kind in TOLD_BY_LOGS else seen, then))
    return proofs


class Held:
    """What a sidecar would hold that was just sent what is in force."""

    def __init__(self, in_force: InForce) -> None:
        self.mode = in_force.mode
        self._entries = frozenset(in_force.entries)

    def verdict(self, act: Behaviour) -> Verdict:
        """What that sidecar would answer."""
        return verdict_on(act, self.mode, Containment.FREE, self._entries)


@dataclass(frozen=True, slots=True)
class Player:
    """Who does the made-up acts, and what it holds."""

    instance: Instance
    held: Held


@dataclass(frozen=True, slots=True)
class Teller:
    """A log that tells of made-up acts of a workload. What it tells has happened: no mode denies it."""

    workload: Workload


def _prove(
    stage: Stage, finding: Finding, act: Behaviour | None, player: Player | Teller | None, now: float
) -> TwoWayFinding:
    if not finding.tripwire.armed:
        return not_armed(finding)
    if act is None or player is None:
        return no_crossing(finding)
    if isinstance(player, Teller):
        if not isinstance(act, PermissionUse | RoleAssumption | CredentialUse):
            return no_crossing(finding)
        told = stage.witness(player.workload, Source.KUBERNETES_AUDIT, [LoggedAct(now, act)], now)
        return proof_of(finding, act, told.alerts, Mode.DETECT)
    return proof_of(finding, act, _perform(stage, act, player, now).alerts, player.held.mode)


def _perform(stage: Stage, act: Behaviour, player: Player, now: float) -> Outcome:
    instance = player.instance
    row = stage.enter(instance, Mode.OBSERVE, now)
    seen = Observation(instance.id, now, act, verdict=player.held.verdict(act))
    watched = (SourceCoverage(Source.INIT, now, 0.0, {}),)
    batch = ReceivedBatch(row.epoch, row.sequence + 1, (Sighting(seen, 1, now),), watched)
    return stage.receive(instance.id, batch, now)
