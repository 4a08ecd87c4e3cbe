"""What enforce denies, or would have, gathered in every mode so that a dry run can tell of it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from controlplane.posture.evidence import MAX_COUNT
from controlplane.posture.window import Window
from inscope.behaviour import Behaviour
from inscope.denial import Denial
from inscope.observation import Sighting
from inscope.reference import Entry, missing
from inscope.verdict import Verdict


@dataclass(slots=True)
class Noted:
    """The denials that changed, and how many acts had no room left to be one."""

    changed: dict[Behaviour, Denial] = field(default_factory=dict)
    dropped: int = 0


def note(
    sightings: Iterable[Sighting],
    in_scope: Collection[Entry],
    known: Mapping[Behaviour, Denial],
    window: Window,
    room: int,
) -> Noted:
    """A denial for each behaviour that `in_scope` lacks something for; `room` bounds how many are new."""
    noted = Noted()
    for sighting in sightings:
        behaviour = sighting.observation.behaviour
        if not missing(behaviour, in_scope):
            continue
        before = noted.changed.get(behaviour) or known.get(behaviour)
        if before is not None:
            noted.changed[behaviour] = _again(before, sighting, window)
        elif room > 0:
            room -= 1
            noted.changed[behaviour] = _first(sighting, window)
        else:
            noted.dropped += sighting.count
    return noted


def _first(sighting: Sighting, window: Window) -> Denial:
    first, last = sorted(map(window.clamp, (sighting.observation.time, sighting.last_time)))
    return Denial(sighting.observation.behaviour, first, last, min(sighting.count, MAX_COUNT), _denied(sighting))


def _again(before: Denial, sighting: Sighting, window: Window) -> Denial:
    more = _first(sighting, window)
    return Denial(
        before.behaviour,
        min(before.first_seen, more.first_seen),
        max(before.last_seen, more.last_seen),
        min(before.count + more.count, MAX_COUNT),
        min(before.denied + more.denied, MAX_COUNT),
    )


def _denied(sighting: Sighting) -> int:
    return 0 if sighting.observation.verdict is Verdict.ALLOW else min(sighting.count, MAX_COUNT)
