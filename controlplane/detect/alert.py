"""One alert for each deviating behaviour of a workload: built once, then counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from controlplane.detect.foresight import Watch, foresee
from controlplane.detect.rank import rank
from controlplane.detect.sentence import Learning, sentence
from controlplane.detect.technique import Techniques
from controlplane.detect.tripwire import closed_world
from controlplane.posture.evidence import MAX_COUNT
from controlplane.posture.window import Window
from controlplane.posture.wording import duration, listed
from inscope.alert import Alert, Crossing
from inscope.behaviour import Behaviour, CredentialUse, PermissionUse, RoleAssumption
from inscope.observation import Sighting
from inscope.reference import Entry, ReferenceKind, ReferenceVersion
from inscope.verdict import Verdict
from inscope.workload import Agent, Workload

AlertKey = tuple[Behaviour, frozenset[tuple[Entry, str | None]], Verdict]
"""What makes two deviations the same alert: the behaviour, what it crossed with which findings, and what became of
it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What an act is judged against, and the window its time must lie in. `judged` are the references that are not
    learning; `among` are other workloads that it may have been.
    """

    workload: Workload
    versions: Mapping[ReferenceKind, int]
    watch: Watch
    learning: Learning
    techniques: Techniques
    window: Window
    judged: frozenset[ReferenceKind] = frozenset(ReferenceKind)
    among: tuple[Workload, ...] = ()


def crossings(sighting: Sighting, gaps: Sequence[Entry], scene: Scene) -> tuple[Crossing, ...]:
    """A crossing for each entry that the act needed and the references lack."""
    time = scene.window.clamp(sighting.observation.time)
    return tuple(_crossing(entry, sighting.observation.behaviour, time, scene) for entry in gaps)


def _crossing(entry: Entry, behaviour: Behaviour, time: float, scene: Scene) -> Crossing:
    seen = foresee(entry, behaviour, time, scene.watch)
    version = ReferenceVersion(entry.reference, scene.versions.get(entry.reference, 0))
    return Crossing(version, entry, seen.finding.id if seen.finding else None, seen.reason)


def key_of(behaviour: Behaviour, crossed: Sequence[Crossing], verdict: Verdict) -> AlertKey:
    """See `AlertKey`."""
    left = frozenset((crossing.entry, crossing.finding) for crossing in crossed)
    return behaviour, left, verdict


def raised(alert_id: str, sighting: Sighting, crossed: tuple[Crossing, ...], scene: Scene) -> Alert:
    """A new alert."""
    seen = sighting.observation
    techniques = scene.techniques.ids(seen.behaviour)
    first, last = sorted(map(scene.window.clamp, (seen.time, sighting.last_time)))
    return Alert(
        id=alert_id,
        time=first,
        last_seen=last,
        workload=scene.workload,
        agent=agent_of(scene.workload, seen.behaviour),
        tripwire=_tripwire(crossed, scene.watch),
        crossed=crossed,
        behaviour=seen.behaviour,
        ancestry=seen.ancestry,
        verdict=seen.verdict,
        techniques=techniques,
        rank=rank(crossed, techniques, seen.verdict, mature=scene.learning.mature),
        sentence=sentence(_subject(scene), seen.behaviour, crossed, seen.verdict, scene.learning)
        + _lateness(seen.behaviour, first, scene.window),
        count=sighting.count,
        trace_id=seen.trace_id,
    )


def agent_of(workload: Workload, behaviour: Behaviour) -> Agent:
    """The identity that an alert carries: what an authority's log says of it, nothing more."""
    if not isinstance(behaviour, PermissionUse | RoleAssumption | CredentialUse):
        return Agent(workload)
    principal = behaviour.principal
    return Agent(workload, role=principal) if principal.startswith("arn:") else Agent(workload, principal)


def _subject(scene: Scene) -> str:
    if not scene.among:
        return scene.workload.name
    others = listed([str(each) for each in scene.among])
    return f"{scene.workload.name} (or {others}: the log does not tell them apart)"


def _lateness(behaviour: Behaviour, time: float, window: Window) -> str:
    """What a log tells is told afterwards: how long."""
    late = window.now - time
    if not isinstance(behaviour, PermissionUse | RoleAssumption | CredentialUse) or late < LATE:
        return ""
    return f"; its log told of it {duration(late)} later"


LATE = 10.0
"""Seconds after which an act that a log tells of is called late."""


def counted_again(alert: Alert, sighting: Sighting, window: Window) -> Alert:
    """The same deviation once more. A clock that jumps back never moves `last_seen` back."""
    first, last = sorted(map(window.clamp, (sighting.observation.time, sighting.last_time)))
    first, last = min(alert.time, first), max(alert.last_seen, last)
    return replace(alert, time=first, last_seen=last, count=min(alert.count + sighting.count, MAX_COUNT))


def _tripwire(crossed: Sequence[Crossing], watch: Watch) -> str:
    """The tripwire that fired: of the first finding that foresaw it, else the one over the whole reference."""
    armed = {finding.id: finding.tripwire.id for finding in watch.findings.values()}
    for crossing in crossed:
        if crossing.finding:
            return armed[crossing.finding]
    return closed_world(crossed[0].reference.kind)
