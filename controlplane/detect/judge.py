"""From sightings to alerts: what deviates is raised once, and counted when it comes again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from controlplane.detect.alert import AlertKey, Scene, counted_again, crossings, key_of, raised
from inscope.alert import Alert
from inscope.observation import Sighting
from inscope.reference import Entry, missing


@dataclass(slots=True)
class Judged:
    """The alerts that changed, and how many acts had no room left to become one."""

    alerts: dict[AlertKey, Alert] = field(default_factory=dict)
    dropped: int = 0


def judge(
    sightings: Iterable[Sighting],
    in_scope: Collection[Entry],
    known: Mapping[AlertKey, Alert],
    scene: Scene,
    number: Callable[[], str],
    room: int,
) -> Judged:
    """An alert for each sighting that left the references. `number` names a new one; `room` bounds how many."""
    judged = Judged()
    for sighting in sightings:
        gaps = tuple(
            entry for entry in missing(sighting.observation.behaviour, in_scope) if entry.reference in scene.judged
        )
        if gaps:
            room -= _judge_one(sighting, gaps, judged, known, scene, number, room)
    return judged


def _judge_one(
    sighting: Sighting,
    gaps: tuple[Entry, ...],
    judged: Judged,
    known: Mapping[AlertKey, Alert],
    scene: Scene,
    number: Callable[[], str],
    room: int,
) -> int:
    crossed = crossings(sighting, gaps, scene)
    key = key_of(sighting.observation.behaviour, crossed, sighting.observation.verdict)
    before = judged.alerts.get(key) or known.get(key)
    if before is not None:
        judged.alerts[key] = counted_again(before, sighting, scene.window)
        return 0
    if room <= 0:
        judged.dropped += sighting.count
        return 0
    judged.alerts[key] = raised(number(), sighting, crossed, scene)
    return 1
