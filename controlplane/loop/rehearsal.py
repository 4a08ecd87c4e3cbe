"""The proof of the tripwires: what each finding says is possible is done, in a scratch copy, by the loop itself.

Nothing here judges. The made-up act goes in as a batch of the last instance, through the same `enter` and `receive`
as a real one, and only the alert that comes out counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from controlplane.detect.proof import crossing_of, no_crossing, not_armed, verdict_on
from controlplane.detect.two_way import TwoWayFinding
from controlplane.loop.batch import Outcome, ReceivedBatch
from controlplane.loop.remembered import Remembered
from controlplane.store.port import InstanceRow
from inscope.behaviour import Behaviour
from inscope.coverage import Source, SourceCoverage
from inscope.finding import Finding
from inscope.mode import Mode
from inscope.observation import Observation, Sighting
from inscope.workload import Instance, InstanceId


class Stage(Protocol):
    """The part of a loop that a sidecar's stream uses; here, one over a scratch copy."""

    def enter(self, instance: Instance, mode: Mode, now: float) -> InstanceRow: ...
    def receive(self, instance: InstanceId, batch: ReceivedBatch, now: float) -> Outcome: ...


def rehearse(
    stage: Stage,
    state: Remembered,
    found: Sequence[Finding],
    player: Instance,
    now: float,
    fresh: Callable[[], str],
) -> list[TwoWayFinding]:
    """What became of each of `found`, which are the findings over `state.latent`, crossed by `player`."""
    then = max([now, *(each.since for each in found), *(held.surveyed_at for held in state.capabilities.values())])
    proofs = []
    for finding, latent in zip(found, state.latent, strict=True):
        act = crossing_of(latent, state.used, fresh) if finding.tripwire.armed else None
        proofs.append(_prove(stage, finding, act, player, then))
    return proofs


def _prove(stage: Stage, finding: Finding, act: Behaviour | None, player: Instance, now: float) -> TwoWayFinding:
    if not finding.tripwire.armed:
        return not_armed(finding)
    if act is None:
        return no_crossing(finding)
    return verdict_on(finding, act, _perform(stage, act, player, now).alerts)


def _perform(stage: Stage, act: Behaviour, player: Instance, now: float) -> Outcome:
    row = stage.enter(player, Mode.OBSERVE, now)
    sighting = Sighting(Observation(player.id, now, act), 1, now)
    watched = (SourceCoverage(Source.INIT, now, 0.0, {}),)
    return stage.receive(player.id, ReceivedBatch(row.epoch, row.sequence + 1, (sighting,), watched), now)
