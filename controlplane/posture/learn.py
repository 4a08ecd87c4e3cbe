"""Observations become entries with evidence. Pure: the same sightings over the same entries give the same update.

In observe what is missing is learned. Three kinds of entry are learned as provisional, which means known and shown,
made a finding, and not in scope: what matches a known technique, contradictions, and content that could not be hashed.
(The last two can never be vouched for; keeping them is how `show` can tell of them while observe is silent.) In detect
nothing is added: only the evidence of what is known grows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from controlplane.posture.evidence import again, merge, sighted
from controlplane.posture.window import Window
from inscope.behaviour import Behaviour
from inscope.coverage import Source
from inscope.observation import Sighting
from inscope.reference import Dimension, Entry, Evidence, ReferenceKind, Standing, can_be_in_scope, entries_of
from inscope.workload import InstanceId

Suspicion = Callable[[Behaviour], frozenset[Dimension]]
"""The dimensions in which a behaviour matches a known technique."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """Who is learned from and within which bounds.

    `began` (seconds since the epoch) is when the instance was first heard of; `room` is how many entries may still be
    added, `adding` to which references, and `source` what told of it.
    """

    instance: InstanceId
    began: float
    window: Window
    room: int
    adding: frozenset[ReferenceKind]
    source: Source = Source.INIT


@dataclass(slots=True)
class Learned:
    """What changed. `evidence` holds every entry touched; `added` those that were not known; `dropped` had no room."""

    evidence: dict[Entry, Evidence] = field(default_factory=dict)
    added: list[Entry] = field(default_factory=list)
    dropped: int = 0

    @property
    def grown(self) -> frozenset[ReferenceKind]:
        """The references that have new entries, and so a new version."""
        return frozenset(entry.reference for entry in self.added)


def learn(
    known: Mapping[Entry, Evidence], sightings: Iterable[Sighting], lesson: Lesson, suspicion: Suspicion
) -> Learned:
    """What `sightings` do to `known`, which is left as it is."""
    learned = Learned()
    for sighting in sightings:
        _learn_one(known, learned, sighting, lesson, suspicion)
    return learned


def _learn_one(
    known: Mapping[Entry, Evidence], learned: Learned, sighting: Sighting, lesson: Lesson, suspicion: Suspicion
) -> None:
    behaviour = sighting.observation.behaviour
    for entry in entries_of(behaviour):
        before = learned.evidence.get(entry) or known.get(entry)
        if before is not None:
            learned.evidence[entry] = _again(before, sighting, lesson)
        elif entry.reference not in lesson.adding:
            continue
        elif len(learned.added) < lesson.room:
            learned.evidence[entry] = _first(sighting, lesson, _standing(entry, behaviour, suspicion))
            learned.added.append(entry)
        else:
            learned.dropped += sighting.count


def _first(sighting: Sighting, lesson: Lesson, standing: Standing) -> Evidence:
    return sighted(lesson.instance, *_times(sighting, lesson), sighting.count, lesson.source, standing)


def _again(before: Evidence, sighting: Sighting, lesson: Lesson) -> Evidence:
    if lesson.instance in before.instances:
        return again(before, *_times(sighting, lesson), sighting.count)
    return merge(before, _first(sighting, lesson, before.standing), later_session=lesson.began > before.last_seen)


def _times(sighting: Sighting, lesson: Lesson) -> tuple[float, float]:
    clamp = lesson.window.clamp
    return clamp(sighting.observation.time), clamp(sighting.last_time)


def _standing(entry: Entry, behaviour: Behaviour, suspicion: Suspicion) -> Standing:
    if not can_be_in_scope(entry) or entry.dimension in suspicion(behaviour):
        return Standing.PROVISIONAL
    return Standing.LEARNED
